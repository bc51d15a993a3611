"""All verbs, and the registry that the rules use (`fedbot.rules.state.Verbs`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from fedbot import messages
from fedbot.commands import (
    approve,
    borrow,
    calendar,
    cancel,
    clear,
    connect,
    decline,
    disconnect,
    extend,
    find,
    gift,
    give_back,
    help_page,
    here,
    history,
    lend,
    lost,
    match,
    missing,
    outside,
    overdue,
    people,
    push,
    qr,
    received,
    reconcile,
    request,
    resolve,
    resume,
    review,
    rotate,
    share,
    show,
    spaces,
    stats,
    status,
    todo,
    unshare,
    wait,
    want,
    web,
    whoami,
)
from fedbot.commands.deciding import about_a_pickup
from fedbot.commands.german import LANGUAGE, as_said, in_german, in_language
from fedbot.commands.grammar import SHOWN, near_verbs, parse, render
from fedbot.commands.items import first_word, tidied
from fedbot.commands.lookup import Space, room_name, space_meant, spaces_in
from fedbot.commands.sentences import (
    advice,
    as_typed_line,
    line_to_a_friend,
    may_mean,
    picked_up,
    small_talk,
    verb_in_sentence,
    with_the_space,
    without_fillers,
)
from fedbot.commands.spec import CASE, Handler, Kind, Verb, Where
from fedbot.rules.model.command import LONGEST_LINE, MORE, About, Answers, Command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.names import bare_word
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.state import Turn

_HANDLERS = (
    find.HANDLER,
    request.HANDLER,
    borrow.HANDLER,
    push.HANDLER,
    lend.HANDLER,
    give_back.HANDLER,
    extend.HANDLER,
    gift.HANDLER,
    lost.HANDLER,
    overdue.HANDLER,
    outside.HANDLER,
    todo.HANDLER,
    show.HANDLER,
    history.HANDLER,
    approve.HANDLER,
    decline.HANDLER,
    calendar.HANDLER,
    cancel.HANDLER,
    received.HANDLER,
    missing.HANDLER,
    want.HANDLER,
    wait.HANDLER,
    share.HANDLER,
    unshare.HANDLER,
    match.HANDLER,
    here.HANDLER,
    spaces.HANDLER,
    stats.HANDLER,
    connect.HANDLER,
    disconnect.HANDLER,
    review.HANDLER,
    resolve.HANDLER,
    resume.HANDLER,
    clear.HANDLER,
    reconcile.HANDLER,
    rotate.HANDLER,
    people.HANDLER,
    status.HANDLER,
    qr.HANDLER,
    web.HANDLER,
)


def handlers() -> tuple[Handler, ...]:
    """Every verb's handler. `whoami` and `help` need the others' specs."""
    specs = tuple(handler.spec for handler in _HANDLERS)
    return (*_HANDLERS, whoami.handler_with(specs), help_page.handler_with((*specs, whoami.SPEC)))


def catalogue() -> tuple[Verb, ...]:
    """Every verb's spec, in the order of the help pages."""
    return tuple(handler.spec for handler in handlers())


_OTHER_WAY = {"borrow": "lend", "lend": "borrow", "request": "push", "push": "request"}


