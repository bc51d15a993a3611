"""What only our own admins read, in the admin room: outages and what the bot could not do."""

from __future__ import annotations

from fedbot.chat.content import Code
from fedbot.chat.words import naming
from fedbot.chat.words.diagnoses import diagnosis
from fedbot.chat.words.naming import command as typed
from fedbot.chat.words.tongue import Lines, Tongue, marked
from fedbot.federation.events import PostRefused, SetAside
from fedbot.federation.home import Home

# What a message of ours is, by the first word of its key.
_MESSAGES: dict[str, str] = {
    "card": marked("a card"),
    "offer": marked("an offer"),
    "end": marked("the message about an end"),
    "wait": marked("the message about a wait"),
    "answer": marked("an answer to a line"),
    "choice": marked("a numbered list"),
}
_POWER = marked("Please look at my power level in that room.")
_WHAT_TO_DO: dict[str, str] = {
    "M_FORBIDDEN": _POWER,
    "M_TOO_LARGE": marked("It was too large; fewer lines at once go through."),
}


def admin_messages_left_out(tongue: Tongue) -> Lines:
    """Many messages of one kind: the rest is only in the audit."""
    return [
        tongue.say("I have more messages like the last ones, and leave them out here."),
        tongue.say("Each is in my audit trail. I say this at most once an hour."),
    ]


def peer_sends_too_much(tongue: Tongue, *, peer: str) -> Lines:
    """A peer, or an account in the room (by its Matrix id), sends more protocol messages than we read."""
    is_account = peer.startswith("@")
    end = (
        tongue.say("A moderator of the room can remove it.")
        if is_account
        else tongue.say("To end the friendship, type in the shared room: {line}", line=typed(f"disconnect {peer}"))
    )
    who = tongue.short(peer, 60)
    return [
        tongue.say("{who} sends more messages than I read, so some wait.", who=who),
        tongue.say("Stock that is in transit isn't affected. I say this at most once a day."),
        end,
    ]


def post_refused(tongue: Tongue, *, event: PostRefused) -> Lines:
    """The homeserver will not take a message of ours, so the people in that room don't see it."""
    kind = _MESSAGES.get(event.key.partition(":")[0], marked("a message"))
    advice = _WHAT_TO_DO.get(event.code, marked("The text above is the homeserver's."))
    said = " ".join(part for part in (tongue.short(event.code, 40), tongue.short(event.text, 200)) if part)
    return [
        tongue.say(
            "I could not post {what} in {room}: nobody there sees it.",
            what=tongue.word(kind),
            room=Code(tongue.short(event.room, 120)),
        ),
        tongue.say("The homeserver said: {said}", said=said),
        tongue.say(
            "{advice} I don't try again by myself. Its name: {key}",
            advice=tongue.word(advice),
            key=Code(tongue.short(event.key, 120)),
        ),
    ]


def inventory_down(tongue: Tongue, *, problem: str, home: Home) -> Lines:
    """Our InvenTree does not answer."""
    return [
        tongue.say("⏸ {space}'s InvenTree does not answer.", space=naming.space(tongue, home.name)),
        tongue.say("Why: {problem}", problem=diagnosis(tongue, problem, 300)),
        tongue.say("Done: nothing is lost. Not done: what needs InvenTree waits."),
        tongue.say("Next: I try again by myself and go on where I stopped. Nothing to do if you know of it."),
        tongue.say("To see more, on the bot's machine: {check}", check=Code("fedbot check")),
    ]


def bot_stops(tongue: Tongue, *, problem: str, home: Home) -> Lines:
    """The bot ends by itself, and can't go on before a person has done something."""
    return [
        tongue.say("⏹ {space}'s bot has stopped.", space=naming.space(tongue, home.name)),
        tongue.say("Why: {problem}", problem=diagnosis(tongue, problem, 500)),
    ]


def set_aside(tongue: Tongue, *, aside: SetAside) -> Lines:
    """Something failed in a way that nobody has foreseen: what waits, and how an admin has it tried again."""
    waits = tongue.say("Everything else goes on. What concerns the same request waits.")
    if not aside.subject:
        waits = tongue.say("Everything else goes on.")
    return [
        tongue.say("⚠ I could not do something and set it aside (no. {number}).", number=aside.number),
        tongue.say(
            "It was {what}; the problem: {problem}",
            what=Code(tongue.short(aside.what, 40)),
            problem=Code(tongue.short(aside.problem, 200)),
        ),
        waits,
        tongue.say("To try it again, run on my machine: {retry}", retry=Code(f"fedbot retry {aside.number}")),
        tongue.say("{status} lists all that is set aside.", status=Code("fedbot status")),
    ]


def not_mirrored(tongue: Tongue, *, text: str) -> Lines:
    """Metadata in InvenTree could not be written; nothing waits for it."""
    return [
        tongue.say("I could not write my notes into InvenTree's metadata. Everything else goes on."),
        tongue.say("Why: {text}", text=diagnosis(tongue, text, 300)),
        tongue.say(
            "Usually my InvenTree user lacks a role: {check} says which. I say this once a day.",
            check=Code("fedbot check"),
        ),
    ]
