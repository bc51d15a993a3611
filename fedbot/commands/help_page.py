"""`!fed help`: list the verbs. It needs no InvenTree, so it always answers."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands import german
from fedbot.commands.german import examples, in_language
from fedbot.commands.grammar import SHOWN, near_verbs
from fedbot.commands.spec import Argument, Handler, Kind, Verb, nothing_to_ask
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, Post, say
from fedbot.rules.model.ledger import VerbLine
from fedbot.rules.model.queries import Answer
from fedbot.rules.model.room import MessageKind, Room
from fedbot.rules.model.stock import Permission
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.state import Turn

MORE, ADMIN = "more", "admin"
SPACE_IN_EXAMPLES = "betaspace"
_LENDS = "lend"

SPEC = Verb(
    name="help",
    aliases=("hilfe",),
    summary="list the verbs, or explain one",
    permission=Permission.ANYONE,
    only_looks=True,
    arguments=(Argument("topic", Kind.WORD, "VERB|more|admin", optional=True),),
    examples=("help", "help push", "help more", "help admin"),
    details=("Alone it lists the everyday verbs. 'help more' lists the rest, 'help admin' those for superusers.",),
)


def handler_with(others: tuple[Verb, ...]) -> Handler:
    """The verb's handler, which explains the verb itself and these others."""
    specs = (*others, SPEC)

    def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
        del answers
        answer = page(turn, command)
        direct = _direct_chat(turn, command)
        if not direct or answer.sentence is messages.line_errors.no_such_verb:
            return answer
        turn.do(Post(MessageKind.HELP.of(rest=command.event_id), direct, answer, mentions=(command.sender,)))
        return say(messages.people.help_by_direct_chat)

    def page(turn: Turn, command: Command) -> Phrase:
        topic = str(command.arguments.get("topic", "")).lower()
        if not topic:
            return _everyday(turn, command, specs)
        if topic in (MORE, *german.MORE):
            return say(messages.people.help_more, us=turn.us, lines=_others(turn, specs, for_superusers=False))
        if topic == ADMIN:
            return say(messages.people.help_admin, us=turn.us, lines=_others(turn, specs, for_superusers=True))
        spoken = [in_language(spec, turn.us.language) for spec in specs]
        for spec, names in zip(specs, (each.names for each in spoken), strict=True):
            if topic in names:
                return _one(turn, spec)
        return say(messages.line_errors.no_such_verb, word=topic[:SHOWN], near=near_verbs(topic, spoken))

    return Handler(SPEC, nothing_to_ask, act)


def _direct_chat(turn: Turn, command: Command) -> str:
    """The direct chat, if any, that gets a long page for a person who asks in a shared room."""
    if command.room not in announcements.federation_rooms(turn):
        return ""
    return next((room.id for room in turn.all(Room) if who_answers.direct_with(turn, room) == command.sender), "")


def _everyday(turn: Turn, command: Command, specs: tuple[Verb, ...]) -> Phrase:
    everyday = sorted((spec for spec in specs if spec.everyday), key=lambda spec: spec.everyday)
    lines = tuple(_line(turn, spec, _with_friend(turn, examples(spec, turn.us.language)[0])) for spec in everyday)
    english = next((spec.examples[0] for spec in everyday if spec.name == _LENDS), "")
    return say(
        messages.people.help_overview,
        us=turn.us,
        person=turn.name_of(command.sender, command.room),
        username=command.username,
        lines=lines,
        named=tuple(
            german.word_for(spec, turn.us.language) or spec.name
            for spec in sorted(specs, key=lambda spec: spec.name)
            if spec.is_named_in_help
        ),
        example=_with_friend(turn, english) if turn.us.language == german.LANGUAGE else "",
    )


def _others(turn: Turn, specs: tuple[Verb, ...], *, for_superusers: bool) -> tuple[VerbLine, ...]:
    """The verbs that aren't everyday ones, for superusers or for the others, by their names."""
    others = (spec for spec in specs if not spec.everyday)
    meant = (spec for spec in others if (spec.permission is Permission.SUPERUSER) is for_superusers)
    by_name = sorted(meant, key=lambda spec: spec.name)
    return tuple(_line(turn, spec, _in_own_words(turn, spec).usage) for spec in by_name)


def _in_own_words(turn: Turn, spec: Verb) -> Verb:
    """The verb as our language says it."""
    return german.in_german(spec) if turn.us.language == german.LANGUAGE else spec


def _with_friend(turn: Turn, example: str) -> str:
    """The example with a friend of ours instead of the space that all examples name."""
    friend = min((each.peer for each in turn.active_connections()), default=SPACE_IN_EXAMPLES)
    return example.replace(SPACE_IN_EXAMPLES, friend)


def _line(turn: Turn, spec: Verb, shown: str) -> VerbLine:
    also = spec.name if german.word_for(spec, turn.us.language) else ""
    return VerbLine(spec.name, shown, spec.summary, spec.permission, also)


def _one(turn: Turn, spec: Verb) -> Phrase:
    said = _in_own_words(turn, spec)
    return say(
        messages.people.help_verb,
        usage=said.usage,
        aliases=said.aliases,
        summary=spec.summary,
        details=spec.details,
        examples=tuple(_with_friend(turn, example) for example in examples(spec, turn.us.language)),
        options=tuple((option.usage, option.summary) for option in spec.options),
        permission=spec.permission,
        us=turn.us,
    )
