"""All settings of a bot: their meaning and their defaults.

docs/configuration.md and the example repeat each field's `description`; a test compares them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from fedbot.config.problems import Problem, write_instead
from fedbot.config.values import (
    Count,
    Cron,
    DatabaseUrl,
    Days,
    ExistingFile,
    FilePath,
    Filled,
    Hours,
    Language,
    Listen,
    MatrixId,
    Minutes,
    Name,
    PartyId,
    Room,
    RoomOrNone,
    Seconds,
    TimeOfDay,
    TimeZone,
    Url,
    UrlOrNone,
    is_loopback,
)
from fedbot.rules.model.care import Care
from fedbot.rules.model.decision import LONGEST_PICKUP, Pickup
from fedbot.rules.model.from_anyone import Order, RotaPolicy
from fedbot.rules.model.lending import (
    LONGEST_LOAN,
    LONGEST_RULE_TEXT,
    MOST_EXTENSIONS,
    MOST_RULES,
    LendingRule,
    OverdueSteps,
    strictest,
)
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import LARGEST_FILE
from fedbot.rules.names import of_party
from fedbot.rules.protocol.terms import MOST_OPEN_DAYS

# A Unix socket's path may have 108 bytes on Linux, 104 elsewhere, including its final zero.
LONGEST_SOCKET_PATH = 103
SEALING_KEY_DIGITS = 64
HEALTH_SOCKET = "fedbot.sock"
LONGEST_STATE_PATH = LONGEST_SOCKET_PATH - len(HEALTH_SOCKET) - 1
RECONCILE_AT = time(3, 30)
MEGABYTE = 1_000_000


class Section(BaseModel):
    """A section of the settings: frozen, without unknown settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


PickupText = Annotated[str, Field(max_length=LONGEST_PICKUP)]


class PickupHere(Section):
    """Information for people of other spaces who fetch something here. Everybody in the shared room reads it."""

    where: PickupText = Field("", description="where people pick things up: an address, a room")
    hours: PickupText = Field("", description="when somebody is there: Tuesdays 19–22")
    call: PickupText = Field("", description="whom to call or write to, and how")


class Party(Section):
    """Our own space."""

    id: PartyId = Field(description="the word by which people call this space, as in `to attraktor`")
    name: Name = Field(description="the space's name as people read it")
    language: Language = Field(
        "en", description="the language of the bot's cards and answers: en or de; with de, German verbs work too"
    )
    time_zone: TimeZone = Field("UTC", description="IANA name; dates, quiet hours and schedules are in it")
    discoverable: bool = Field(default=True, description="whether the bot announces the space in its rooms")
    peer_access: Literal["relayed", "direct"] = Field(
        "relayed",
        description="relayed: our bot answers what a peer asks about our stock; direct: the peer gets a token that "
        "reads our InvenTree",
    )
    pickup: PickupHere = PickupHere()


class Matrix(Section):
    """The bot's Matrix account: its password, or an access token."""

    homeserver: Url = Field(description="address of the homeserver's client API")
    user: MatrixId = Field(description="the bot's own Matrix id")
    password: SecretStr | None = Field(None, description="its password; the token that it gives is kept")
    password_file: FilePath | None = Field(None, description="file that holds the password")
    access_token: SecretStr | None = Field(None, description="an access token instead of the password")
    access_token_file: FilePath | None = Field(None, description="file that holds the access token")
    ca_file: ExistingFile | None = Field(
        None, description="certificate authority of your homeserver, if you made it yourself"
    )
    device_name: Name = Field("fedbot", description="name of the bot's session in the account's settings")


