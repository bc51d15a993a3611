"""What of a room's talk is for the bot. Nothing else of it is ever journaled."""

from __future__ import annotations

from datetime import datetime

from fedbot.rules import lines
from fedbot.rules.loan import hand_back
from fedbot.rules.model.events import EnvelopeSeen, Event, PhotoSent, Reacted, Removed, RoomReplaced, RoomSeen, Said
from fedbot.rules.state import State, Turn


def concerns_us(state: State, event: Event, now: datetime) -> bool:
    """Whether the rules would do anything with it as things are; always so of what isn't talk."""
    turn = Turn(state, now)
    if isinstance(event, Said | Reacted) and event.missed and not lines.was_out(turn, event):
        return False
    match event:
        case Said():
            return lines.is_for_us(turn, event)
        case PhotoSent():
            return hand_back.meant(turn, event) is not None
        case Reacted():
            return bool(turn.key_of(event.target))
    return True


def is_talk(event: Event) -> bool:
    """Whether it is something that people say or show to each other, and that may be for us."""
    return isinstance(event, Said | PhotoSent | Reacted)


def may_change_what_concerns_us(state: State, event: Event) -> bool:
    """Whether talk that follows may be for us only because of it: another room, or a message of ours found there."""
    return isinstance(event, RoomSeen | RoomReplaced | Removed) or (
        isinstance(event, EnvelopeSeen) and event.sender == state.us.bot
    )
