"""Types of single values in the settings: ids, addresses, times of day, files, numbers, cron schedules."""

from __future__ import annotations

import ipaddress
import re
import ssl
import unicodedata
import zoneinfo
from datetime import UTC, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import certifi
from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from fedbot.config.problems import nearest, write_instead
from fedbot.rules.model.party_config import PRACTICE

FIELDS = 5
SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def trigger(expression: str, time_zone: str) -> CronTrigger:
    """The trigger for a cron `expression` in `time_zone` (IANA name). Raises `ValueError` with the mistake."""
    fields = expression.split()
    if len(fields) != FIELDS:
        raise ValueError(f"{len(fields)} fields instead of {FIELDS}")
    minute, hour, day, month, weekday = fields
    found = CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=",".join(_weekdays(part) for part in weekday.lower().split(",")),
        timezone=time_zone,
    )
    if found.get_next_fire_time(None, SOME_DAY) is None:
        raise ValueError("there is no such day")
    return found


def _weekdays(part: str) -> str:
    """One part of cron's weekday field with names of days, because programs disagree on the numbers."""
    days, slash, step = part.partition("/")
    if days == "*":
        return part if not slash else _named(0, 6, step)
    first, dash, last = days.partition("-")
    start = _number(first)
    end = _number(last) if dash else start
    if not dash and slash:
        raise ValueError(f"{part!r}: a step needs a range, as in 1-5/2")
    # fri-mon continues past the end of the week
    return _named(start, end if end >= start else end + len(_WEEKDAYS), step if slash else "1")


def _named(start: int, end: int, step: str) -> str:
    if not step.isdecimal() or int(step) == 0:
        raise ValueError(f"{step!r} isn't a step")
    return ",".join(_WEEKDAYS[number % len(_WEEKDAYS)] for number in range(start, end + 1, int(step)))


def _number(day: str) -> int:
    if day in _WEEKDAYS:
        return _WEEKDAYS.index(day)
    if day.isdecimal() and int(day) <= len(_WEEKDAYS):
        return int(day)
    raise ValueError(f"{day!r} isn't a weekday")


LONGEST_NAME = 60
A_YEAR = 365 * 24 * 60  # in minutes; dates beyond the calendar's end can't be computed
# Words of the verbs' own grammar: `push #42 to beta`, `stats all`; and the pretend friend's id.
_TAKEN_IDS = frozenset({"all", "to", "from", "for", "of", "with", "until", PRACTICE})
_PARTY_ID = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
# Matrix spec, appendix "User identifiers"; historical ids may contain other printable characters.
_MATRIX_ID = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\-:\[\]]+")
# Ids of room version 12 have no server.
_ROOM_ID = re.compile(r"![!-9;-~]+(:[A-Za-z0-9.\-:\[\]]+)?")
_ROOM_ALIAS = re.compile(r"#[^\s:]+:[A-Za-z0-9.\-:\[\]]+")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _party_id(value: str) -> str:
    if value in _TAKEN_IDS:
        raise write_instead("that is a word of the chat commands; choose another id, it is the word people type")
    if not _PARTY_ID.fullmatch(value):
        example = _slug(value)
        example = example if _PARTY_ID.fullmatch(example) and example not in _TAKEN_IDS else "attraktor"
        raise write_instead(f"use lowercase letters, digits and -, beginning with a letter, for example {example}")
    return value