class InvenTree(Section):
    """Our own InvenTree, and the places in it."""

    url: Url = Field(description="address of the server, as in the browser")
    public_url: UrlOrNone = Field(
        "", description="address under which friends reach it (`peer_access: direct`); empty: the same as `url`"
    )
    private_peers: list[str] = Field(
        default_factory=list,
        description="ids of friends whose InvenTree may be at a private address (`peer_access: direct`)",
    )
    token: SecretStr = Field(description="token of the bot's own user, with the fewest roles that it needs")
    token_file: FilePath | None = Field(None, description="file that holds the token")
    admin_token: SecretStr | None = Field(
        None, description="a superuser's token, only for connecting, disconnecting and rotating tokens"
    )
    admin_token_file: FilePath | None = Field(None, description="file that holds the superuser's token")
    approvers_group: str = Field(
        "", description="group whose active members may approve; empty: users who may add stock"
    )
    outgoing: Filled = Field("Outgoing", description="location (path or number) of stock on its way out")
    incoming: Filled = Field("Incoming", description="location (path or number) of stock that has just arrived")
    destination: str = Field(
        "", description="location for received items if neither part nor category has one; empty: they stay"
    )
    new_parts: bool = Field(
        default=True,
        description="whether a transfer may create a part that we don't have; the bot's user needs part: add for it",
    )
    new_part_category: str = Field(
        "", description="category (path or number) for such parts; empty: outside of all categories (API 202 and newer)"
    )
    taken_serial: str = Field(
        "{serial}-{space}",
        max_length=60,
        pattern=r"^[^{}\s,~]*(\{serial\}[^{}\s,~]*\{space\}|\{space\}[^{}\s,~]*\{serial\})[^{}\s,~]*$",
        description="serial number of a received item if its own is taken here; {serial} is its own, {space} the "
        "sender's id",
    )
    ca_file: ExistingFile | None = Field(
        None, description="certificate authority of your server, if you made it yourself"
    )
    timeout_seconds: Seconds = Field(20.0, gt=0, description="how long one call to InvenTree may take")
    accept_api: Count = Field(0, description="newer API version that fedbot may write to, although it doesn't know it")


class Rules(Section):
    """The bot's waiting times, and its strictness."""

    grace_seconds: Seconds = Field(5.0, le=300, description="time in which a person can withdraw a decision")
    request_open_days: Days = Field(
        7, le=MOST_OPEN_DAYS, description="how long a request waits for its decision; peers refuse more than 62 days"
    )
    parcel_reminder_days: Days = Field(
        7, le=365, description="after this many days the bot asks whether a parcel has arrived"
    )
    pickup_days: Days = Field(
        2,
        ge=1,
        le=60,
        description=(
            "after this many days, the first included, a booking or a reservation for the first in line lapses"
        ),
    )
    lending_from_inventree: bool = Field(
        default=False,
        description=(
            "whether the bot also reads lending rules from the metadata of parts, categories and locations (key"
            " `fedbot_lending`)"
        ),
    )
    agenda: bool = Field(
        default=False,
        description="whether the bot posts pick-ups and returns of today and tomorrow in each room every morning",
    )
    pinned_approvers: tuple[Filled, ...] = Field(
        (),
        description="only these InvenTree users may approve, and only if InvenTree says so too; required below API "
        "472, where any account can give itself permissions. Empty from 472 on: InvenTree alone says "
        "who may",
    )
    pinned_superusers: tuple[Filled, ...] = Field(
        (), description="the same for what needs a superuser (connect, disconnect, review, …); they may approve too"
    )
    self_approval: bool = Field(default=False, description="whether the person who asked may also approve")
    line_too_old_minutes: Minutes = Field(15.0, description="the bot ignores older lines of chat")
    settle_seconds: Seconds = Field(
        120.0,
        description="how long a request without an answer may still be carried out; the bot repeats it only after that",
    )
    give_up_minutes: Minutes = Field(
        15.0,
        description="after this time without a known outcome the bot repeats nothing, and a person decides",
    )
    connects_a_day: Count = Field(5, description="how many requests to connect the bot shows in a day, from all spaces")
    connects_a_day_per_peer: Count = Field(2, description="the same, from one space")
    questions_an_hour_per_peer: Count = Field(
        60,
        description="how many searches, figures, requests and comparisons of books (of each) one space may ask for "
        "in an hour, and how many searches one person",
    )
    quiet_from: TimeOfDay = Field(time(22), description="no reminder from this time of day")
    quiet_until: TimeOfDay = Field(time(8), description="until this time of day")
    resend_seconds: tuple[Seconds, ...] = Field(
        (60.0, 600.0, 3600.0, 86400.0),
        min_length=1,
        description="waits between re-sendings to a silent peer; the last one repeats",
    )

    @model_validator(mode="after")
    def _waits_fit(self) -> Self:
        if self.settle_seconds >= self.give_up_minutes * 60:
            raise write_instead(
                "settle_seconds must be shorter than give_up_minutes, or the bot never looks for a result"
            )
        if min(self.resend_seconds) < 1:
            raise write_instead("resend_seconds: write 1 second or more")
        return self


