"""Our own party's configuration, as far as decisions depend on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time, timedelta

from fedbot.rules.model.care import Care
from fedbot.rules.model.decision import NO_PICKUP, Pickup
from fedbot.rules.model.from_anyone import RotaPolicy
from fedbot.rules.model.lending import LendingRule, OverdueSteps
from fedbot.rules.model.room import AnnouncedParty

SILENT_AFTER_RESENDS = 2
"""The number of unanswered resends after which people read that a peer's bot is silent."""

# --- The practice peer, which an operator starts to try the bot alone (`fedbot practice`).

PRACTICE = "practice"
"""The practice peer's party id, which no makerspace may have. Only data with this party is practice."""


@dataclass(frozen=True)
class Practice:
    """The practice peer's room, bot account and key; one document.

    `parts` are the keys of the parts created for it in our InvenTree. It gives and gets stock of these parts only.
    """

    room: str
    bot: str
    key: str
    parts: tuple[int, ...]
    id: str = PRACTICE

    @property
    def is_whole(self) -> bool:
        """Whether its room, bot and key are known."""
        return bool(self.room and self.bot and self.key)

    def over(self, us: PartyConfig) -> PartyConfig:
        """Return our configuration with the practice room added."""
        return replace(us, rooms=(*us.rooms, self.room))

    def is_friend(self, bot: str, party: AnnouncedParty) -> bool:
        """Whether that is the practice peer."""
        return (bot, party.id, party.key) == (self.bot, PRACTICE, self.key)


def may_be_believed(practice: Practice | None, room: str, bot: str, party: AnnouncedParty) -> bool:
    """Whether an announced party may be accepted in that room: the practice peer in its own only, nobody else there."""
    if practice is None:
        return party.id != PRACTICE
    if room == practice.room:
        return practice.is_friend(bot, party)
    return party.id != PRACTICE and party.key != practice.key


def may_move(practice: Practice | None, peer: str, part: int) -> bool:
    """Whether that part of ours may move to or from this party: practice parts only with the practice peer."""
    made = practice.parts if practice else ()
    return (part in made) == (peer == PRACTICE)


NO_CARE = Care()
USUAL_ROTA = RotaPolicy()
USUAL_STEPS = OverdueSteps()


@dataclass(frozen=True)
class PartyConfig:
    """Our own party, as configured; `name` is its label (`names`).

    `people` maps Matrix ids to InvenTree user names; `admins` may also invite the bot. `key` is the public half of our
    signing key (hex), which peers pin. Times of day are in `time_zone` (IANA name), as is `stats_schedule` (cron, read
    by `engine.schedule`, as is `reconcile_at`). `look_every`: how often our own health is checked (InvenTree's version,
    our tokens); None: never. `tells_prices`: purchase prices are sent along. `largest_file`: files of at most so many
    bytes are sent and accepted (0: none). `tells_pictures`: peers who search on a page see the pictures of parts that
    we share. `inventory_api` is the address at which the bot calls our InvenTree, `inventory_url` the one for people;
    often both are the same. `pages_url`: the address of our pages; "" if there are none. `screen_shows`: the sections
    of a wall screen.
    """

    party: str
    name: str
    bot: str
    key: str
    people: dict[str, str] = field(default_factory=dict)
    admins: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    admin_room: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    discoverable: bool = True
    peer_access: str = "relayed"
    pickup: Pickup = NO_PICKUP
    inventory_url: str = ""
    inventory_api: str = ""
    private_peers: tuple[str, ...] = ()
    has_admin_token: bool = False
    self_approval: bool = False
    care: Care = NO_CARE
    lending: tuple[LendingRule, ...] = ()
    lending_from_inventree: bool = False
    rota: RotaPolicy = USUAL_ROTA
    overdue: OverdueSteps = USUAL_STEPS
    grace: timedelta = timedelta(seconds=5)
    request_open_for: timedelta = timedelta(days=7)
    parcel_reminder: timedelta = timedelta(days=7)
    pickup_window: timedelta = timedelta(days=2)
    agenda: bool = False
    line_too_old_after: timedelta = timedelta(minutes=15)
    quiet_from: time = time(22)
    quiet_until: time = time(8)
    disclose_in_room: tuple[str, ...] = ("stats", "find")
    tells_prices: bool = False
    tells_pictures: bool = True
    largest_file: int = 10_000_000
    stats_disclose: tuple[str, ...] = ("parts", "stock_items", "categories", "locations", "shared", "balance")
    stats_schedule: str = ""
    reconcile_at: time | None = None
    look_every: timedelta | None = None
    connects_a_day: int = 5
    connects_a_day_per_peer: int = 2
    questions_an_hour_per_peer: int = 60
    pages_url: str = ""
    pages_session: timedelta = timedelta(days=14)
    screen_shows: tuple[str, ...] = ("borrowed", "lent", "waiting")
    resend_after: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(days=1),
    )

    @property
    def silent_after(self) -> timedelta:
        """The time without an answer after which people read that a peer's bot is silent."""
        pauses = self.resend_after
        return sum((pauses[min(n, len(pauses) - 1)] for n in range(SILENT_AFTER_RESENDS)), timedelta())

    @property
    def looks_at_categories(self) -> bool:
        """Whether `care` or `lending` names categories, so that those of our stock items must be known."""
        return bool(self.care.categories) or any(rule.categories for rule in self.lending)


@dataclass(frozen=True)
class Roster:
    """People added and removed while the bot runs, by a superuser or on the command line; one document.

    `people` and `admins` are like those of the configuration, which wins where both name somebody. `removed` are Matrix
    ids without any permission, although the configuration names them.
    """

    id: str = "roster"
    people: dict[str, str] = field(default_factory=dict)
    admins: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def over(self, configured: PartyConfig) -> PartyConfig:
        """Return the configuration with these people."""
        people = {**configured.people, **{p: u for p, u in self.people.items() if p not in configured.people}}
        admins = dict.fromkeys((*configured.admins, *self.admins))
        return replace(
            configured,
            people={person: user for person, user in people.items() if person not in self.removed},
            admins=tuple(admin for admin in admins if admin not in self.removed),
        )


@dataclass(frozen=True)
class RosterChange:
    """An order to add a person (`adds`) as that InvenTree user (`username`), as admin, or both; or to remove them."""

    adds: bool
    person: str
    username: str = ""
    admin: bool = False