def _slug(name: str) -> str:
    """The name in lowercase letters, digits and -."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].strip("-")


def name_and_id(said: str, party: str = "") -> tuple[str, str]:
    """The name and id in `Attraktor e.V.` or `Attraktor e.V. = attraktor`.

    Without an id it is `party`, or else derived from the name. Raises ValueError with what to write instead.
    """
    name, _, word = said.partition("=")
    name = _name(name)
    return name, _party_id(word.strip() or party or _slug(_LEGAL_FORM.sub("", name)) or name)


_LEGAL_FORM = re.compile(r"[\s,]+(e\.?\s?V\.?|g?GmbH|gUG|UG|Verein|Inc\.?|Ltd\.?|CIC|vzw|asbl)$", re.IGNORECASE)


def _name(value: str) -> str:
    value = value.strip()
    if not value or len(value) > LONGEST_NAME or not value.isprintable():
        raise write_instead(f"write a name of at most {LONGEST_NAME} characters, for example Attraktor e.V.")
    return value


def _filled(value: str) -> str:
    value = value.strip()
    if not value:
        raise write_instead("write something here; it must not be empty")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise write_instead("write the two letters of a language, for example en")
    return value


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        meant = nearest(value, zoneinfo.available_timezones()) or "Europe/Berlin"
        raise write_instead(f"write a time zone by area and city, for example {meant}") from error
    return value


def _matrix_id(value: str) -> str:
    if not _MATRIX_ID.fullmatch(value):
        raise write_instead("write a Matrix id in quotes, for example '@anna:example.org'")
    return value


def _room(value: str) -> str:
    if value.startswith("!replace-with-"):
        raise write_instead("that stands in for your own room: write its id (in Element: room settings, Advanced)")
    if not (_ROOM_ID.fullmatch(value) or _ROOM_ALIAS.fullmatch(value)):
        raise write_instead("write a room's id or address in quotes, for example '!abcdef' or '#lending:example.org'")
    return value


def _room_or_none(value: str) -> str:
    return _room(value) if value else value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port, or half an IPv6 address
        whole = False
    if not whole or not value.isprintable() or " " in value:
        example = value if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/\S*)?", value) else "inventree.example.org"
        raise write_instead(f"write the whole address, for example https://{example}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise write_instead("write the address only, without user, password, ? or #")
    return value.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine, so nothing sent to it leaves the machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusting(authority: Path | None, *, public: bool) -> ssl.SSLContext:
    """A TLS context that trusts this CA file, and with `public` the system's CAs and certifi's too.

    All connections share it, because each takes about a megabyte; a changed file makes a new one. Raises OSError, also
    for a file that is no certificate.
    """
    return _trusting(authority, authority.stat().st_mtime_ns if authority else 0, public=public)


@lru_cache(maxsize=16)
def _trusting(authority: Path | None, written_at: int, *, public: bool) -> ssl.SSLContext:
    del written_at
    context = ssl.create_default_context(cafile=None if public else authority)
    if public:
        context.load_verify_locations(certifi.where())  # a slim container has no CAs of its own
        if authority:
            context.load_verify_locations(authority)
    return context


def _listen(value: str) -> str:
    if not value:
        return value
    host, _, port = value.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        fits = 0 < int(port) < 2**16
    except ValueError:
        fits = False
    if not fits:
        raise write_instead("write an IP address and a port in quotes, for example '127.0.0.1:8321'")
    return value


def _time_of_day(value: object) -> time:
    if isinstance(value, time):
        return value
    found = _TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise write_instead("write a time of day, for example 22:00")
    return time(int(found[1]), int(found[2]))


def _cron(value: str) -> str:
    if value:
        try:
            trigger(value, "UTC")
        except ValueError as error:
            raise write_instead(
                f"{error}; write minute, hour, day, month and weekday, for example '0 9 * * mon'"
            ) from error
    return value


def _path(value: Path, info: ValidationInfo) -> Path:
    """Resolve a relative path from the settings file's folder, not from where the bot is started."""
    if "\0" in str(value):
        raise write_instead("it contains a character that no path can have; type it again")
    folder: Path = (info.context or {}).get("folder", Path())
    try:
        return folder / value.expanduser()
    except RuntimeError as error:  # a user without a home, as in a container
        raise write_instead("~ leads nowhere here; write the whole path") from error


def _existing_file(value: Path) -> Path:
    if not value.is_file():
        raise write_instead("there is no such file; write the path of one, or leave out the setting")
    return value


def _database_url(value: str) -> str:
    example = "postgresql://fedbot@db.example.org/fedbot"
    try:
        parts = urlsplit(value)
        password, query = parts.password, parse_qs(parts.query)
    except ValueError as error:
        raise write_instead(f"write an address such as {example}") from error
    if parts.scheme not in ("postgresql", "postgres") or not value.isprintable() or " " in value:
        raise write_instead(f"write an address such as {example}")
    if password is not None or "password" in query:
        raise write_instead(f"leave out the password, as in {example}, and write it into a file: password_file")
    return value


def _no_truth(value: object) -> object:
    # Python treats true as 1, so `grace_seconds: true` would be one second
    if isinstance(value, bool):
        raise write_instead("write a number, for example 5")
    return value


PartyId = Annotated[str, AfterValidator(_party_id)]
Name = Annotated[str, AfterValidator(_name)]
Filled = Annotated[str, AfterValidator(_filled)]
Language = Annotated[str, AfterValidator(_language)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
MatrixId = Annotated[str, AfterValidator(_matrix_id)]
Room = Annotated[str, AfterValidator(_room)]
RoomOrNone = Annotated[str, AfterValidator(_room_or_none)]
Url = Annotated[str, AfterValidator(_url)]
UrlOrNone = Annotated[str, AfterValidator(lambda value: _url(value) if value else value)]
DatabaseUrl = Annotated[str, AfterValidator(lambda value: _database_url(value) if value else value)]
Listen = Annotated[str, AfterValidator(_listen)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Cron = Annotated[str, AfterValidator(_cron)]
FilePath = Annotated[Path, AfterValidator(_path)]
ExistingFile = Annotated[Path, AfterValidator(_path), AfterValidator(_existing_file)]
Seconds = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, le=A_YEAR * 60, allow_inf_nan=False)]
Minutes = Annotated[float, BeforeValidator(_no_truth), Field(gt=0, le=A_YEAR, allow_inf_nan=False)]
Hours = Annotated[float, BeforeValidator(_no_truth), Field(gt=0, le=A_YEAR / 60, allow_inf_nan=False)]
Days = Annotated[int, BeforeValidator(_no_truth), Field(ge=1)]
Count = Annotated[int, BeforeValidator(_no_truth), Field(ge=0)]