class HighValue(Section):
    """High-value stock: one person's approval is not enough for it."""

    from_value: Decimal | None = Field(
        None, gt=0, description="from this total of purchase prices on, two people have to approve; empty: no limit"
    )
    currency: str = Field(
        "", pattern="^([A-Z]{3})?$", description="the currency of these prices, as InvenTree writes it: EUR"
    )
    without_price: Literal["high", "low"] | None = Field(
        None, description="how an item without a purchase price in it counts; required with `from_value`"
    )
    parts: tuple[Filled, ...] = Field(
        (), description="parts for which any quantity needs two people: IPN, name or `part:12`"
    )
    categories: tuple[Filled, ...] = Field((), description="categories, by name or path, with all below them")
    locations: tuple[Filled, ...] = Field((), description="the same for the locations of the stock")
    taken_in: bool = Field(
        default=False, description="whether it applies to friends' offers too; such items have no price here yet"
    )
    typed_code: bool = Field(
        default=True, description="whether one person is enough who types the card's code in an encrypted room"
    )

    @model_validator(mode="after")
    def _says_what_has_no_price(self) -> Self:
        if self.from_value is not None and (self.without_price is None or not self.currency):
            raise write_instead(
                "from_value: say too in which currency, and how an item without a price counts; "
                "for example currency: EUR and without_price: high"
            )
        if self.from_value is None and (self.without_price is not None or self.currency):
            raise write_instead("currency and without_price only count with from_value: write it too, or neither")
        return self

    @property
    def care(self) -> Care:
        """The setting in the rules' form."""
        return Care(
            from_value=self.from_value,
            currency=self.currency,
            is_dear_without_price=self.without_price != "low",
            parts=self.parts,
            categories=self.categories,
            locations=self.locations,
            taken_in=self.taken_in,
            typed_code=self.typed_code,
        )


class LendingSettings(Section):
    """One lending rule. If several apply to a loan, the strictest counts, and all texts are shown."""

    parts: tuple[Filled, ...] = Field((), description="parts that it covers: IPN, name or `part:12`")
    categories: tuple[Filled, ...] = Field((), description="categories, by name or path, with all below them")
    locations: tuple[Filled, ...] = Field(
        (), description="the same for locations. Without parts, categories and locations: everything"
    )
    spaces: tuple[PartyId, ...] | None = Field(
        None, description="ids of the spaces that may borrow it; `[]`: none; left out: all of our friends"
    )
    longest_days: int | None = Field(
        None,
        ge=1,
        le=LONGEST_LOAN,
        description="how many days a loan may last, and by how many each extension prolongs it",
    )
    extensions: int | None = Field(
        None,
        ge=0,
        le=MOST_EXTENSIONS,
        description="how often it may be extended; 0: never; left out: any number of times",
    )
    agree: str = Field(
        "",
        max_length=LONGEST_RULE_TEXT,
        description="text that the borrower agrees to by approving, such as: laser safety briefing needed",
    )
    photo_out: bool = Field(default=False, description="whether the bot asks our people for a photo of what went out")
    photo_back: bool = Field(default=False, description="whether the card asks for a photo at the return")
    two_people: bool = Field(default=False, description="whether two of our approvers have to approve")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.spaces is None and strictest([self.rule]) is None:
            asks = "spaces, longest_days, extensions, agree, photo_out, photo_back or two_people"
            raise write_instead(f"a lending rule has to demand something: write one of {asks}")
        if not self.agree.isprintable():
            raise write_instead("agree: write it in one line")
        return self

    @property
    def rule(self) -> LendingRule:
        """The setting in the rules' form."""
        return LendingRule(
            parts=self.parts,
            categories=self.categories,
            locations=self.locations,
            spaces=self.spaces,
            longest=self.longest_days or 0,
            extensions=self.extensions,
            agree=self.agree.strip(),
            photo_out=self.photo_out,
            photo_back=self.photo_back,
            two_people=self.two_people,
        )


class RotaSettings(Section):
    """The order of friends when somebody requests an item from anyone."""

    order: tuple[Order, ...] = Field(
        tuple(Order),
        description=(
            "the order of friends, most important first: nearest, balance (they have more pieces from you than you from"
            " them, given or lent), rested"
            " (you haven't asked them for longest), most (they have the most). A friend who has enough alone always"
            " comes first"
        ),
    )
    nearest: tuple[PartyId, ...] = Field((), description="ids of spaces, the nearest first; all others come after them")
    wait_hours: Hours = Field(
        24.0,
        description=("after this time without a decision, or without the approved item, the bot asks the next space"),
    )

    @property
    def policy(self) -> RotaPolicy:
        """The setting in the rules' form."""
        return RotaPolicy(self.order, self.nearest, timedelta(hours=self.wait_hours))


