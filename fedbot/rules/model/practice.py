"""The pretend friend that an operator has put up to try the bot alone (`fedbot practice`), as the rules know it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.room import AnnouncedParty

PRACTICE = "practice"
"""The party id that no makerspace has. Whatever is with it is practice, and nothing else is."""


@dataclass(frozen=True)
class Practice:
    """Where the pretend friend is (`room`), and who (`bot`, `key`); one document.

    `parts` are the keys of the parts that were made for it in our InvenTree: of these alone, and of nothing else, it
    gives and gets something.
    """

    room: str
    bot: str
    key: str
    parts: tuple[int, ...]
    id: str = PRACTICE

    @property
    def is_whole(self) -> bool:
        """Whether it says where, and who."""
        return bool(self.room and self.bot and self.key)

    def over(self, us: PartyConfig) -> PartyConfig:
        """Our party, which reads the practice room too."""
        return replace(us, rooms=(*us.rooms, self.room))

    def is_friend(self, bot: str, party: AnnouncedParty) -> bool:
        """Whether that is the pretend friend."""
        return (bot, party.id, party.key) == (self.bot, PRACTICE, self.key)


def may_be_believed(practice: Practice | None, room: str, bot: str, party: AnnouncedParty) -> bool:
    """Whether a party that announces itself may be there: the pretend friend in its room alone, and alone there."""
    if practice is None:
        return party.id != PRACTICE
    if room == practice.room:
        return practice.is_friend(bot, party)
    return party.id != PRACTICE and party.key != practice.key


def may_move(practice: Practice | None, peer: str, part: int) -> bool:
    """Whether that part of ours may go to this party, or come from it: practice parts to the pretend friend only."""
    made = practice.parts if practice else ()
    return (part in made) == (peer == PRACTICE)