class Registry:
    """The verbs by their names."""

    def __init__(self) -> None:
        self._by_name = {name: handler for handler in handlers() for name in handler.spec.names}
        self._handlers = tuple(dict.fromkeys(self._by_name.values()))
        for_outside = (outside.handler_for(handler.spec) for handler in self._handlers)
        self._outside = {handler.spec.name: handler for handler in for_outside if handler is not None}

    def german(self) -> dict[str, Handler]:
        """The verbs by the words that only a bot that speaks German understands."""
        german = {name: h for h in self._handlers for name in in_language(h.spec, LANGUAGE).names}
        return {name: handler for name, handler in german.items() if name not in self._by_name}

    def parse(self, turn: Turn, text: str) -> tuple[str, dict[str, Any]] | Phrase:
        """The verb and its arguments, or an objection. An empty line is `help`."""
        if len(text) > LONGEST_LINE:
            return say(messages.line_errors.line_too_long, length=len(text), most=LONGEST_LINE)
        if answer := small_talk(tidied(text)):
            return answer
        line = as_typed_line(tidied(text))
        word, rest = first_word(line)
        if not word:
            return help_page.SPEC.name, {}
        language = turn.us.language
        handler = self._by_name.get(word) or (self.german().get(word) if language == LANGUAGE else None)
        asks = line_to_a_friend(line) or may_mean(line, is_verb=handler is not None)
        asks = asks or (f"request {line}" if word.isdecimal() else "")
        if meant := self._rendered(asks):
            return say(messages.line_errors.keyword_missing, line=meant)
        if handler is None:
            return self._no_such_verb(turn, text, line)
        spec = as_said(in_language(handler.spec, language), line)
        rest = without_fillers(spec, rest)
        names = tuple(name for friend in turn.active_connections() for name in (friend.peer, friend.peer_name))
        arguments = parse(spec, rest, names)
        if not isinstance(arguments, Phrase):
            return handler.spec.name, _with_the_id_first(turn, spec, arguments)
        meant = ""
        if arguments.name == messages.line_errors.argument_missing.__name__:
            meant = self._the_other_way(handler.spec.name, spec, rest, names) or with_the_space(spec, rest, names)
        return say(messages.line_errors.keyword_missing, line=meant) if meant else arguments

    def _no_such_verb(self, turn: Turn, text: str, line: str) -> Phrase:
        """Suggestions for a line that begins with no verb; `text` is the line as typed."""
        if (item := picked_up(line)) is not None:
            return about_a_pickup(turn, item)
        if told := advice(line):
            return told
        (word, rest), language = first_word(line), turn.us.language
        if word == MORE or word.isdecimal():
            return say(messages.line_errors.reply_to_the_list, word=word[:SHOWN])
        specs = tuple(in_language(handler.spec, language) for handler in self._handlers)
        by_name = {name: spec for spec in specs for name in spec.names}
        sentence = verb_in_sentence(text, by_name)
        is_alone = not first_word(sentence)[1]  # a verb in other words, such as `nothing is missing`
        meant = self._rendered(line_to_a_friend(sentence) or sentence, by_name)
        if meant and not is_alone:
            return say(messages.line_errors.keyword_missing, line=meant)
        close = near_verbs(word, specs)
        meant = self._rendered(f"{close[0]} {rest}", by_name) if rest and len(close) == 1 else ""
        return say(messages.line_errors.no_such_verb, word=word[:SHOWN], near=close, line=meant)

    def _the_other_way(self, verb: str, spec: Verb, text: str, names: Collection[str]) -> str:
        """The line for the other direction, such as `lend` for `borrow … to betaspace`; '' if it doesn't fit.

        `spec` is the verb as typed; the line is in the same language.
        """
        if verb not in _OTHER_WAY:
            return ""
        other = self._by_name[_OTHER_WAY[verb]].spec
        other = in_german(other) if spec.name != verb else other
        arguments = parse(other, text)
        if isinstance(arguments, Phrase):
            return ""
        to = str(arguments.get("space", "")).casefold()
        return render(other, arguments) if to in {name.casefold() for name in names} else ""

    def _rendered(self, text: str, names: Mapping[str, Verb] | None = None) -> str:
        """The line as it would be typed; '' if more than the verb is missing."""
        word, rest = first_word(text)
        if not word:
            return ""
        spec = as_said(names[word], text) if names else self._by_name[word].spec
        arguments = parse(spec, without_fillers(spec, rest))
        return "" if isinstance(arguments, Phrase) else render(spec, arguments)

    def permission(self, verb: str) -> Permission:
        """The permission that the verb needs."""
        return self._by_name[verb].spec.permission

    def answers(self, verb: str) -> Answers:
        """The messages that a line with this verb may refer to."""
        return self._by_name[verb].spec.answers

    def about(self, verb: str, arguments: dict[str, Any]) -> About:
        """The subject of a line with these arguments, as far as its words say."""
        spec = self._by_name[verb].spec
        spaces = (str(arguments.get(each.name, "")) for each in spec.arguments if each.kind is Kind.SPACE)
        return About(
            looks=spec.looks(arguments),
            shared=spec.where is Where.FEDERATION_ROOM,
            case=bare_word(str(arguments.get(CASE, "")).partition(" ")[0]),
            space=next(filter(None, spaces), ""),
        )

    def ask(self, turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
        """The verb's queries; or its answer to the person, if that is already known."""
        handler = self._meant(turn, command)
        is_for_all = not handler.spec.looks(command.arguments) and handler.spec.acts_where is Where.FEDERATION_ROOM
        if is_for_all and who_answers.direct_with(turn, turn.room(command.room)):
            names = tuple(room_name(turn, room) for room in who_answers.shared_with(turn, command.sender))
            return say(messages.line_errors.not_in_direct_chat, text=command.text, rooms=names)
        is_private = command.room == turn.us.admin_room and (handler.is_outside or outside.is_meant(command))
        if is_private:  # it concerns nobody else
            return _with_the_whole_line(turn, handler.spec, command, handler.ask(turn, command))
        if handler.spec.where is Where.FEDERATION_ROOM and command.room not in announcements.federation_rooms(turn):
            names = tuple(room_name(turn, room) for room in announcements.current_rooms(turn))
            return say(messages.line_errors.not_in_this_room, text=command.text, rooms=names)
        return _with_the_whole_line(turn, handler.spec, command, handler.ask(turn, command))

    def act(self, turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        """Carry out the verb. The phrase answers the line; None if an effect in the turn answers it."""
        return self._meant(turn, command).act(turn, command, answers)

    def _meant(self, turn: Turn, command: Command) -> Handler:
        """The verb's handler; a loan to a neighbour without a bot has another one."""
        handler = self._by_name[command.verb]
        apart = self._outside.get(handler.spec.name)
        return apart if apart is not None and outside.loan_meant(turn, command) is not None else handler

    def answer_without(self, turn: Turn, command: Command, problem: Diagnosis | None) -> bool:
        """Answer the line although our InvenTree doesn't answer; False if the verb can't."""
        answer = self._by_name[command.verb].answer_without
        return answer is not None and answer(turn, command, problem)

    def is_safe_for(self, turn: Turn, room: str, verb: str, arguments: dict[str, Any], others: frozenset[str]) -> bool:
        """Whether it changes nothing, or ends the access of one of these others (or names no space at all)."""
        spec = self._by_name[verb].spec
        if not spec.ends_trust:
            return spec.looks(arguments)
        space = space_meant(turn, room, str(arguments["space"]))
        return not isinstance(space, Space) or space.party in others


_OF_A_CASE = re.compile(r"(?P<what>.+) (?:of|from|von|aus) (?P<code>\S+)(?P<rest>(?: .*)?)", re.IGNORECASE)


def _with_the_id_first(turn: Turn, spec: Verb, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with `k7m2 2` for `2 of k7m2`, if a subject has that id."""
    case = next((each for each in spec.arguments if each.name == CASE), None)
    if case is None or case.kind not in {Kind.THINGS, Kind.ANYTHING}:
        return arguments
    text = str(arguments.get(CASE, ""))
    found = _OF_A_CASE.fullmatch(text)
    if found is None or not turn.by_code(bare_word(found["code"])) or turn.by_code(bare_word(text.partition(" ")[0])):
        return arguments
    end = "," if found["code"].endswith(",") else ""
    return {**arguments, CASE: f"{bare_word(found['code'])} {found['what']}{end}{found['rest']}"}


NOTE = "note"


def _with_the_whole_line(
    turn: Turn, spec: Verb, command: Command, response: tuple[Query, ...] | Phrase
) -> tuple[Query, ...] | Phrase:
    """For a mistyped space that can only mean one, add the corrected line; the rest stays as typed.

    Words after a correct name (`to betaspace for Kim`) may mean something, so they become the note, if it can have one.
    """
    if not isinstance(response, Phrase) or response.sentence is not messages.line_errors.no_such_space:
        return response
    space = next((each for each in spec.arguments if each.kind is Kind.SPACE), None)
    near = response.about["near"]
    if space is not None and not near and spec.name == lend.SPEC.name:
        neighbour = f"outside {command.arguments[space.name]}"
        line = render(as_said(spec, command.text), {**command.arguments, space.name: neighbour})
        return replace(response, about={**response.about, "outside": line})
    if space is None or len(near) != 1:
        return response
    meant = next(each for each in spaces_in(turn, command.room) if each.name == near[0])
    typed = str(command.arguments[space.name])
    begun = next((name for name in (meant.party, meant.name) if typed.casefold().startswith(f"{name.casefold()} ")), "")
    instead, spec = {space.name: meant.party}, as_said(spec, command.text)
    if begun:
        takes_a_note = any(option.name == NOTE for option in spec.options) and not command.arguments.get(NOTE)
        if not takes_a_note:
            return response
        instead[NOTE] = typed[len(begun) :].strip()
    return replace(response, about={**response.about, "line": render(spec, {**command.arguments, **instead})})