class OverdueSettings(Section):
    """Steps if a loan stays overdue, besides the reminders to its borrower."""

    admins_after_days: Count = Field(
        7,
        le=365,
        description="this many days after the due date the bot tells our admins, as lender and as borrower; 0: never",
    )
    stop_after_days: Count = Field(
        21,
        le=365,
        description="this many days after it the bot asks them whether to stop lending to that space; 0: never",
    )

    @property
    def steps(self) -> OverdueSteps:
        """The setting in the rules' form."""
        admins, stop = timedelta(days=self.admins_after_days), timedelta(days=self.stop_after_days)
        return OverdueSteps(admins or None, stop or None)


class Disclose(Section):
    """The information that other spaces may get about our space."""

    room: tuple[Literal["stats", "find"], ...] = Field(
        ("stats", "find"),
        description="data that may appear unencrypted in the room: stats (figures), find (hits in our stock), or `[]`",
    )
    prices: bool = Field(
        default=False, description="whether the purchase price travels with an item that we lend or give, unencrypted"
    )
    pictures: bool = Field(
        default=True,
        description="whether a friend who searches on a page sees the picture of a part that we share; encrypted",
    )


class Files(Section):
    """Files that travel with a stock item, and the image of a part that is created."""

    travel: bool = Field(
        default=True,
        description="whether pictures, PDF and plain text travel with an item, in both directions, encrypted",
    )
    largest_mb: float = Field(
        10, gt=0, le=LARGEST_FILE / MEGABYTE, description="larger files don't travel, and the card says so"
    )

    @property
    def largest(self) -> int:
        """The largest size in bytes; 0: no file travels."""
        return int(self.largest_mb * MEGABYTE) if self.travel else 0


class Stats(Section):
    """Figures: those that friends may read, and when the bot posts them."""

    disclose: tuple[
        Literal["parts", "stock_items", "low_stock", "categories", "locations", "shared", "balance"], ...
    ] = Field(
        ("parts", "stock_items", "categories", "locations", "shared", "balance"),
        description=(
            "figures that friends get: parts, stock_items, low_stock, categories, locations, shared (how long our"
            " sharing list is), balance (give and take)"
        ),
    )
    schedule: Cron = Field("", description="when to post stats, as in crontab; empty: only when asked")


class Retention(Section):
    """The days for which the journal and its backups keep ended records."""

    lines_days: Days = Field(
        7, le=365, description="people's messages to the bot and their reactions; the bot never stores other talk"
    )
    events_days: Days = Field(30, le=365, description="other events: protocol messages, outcomes, room changes")
    messages_days: Days = Field(30, le=365, description="the bot's messages, and its steps in InvenTree")
    event_ids_days: Days = Field(
        60, le=365, description="ids (without content) of events that the bot has read, so that nothing counts twice"
    )
    audit_days: Count = Field(0, le=36500, description="the audit: who did what; 0: for ever")

    @model_validator(mode="after")
    def _ids_outlive_what_they_name(self) -> Self:
        if self.event_ids_days < max(self.lines_days, self.events_days):
            raise write_instead("event_ids_days: write at least as many as lines_days and events_days")
        return self


class JournalSettings(Section):
    """The place of the journal: a file in the state folder, or a PostgreSQL database that several workers share."""

    url: DatabaseUrl = Field(
        "",
        description="address of the database, without a password, as in postgresql://fedbot@db.example.org/fedbot; "
        "empty: the file journal.db in the state folder",
    )
    password: SecretStr | None = Field(None, description="password of the database's user, if it needs one")
    password_file: FilePath | None = Field(None, description="file that holds it")

    sealing_key: SecretStr | None = Field(
        None, description="key by which keys and tokens are sealed in the database: 64 hexadecimal digits"
    )
    sealing_key_file: FilePath | None = Field(
        None, description="file that holds it, on each worker and nowhere else; `openssl rand -hex 32` makes one"
    )

    @model_validator(mode="after")
    def _is_for_a_database(self) -> Self:
        if not self.url and (self.password is not None or self.sealing_key is not None):
            raise write_instead("password and sealing_key only count with url: write it too, or none of them")
        if self.url and self.sealing_key is None:
            raise write_instead("write sealing_key_file too: in the database keys and tokens are sealed by it")
        if self.sealing_key is not None and not _is_key(self.sealing_key.get_secret_value()):
            raise write_instead("a sealing key has 64 hexadecimal digits; `openssl rand -hex 32` makes one")
        return self


