"""`!fed web [CODE|end]`: sign in on a page by its code; list where you are signed in; end all of it."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules import web
from fedbot.rules.model.command import AccessKind, Command, WebAccess
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query, SignInFound, SignInShown
from fedbot.rules.model.stock import Permission
from fedbot.rules.names import bare_word
from fedbot.rules.protocol import who_answers
from fedbot.rules.state import Turn
from fedbot.rules.wire import is_off_chat

END = "end"

SPEC = Verb(
    name="web",
    summary="sign in on a page; list where you are signed in, or end that",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("what", Kind.WORD, "CODE|end", optional=True),),
    examples=("web", "web K7M2-Q4ZT", "web end"),
    details=(
        "The page shows a code. Send it within 10 minutes, in an encrypted room or in a direct chat with me.",
        "A code counts once. Nobody but you can use it, so others may read it.",
        "'web end' signs you out everywhere, and your tokens stop working.",
    ),
    is_named_in_help=True,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which page shows the code; or return an objection."""
    if not turn.us.pages_url:
        return say(messages.web.pages_are_off)
    code = _code(command)
    if not code:
        return ()
    if is_off_chat(command.event_id):
        return say(messages.web.only_in_chat)
    if not command.encrypted and not who_answers.direct_with(turn, turn.room(command.room)):
        return say(messages.web.code_in_clear, word=code)
    if again := turn.spends("sign-in", command.sender):  # before the look-up, which uses the code up
        return say(messages.web.tries_too_often, wait=again - turn.now)
    return (SignInShown(code),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Sign in the page, list the sign-ins, or end them."""
    held = tuple(web.held_by(turn, command.sender))
    if _word(command) == END:
        for access in held:
            web.end(turn, access, command.event_id)
        return say(messages.web.ended, number=len(held))
    if not answers:
        return say(messages.web.held, accesses=held, address=turn.us.pages_url)
    (found,) = answers
    if not isinstance(found, SignInFound):
        raise TypeError(f"a page was asked for, not {found!r}")
    if not found.access or turn.get(WebAccess, found.access) is not None:
        return say(messages.web.no_such_code, word=_code(command), address=turn.us.pages_url)
    access = WebAccess(
        found.access,
        AccessKind.SESSION,
        command.sender,
        command.username,
        found.browser,
        turn.now,
        turn.now + turn.us.pages_session,
        proven=command.encrypted,
    )
    web.give(turn, access, command.event_id)
    name = turn.name_of(command.sender, command.room)
    return say(messages.web.signed_in, name=name, browser=found.browser, access=access)


def _word(command: Command) -> str:
    return str(command.arguments.get("what", "")).casefold()


def _code(command: Command) -> str:
    """The typed code, unless it is 'end': in capitals, without characters around it."""
    word = _word(command)
    return "" if word == END else bare_word(word).upper()


HANDLER = Handler(SPEC, ask, act)
