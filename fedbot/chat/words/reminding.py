"""What reminds people of a card that waits for them."""

from __future__ import annotations

from fedbot.chat.content import Inline
from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.home import Home


def reminder(
    tongue: Tongue, *, subject: Connection | Transfer, home: Home, people: dict[str, str], others: int
) -> Lines:
    """In the card's thread, for those who may decide (names by id; the first three are rung)."""
    del home
    pills: list[Inline] = []
    for user, name in people.items():
        pills += [naming.pill(tongue, user, name), " "]
    if others:
        pills += [*tongue.say("and others: ")]
    who = naming.signed(tongue, subject.asked)
    return [
        (*pills, *tongue.say("⏰ {case} still waits for your yes or no.", case=naming.case(tongue, subject))),
        tongue.say(
            "Asked by {who}. Open until {when}, then it is over by itself.", who=who, when=tongue.when(subject.due)
        ),
        tongue.say(
            "Nothing has moved. Tap ✅ or ❌ on the card, or reply: {approve} · {decline}",
            approve=command(f"approve {subject.code}"),
            decline=command(f"decline {subject.code}"),
        ),
    ]