class Web(Section):
    """Health and metrics for monitoring."""

    listen: Listen = Field(
        "",
        description="IP address and port of /healthz and /metrics; empty: only a socket in the state folder",
    )


class Pages(Section):
    """Pages and a REST API for people who don't chat."""

    listen: Listen = Field(
        "",
        description="IP address and port of the pages and the API; empty: no pages, no API",
    )
    url: UrlOrNone = Field(
        "", description="their address as people type it, behind your proxy, with its prefix; required with `listen`"
    )
    proxies: tuple[Filled, ...] = Field(
        ("127.0.0.1", "::1"), description="IP addresses of the proxies whose `X-Forwarded-For` the bot believes"
    )
    inventree_login: bool = Field(
        default=False,
        description="whether people may sign in with their InvenTree name and password, and programs with an InvenTree "
        "token; from API 472 on",
    )
    session_days: Days = Field(14, le=90, description="how long a page stays signed in")
    screen: tuple[Literal["borrowed", "lent", "waiting", "people"], ...] = Field(
        ("borrowed", "lent", "waiting"),
        description="contents of a wall screen: borrowed, lent, waiting; people: also who asked",
    )
    calls_a_minute: Count = Field(120, ge=1, le=6000, description="calls that one person or token may make in a minute")

    @model_validator(mode="after")
    def _says_where_it_is(self) -> Self:
        if self.listen and not self.url:
            raise write_instead("write url too: the address at which people open the pages")
        if self.url.startswith("http://") and not is_loopback(self.url):
            raise write_instead("url: write https://; only on this machine itself http:// is enough")
        return self


def _is_key(text: str) -> bool:
    return len(text) == SEALING_KEY_DIGITS and set(text) <= set("0123456789abcdef")


class Log(Section):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is written")
    format: Literal["text", "json"] = Field("text", description="`key=value`, or one JSON object for each line")


def state_folder() -> Path:
    """The state folder if the settings don't name one."""
    return Path(os.environ.get("FEDBOT_STATE", "state"))


Stamp = tuple[int, int, int]
"""A file's modification time, size and inode: if they are the same, it has not changed."""


class Settings(Section):
    """All settings of one bot, checked."""

    party: Party
    matrix: Matrix
    rooms: tuple[Room, ...] = Field(min_length=1, description="rooms that we share with other spaces, by id or address")
    admin_room: RoomOrNone = Field("", description="room for messages that concern only us; best a private one")
    admins: tuple[MatrixId, ...] = Field((), description="who may invite the bot besides `people`")
    people: dict[MatrixId, Filled] = Field(description="Matrix id of each member and their InvenTree user")
    inventree: InvenTree
    rules: Rules = Rules()
    high_value: HighValue = HighValue()
    lending: tuple[LendingSettings, ...] = Field((), max_length=MOST_RULES, description="lending rules, as a list")
    rota: RotaSettings = RotaSettings()
    overdue: OverdueSettings = OverdueSettings()
    disclose: Disclose = Disclose()
    files: Files = Files()
    stats: Stats = Stats()
    journal: JournalSettings = JournalSettings()
    retention: Retention = Retention()
    web: Web = Web()
    pages: Pages = Pages()
    log: Log = Log()
    state: FilePath = Field(
        default_factory=state_folder,
        validate_default=True,
        description="folder of the journal and the keys; `FEDBOT_STATE` gives another default",
    )
    _source: Path = PrivateAttr(Path())
    _stamp: Stamp | None = PrivateAttr(None)
    _warnings: tuple[Problem, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.matrix.user in self.people or self.matrix.user in self.admins:
            raise write_instead(f"people, admins: {self.matrix.user} is the bot itself; list people only")
        if len(set(self.rooms)) < len(self.rooms):
            raise write_instead("rooms: a room is listed twice")
        pinned = (*self.rules.pinned_approvers, *self.rules.pinned_superusers)
        if unknown := sorted(set(pinned) - set(self.people.values())):
            raise write_instead(f"rules: pinned, but no InvenTree user of anybody in people: {', '.join(unknown)}")
        if self.admin_room and self.admin_room in self.rooms:
            raise write_instead("admin_room: it must not be one of the rooms shared with others")
        if len(bytes(self.state.absolute())) > LONGEST_STATE_PATH:
            raise write_instead(
                "state: the folder's path is too long for a socket in it; "
                f"use one of at most {LONGEST_STATE_PATH} characters"
            )
        return self

    @property
    def source(self) -> Path:
        """The file that the settings were read from."""
        return self._source

    @property
    def stamp(self) -> Stamp | None:
        """The stamp of that file before it was read."""
        return self._stamp

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Warnings: settings that work but are unwise, such as secrets in the file."""
        return self._warnings

    def read_from(self, source: Path, stamp: Stamp | None, warnings: tuple[Problem, ...]) -> Self:
        """The settings with their file, its stamp before it was read, and the warnings of `load`."""
        known = self.model_copy()
        known._source = source  # noqa: SLF001 -- a private attribute of our own class, on our own copy
        known._stamp = stamp  # noqa: SLF001
        known._warnings = warnings  # noqa: SLF001
        return known

    def hosted(self, state: Path) -> Self:
        """The settings for a hub's worker, which has its own state folder and answers monitors itself."""
        known = self.model_copy(update={"state": state, "web": Web()})
        return known.read_from(self._source, self._stamp, self._warnings)

    @property
    def health_socket(self) -> Path:
        """The socket on which the running bot answers `fedbot health`."""
        return self.state / HEALTH_SOCKET

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in the settings, only for redacting the log."""
        kept = (
            self.matrix.password,
            self.matrix.access_token,
            self.inventree.token,
            self.inventree.admin_token,
            self.journal.password,
            self.journal.sealing_key,
        )
        return tuple(secret.get_secret_value() for secret in kept if secret is not None)

    def room_ids(self, us: PartyConfig) -> dict[str, str]:
        """The rooms' addresses with their ids, as that configuration was made of these settings."""
        named = zip((*self.rooms, self.admin_room), (*us.rooms, us.admin_room), strict=True)
        return {address: room for address, room in named if address.startswith("#")}

    def party_config(self, bot_key: str, room_ids: Mapping[str, str] | None = None) -> PartyConfig:
        """The settings in the rules' form. `bot_key` is the public signing key (hex).

        `room_ids` maps our rooms' addresses (`#lending:example.org`) to their ids, which only the homeserver knows.
        Rooms without an entry stay as configured.
        """
        ids = room_ids or {}
        return PartyConfig(
            party=self.party.id,
            name=of_party(self.party.name, self.party.id),
            bot=self.matrix.user,
            key=bot_key,
            people=dict(self.people),
            admins=self.admins,
            rooms=tuple(ids.get(room, room) for room in self.rooms),
            admin_room=ids.get(self.admin_room, self.admin_room),
            language=self.party.language,
            time_zone=self.party.time_zone,
            discoverable=self.party.discoverable,
            peer_access=self.party.peer_access,
            pickup=Pickup(self.party.pickup.where, self.party.pickup.hours, self.party.pickup.call),
            inventory_url=self.inventree.public_url or self.inventree.url,
            inventory_api=self.inventree.url,
            private_peers=tuple(self.inventree.private_peers),
            has_admin_token=self.inventree.admin_token is not None,
            self_approval=self.rules.self_approval,
            care=self.high_value.care,
            lending=tuple(rule.rule for rule in self.lending),
            lending_from_inventree=self.rules.lending_from_inventree,
            rota=self.rota.policy,
            overdue=self.overdue.steps,
            grace=timedelta(seconds=self.rules.grace_seconds),
            request_open_for=timedelta(days=self.rules.request_open_days),
            parcel_reminder=timedelta(days=self.rules.parcel_reminder_days),
            pickup_window=timedelta(days=self.rules.pickup_days),
            agenda=self.rules.agenda,
            line_too_old_after=timedelta(minutes=self.rules.line_too_old_minutes),
            quiet_from=self.rules.quiet_from,
            quiet_until=self.rules.quiet_until,
            disclose_in_room=self.disclose.room,
            tells_prices=self.disclose.prices,
            tells_pictures=self.disclose.pictures,
            largest_file=self.files.largest,
            stats_disclose=self.stats.disclose,
            stats_schedule=self.stats.schedule,
            reconcile_at=RECONCILE_AT,
            look_every=timedelta(days=1),
            connects_a_day=self.rules.connects_a_day,
            connects_a_day_per_peer=self.rules.connects_a_day_per_peer,
            questions_an_hour_per_peer=self.rules.questions_an_hour_per_peer,
            pages_url=self.pages.url if self.pages.listen else "",
            pages_session=timedelta(days=self.pages.session_days),
            screen_shows=self.pages.screen,
            resend_after=tuple(timedelta(seconds=wait) for wait in self.rules.resend_seconds),
        )
