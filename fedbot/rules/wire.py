"""The wire: canonical JSON, signing and sealing, and the ids and hashes that both sides compute."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey

VERSION = 1
OLDEST_VERSION = 1
"""Protocol versions: the newest and the oldest that this bot speaks. It announces both (`speaks`)."""
OTHER_VERSION = "version"
"""The reason for refusing an envelope of a version that we don't speak."""
LARGEST = 60_000  # bytes; a homeserver refuses an event from about 64,900 on
DEEPEST = 32  # levels of nesting; Python's own JSON gives up at about 1,000, and a peer must not get us there
LARGEST_INTEGER = 2**53 - 1
SEED_BYTES = 32

# Without i, l, o, 0 and 1, because people read ids aloud and type them on phones.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
ID_LENGTH = 20  # of 31 characters: 99 bits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 7_258_118_400_000
"""The latest time (ms) that we believe: the year 2200. Periods that are added to it stay within the calendar."""
_SUBJECT_KINDS = ("connection", "transfer")
_FIELDS = frozenset({"v", "id", "kind", "from", "to", "room", "seq", "terms_hash", "body", "sent_at", "key", "sig"})
_PATTERNS = {
    "id": re.compile(r"[0-9A-Za-z_.-]{1,64}"),
    "kind": re.compile(r"[a-z][a-z0-9_.-]{0,39}"),
    "from": re.compile(r"[a-z0-9][a-z0-9-]{0,30}"),
    "to": re.compile(r"([a-z0-9][a-z0-9-]{0,30})?"),
    "room": re.compile(r"![!-~]{1,254}"),
    "terms_hash": re.compile(r"([0-9a-f]{64})?"),
    # Lower case only: a second spelling of the same bytes would be a second envelope with a valid signature.
    "key": re.compile(r"[0-9a-f]{64}"),
    "sig": re.compile(r"[0-9a-f]{128}"),
    # The form of an id names the kind of its subject (see below), so no field accepts the id of another kind.
    "connection": re.compile(rf"[{ALPHABET}]{{{ID_LENGTH}}}-connection"),
    "transfer": re.compile(rf"[{ALPHABET}]{{{ID_LENGTH}}}-(push|request|return|extension)"),
}


class BadEnvelope(ValueError):
    """The message has no valid envelope. The error contains no secret.

    `reason`: `not-an-object`, `version`, `fields` (missing or unknown ones), `field:NAME` (malformed), `not-canonical`
    (floats, too large integers, lone surrogates), `too-deep`, `too-large`, `key`, `signature` or `sealed`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotCanonical(ValueError):
    """The value has no canonical JSON: a float, an integer beyond 2^53-1 or a key that isn't text."""


# --- canonical JSON ---------------------------------------------------------------------------------------


def is_shallow(value: object) -> bool:
    """Whether JSON data nests at most `DEEPEST` levels. Safe for any data, because it doesn't recurse."""
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        inner: list[object] = []
        for container in level:
            if isinstance(container, dict):
                inner.extend(container.values())
            elif isinstance(container, list | tuple):
                inner.extend(container)
        if not inner:
            return True
        level = inner
    return False


def canonical(value: object) -> bytes:
    """Return Matrix's canonical JSON (specification, appendices): sorted keys, no white space, UTF-8, no floats.

    Raises `NotCanonical` for values that have none. Convert Decimals and datetimes to strings first.
    """
    if not is_shallow(value):
        raise NotCanonical("too deep")
    _check_types(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    try:
        return text.encode()
    except UnicodeEncodeError as problem:
        raise NotCanonical("lone surrogates") from problem


def _check_types(value: object) -> None:
    """Refuse values that `json.dumps` accepts but canonical JSON doesn't."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise NotCanonical("keys must be text")
            _check_types(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_types(inner)
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise NotCanonical("integer beyond 2^53-1")
    elif value is not None and not isinstance(value, str):
        raise NotCanonical(f"{type(value).__name__} has no canonical JSON")


# --- keys -------------------------------------------------------------------------------------------------


class Identity:
    """Our own keys, made from 32 secret bytes. Neither `repr` nor an error shows them."""

    __slots__ = ("_signing", "key")

    def __init__(self, seed: bytes) -> None:
        self._signing = SigningKey(seed)
        self.key: str = self._signing.verify_key.encode().hex()

    def __repr__(self) -> str:
        """Return only the public half."""
        return f"Identity(key={self.key!r})"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied: the seed is only in the identity folder."""
        raise TypeError("an Identity is not to be copied")

    def sign(self, message: bytes) -> str:
        """Return the signature over these bytes, in hex."""
        return self._signing.sign(message).signature.hex()

    def nonce(self, purpose: str) -> str:
        """Return 32 bytes in hex that nobody else can compute.

        The same purpose gives the same, because rules have no randomness.
        """
        return hmac.digest(bytes(self._signing), b"fedbot nonce\0" + purpose.encode(), "sha256").hex()

    def unseal(self, box: bytes) -> bytes:
        """Open a box sealed to our key. Raises `BadEnvelope('sealed')` if it wasn't, or was changed."""
        try:
            return SealedBox(self._signing.to_curve25519_private_key()).decrypt(box)
        except (CryptoError, TypeError, ValueError) as problem:
            raise BadEnvelope("sealed") from problem


def signature_holds(key: str, message: bytes, signature: str) -> bool:
    """Whether `signature` (hex) over `message` was made by the owner of `key` (hex)."""
    if not (_PATTERNS["key"].fullmatch(key) and _PATTERNS["sig"].fullmatch(signature)):
        return False
    try:
        VerifyKey(bytes.fromhex(key)).verify(message, bytes.fromhex(signature))
    except (CryptoError, ValueError):
        return False
    return True


def fingerprint(key: str) -> str:
    """Return a public key in the form that people compare: `k3f9-2mxa-…`, 20 letters and digits in fours."""
    short = short_hash("key", key)
    return "-".join(short[start : start + 4] for start in range(0, ID_LENGTH, 4))


# --- sealing ----------------------------------------------------------------------------------------------


def seal(public_key_hex: str, data: dict[str, Any], *, bound_to: str = "") -> str:
    """Return the data encrypted for the owner of that key, as base64.

    `bound_to` is part of the box, and unsealing requires the same text. Otherwise somebody who reads the room could put
    another party's box into an envelope of their own, and pass its content off as theirs. Use sender and subject, for
    example `alpha k7m2…`. Raises `BadEnvelope('key')` for an invalid key.
    """
    try:
        their_key = VerifyKey(bytes.fromhex(public_key_hex)).to_curve25519_public_key()
    except (CryptoError, TypeError, ValueError) as problem:
        raise BadEnvelope("key") from problem
    box = SealedBox(their_key).encrypt(canonical({"bound_to": bound_to, "data": data}))
    return base64.b64encode(box).decode()


def unseal(identity: Identity, sealed: str, *, bound_to: str = "") -> dict[str, Any]:
    """Return the data in a sealed box. Raises `BadEnvelope('sealed')` if it isn't ours, was changed or moved."""
    try:
        box = base64.b64decode(sealed, validate=True)
    except (binascii.Error, TypeError, ValueError) as problem:
        raise BadEnvelope("sealed") from problem
    if base64.b64encode(box).decode() != sealed:  # base64 has several spellings of one box; we accept one
        raise BadEnvelope("sealed")
    content = _read_canonical(identity.unseal(box))
    if not isinstance(content, dict) or content.get("bound_to") != bound_to:
        raise BadEnvelope("sealed")
    data = content.get("data")
    if not isinstance(data, dict):
        raise BadEnvelope("sealed")
    return data


def _read_canonical(text: bytes) -> object:
    """Return the value of canonical JSON. Raises `BadEnvelope('sealed')` for any other form (floats, double keys)."""
    try:
        value = json.loads(text)
        if canonical(value) == text:
            return value
    except (ValueError, RecursionError) as problem:
        raise BadEnvelope("sealed") from problem
    raise BadEnvelope("sealed")


# --- envelopes --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Envelope:
    """An envelope with valid form and signature. `sender` is `from` on the wire.

    `subject` is the id of a connection or a transfer, as `subject_kind` says; both are empty if it is about neither. An
    empty `to` is for everybody. `sent_at` is by the sender's clock. `raw_body` is the body as received; rules read it
    once it is parsed (`protocol/bodies`).
    """

    v: int
    id: str
    kind: str
    sender: str
    to: str
    room: str
    subject: str
    subject_kind: str
    seq: int
    terms_hash: str
    raw_body: dict[str, Any]
    sent_at: datetime
    key: str
    sig: str

    def wire(self) -> dict[str, Any]:
        """Return the content under `dev.fedbot`, exactly as received."""
        content: dict[str, Any] = {
            "v": self.v,
            "id": self.id,
            "kind": self.kind,
            "from": self.sender,
            "to": self.to,
            "room": self.room,
            "seq": self.seq,
            "terms_hash": self.terms_hash,
            "body": self.raw_body,
            "sent_at": wire_time(self.sent_at),
            "key": self.key,
            "sig": self.sig,
        }
        return content | ({self.subject_kind: self.subject} if self.subject_kind else {})


def wire_time(moment: datetime) -> int:
    """Return milliseconds since 1970, like Matrix's own times. Raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone can't go on the wire")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def common_version(speaks: tuple[int, int]) -> int | None:
    """Return the newest version that we share with a bot that speaks that range; None if none."""
    newest = min(VERSION, speaks[1])
    return newest if newest >= max(OLDEST_VERSION, speaks[0]) else None


def sign(identity: Identity, unsigned: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope to send: the given wire fields, completed with `v` and `key`, signed.

    `unsigned` has every field of the envelope except `v`, `key` and `sig`; `sent_at` may be a datetime. Raises
    `BadEnvelope` if a peer would refuse it (for example too large: then split it into pages).
    """
    content = {**unsigned, "v": VERSION, "key": identity.key}
    content.pop("sig", None)
    if isinstance(content.get("sent_at"), datetime):
        content["sent_at"] = wire_time(content["sent_at"])
    try:
        content["sig"] = identity.sign(canonical(content))
    except NotCanonical as problem:
        raise BadEnvelope("not-canonical") from problem
    return check(content).wire()


def check(raw: object) -> Envelope:
    """Return the envelope, if its form and its signature are valid. Raises `BadEnvelope`; never anything else.

    An unknown version is reported as such, whatever else is wrong.
    """
    if not isinstance(raw, dict):
        raise BadEnvelope("not-an-object")
    version = raw.get("v")
    if type(version) is not int or not OLDEST_VERSION <= version <= VERSION:
        raise BadEnvelope(OTHER_VERSION)
    if not is_shallow(raw):
        raise BadEnvelope("too-deep")
    subject_kind = _check_fields(raw)
    unsigned = {name: value for name, value in raw.items() if name != "sig"}
    try:
        size, message = len(canonical(raw)), canonical(unsigned)
    except NotCanonical as problem:
        raise BadEnvelope("not-canonical") from problem
    if size > LARGEST:
        raise BadEnvelope("too-large")
    if not signature_holds(raw["key"], message, raw["sig"]):
        raise BadEnvelope("signature")
    return Envelope(
        v=version,
        id=raw["id"],
        kind=raw["kind"],
        sender=raw["from"],
        to=raw["to"],
        room=raw["room"],
        subject=raw[subject_kind] if subject_kind else "",
        subject_kind=subject_kind,
        seq=raw["seq"],
        terms_hash=raw["terms_hash"],
        raw_body=raw["body"],
        sent_at=_EPOCH + timedelta(milliseconds=raw["sent_at"]),
        key=raw["key"],
        sig=raw["sig"],
    )


def _check_fields(raw: dict[str, Any]) -> str:
    """Refuse missing, unknown and malformed fields. Return the kind of the subject, or ''."""
    subject_kinds = [name for name in _SUBJECT_KINDS if name in raw]
    if len(subject_kinds) > 1 or raw.keys() - set(subject_kinds) != _FIELDS:
        raise BadEnvelope("fields")
    for name, pattern in _PATTERNS.items():
        if name in raw and not (isinstance(raw[name], str) and pattern.fullmatch(raw[name])):
            raise BadEnvelope(f"field:{name}")
    # type(…) is int: a bool is an int in Python, and True would pass for 1
    limits: dict[str, Callable[[Any], bool]] = {
        "seq": lambda value: type(value) is int and 0 <= value <= LARGEST_INTEGER,
        "sent_at": lambda value: type(value) is int and 0 <= value <= LATEST,
        "body": lambda value: isinstance(value, dict),
    }
    for name, fits in limits.items():
        if not fits(raw[name]):
            raise BadEnvelope(f"field:{name}")
    return subject_kinds[0] if subject_kinds else ""


# --- announcements ----------------------------------------------------------------------------------------


def sign_announcement(identity: Identity, bot: str, room: str, content: dict[str, Any]) -> dict[str, Any]:
    """Sign each party of the announcement of `bot` in `room`. Each party already has its time (`at`, ms).

    Raises `BadEnvelope('not-canonical')`.
    """
    parties = [entry | {"sig": _signature(identity, bot, room, entry)} for entry in content["parties"]]
    return {**content, "parties": parties}


def _signature(identity: Identity, bot: str, room: str, entry: dict[str, Any]) -> str:
    try:
        return identity.sign(_announced(bot, room, entry))
    except NotCanonical as problem:
        raise BadEnvelope("not-canonical") from problem


def announcement_holds(bot: str, room: str, entry: dict[str, Any]) -> bool:
    """Whether the owner of the key in this entry has signed it, for this account in this room."""
    key, signature = entry.get("key"), entry.get("sig")
    if not (isinstance(key, str) and isinstance(signature, str)):
        return False
    try:
        message = _announced(bot, room, {name: value for name, value in entry.items() if name != "sig"})
    except NotCanonical:
        return False
    return signature_holds(key, message, signature)


def _announced(bot: str, room: str, entry: dict[str, Any]) -> bytes:
    """Return the signed bytes. They hold a list, so nobody can take them for an envelope, which is an object."""
    return canonical(["fedbot", "announcement", bot, room, entry])


# --- ids and hashes ---------------------------------------------------------------------------------------


def _digest(purpose: str, *parts: object) -> bytes:
    """Return SHA-256 over canonical JSON, so that parts can't run into each other and purposes can't collide."""
    return hashlib.sha256(canonical(["fedbot", purpose, *parts])).digest()


def short_hash(purpose: str, *parts: object) -> str:
    """Return 20 characters of the hash over these parts, in the domain of that purpose. Raises `NotCanonical`."""
    number = int.from_bytes(_digest(purpose, *parts))
    letters = []
    for _ in range(ID_LENGTH):
        number, letter = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(letters)


def terms_hash(terms: dict[str, Any]) -> str:
    """Return the hash of the frozen terms, in hex, to which a decision is bound. Raises `NotCanonical` for floats."""
    return _digest("terms", terms).hex()


def key_commitment(connection: str, key: str, nonce: str) -> str:
    """Return a commitment to a nonce, to be sent before the nonce. Nobody can find another nonce for it."""
    return _digest("key-commitment", connection, key, nonce).hex()


def short_string(connection: str, *ends: tuple[str, str]) -> tuple[int, ...]:
    """Return seven numbers below 64, equal on both sides if both know the same keys. `ends` are (key, nonce) of each.

    42 bits are enough, because neither side can try again after it has learned the other's nonce.
    """
    number = int.from_bytes(_digest("short-string", connection, sorted(ends))[:6]) >> 6
    return tuple(number >> shift & 63 for shift in range(36, -1, -6))


def shown_hash(kind: str, shown: dict[str, Any]) -> str:
    """Return the hash of the content of a card of that kind, in hex. Raises `NotCanonical` for floats."""
    return _digest("card", kind, shown).hex()


VOLATILE = frozenset({"seen", "past", "awaits", "sealed", "token"})
"""Fields that change whenever a message is sent or sealed. The hash of the common past leaves them out."""
EMPTIED = frozenset({"credentials", "renewed", "seen"})
"""Kinds that are sent empty once their token is gone. They count as one kind in the common past."""


def past_with(past: str, kind: str, number: int, terms: str, body: dict[str, Any]) -> str:
    """Return the hash of one side's messages about a subject, including this one; `past` is that of those before it."""
    if kind in EMPTIED:
        return _digest("past", past, "", number, terms, {}).hex()
    lasting = {name: value for name, value in body.items() if name not in VOLATILE}
    return _digest("past", past, kind, number, terms, lasting).hex()


def search_id(asking_event: str) -> str:
    """Return a search's id, derived from the Matrix event that asked for it."""
    return short_hash("search", asking_event)


def envelope_id(sender: str, subject: str, number: int) -> str:
    """Return an envelope's id: the same whenever the message with that number about that subject is sent again."""
    return short_hash("envelope", sender, subject, number)


def transaction_id(journal_id: str, cause: int | str, purpose: str, attempt: int) -> str:
    """Return a Matrix transaction id: the same at each retry of one send, new whenever a message is sent again.

    A homeserver answers a used id silently with the old event, even if type and content differ.
    """
    return _digest("transaction", journal_id, cause, purpose, attempt).hex()[:40]


# --- The ids of connections and transfers: typed, and computed from who opened the subject, where and why.

HIGHEST_NUMBER = 1_000_000
BY_PAGE, BY_API = "page-", "api-"
"""The prefixes of the event ids of lines from pages and from the API, which aren't Matrix events."""
_WORD = re.compile(r"[!-~]{1,255}")


class SubjectKind(StrEnum):
    """The kinds of subject that an id can name. Each has its own domain in the hash."""

    CONNECTION = "connection"
    PUSH = "push"
    REQUEST = "request"
    RETURN = "return"
    EXTENSION = "extension"
    WAIT = "wait"
    """A place in a waiting list."""


_FORM = re.compile(rf"[{ALPHABET}]{{{ID_LENGTH}}}-(?P<kind>{'|'.join(SubjectKind)})")


class CauseKind(StrEnum):
    """The kinds of cause for opening a subject."""

    LINE = "line"
    """A person's line: `word` is its Matrix event id, `number` counts the subjects that it opened."""
    KEY = "key"
    """A program's call: `word` is its idempotency key."""
    TIMER = "timer"
    """The clock: `word` is the name of the journaled timer, `number` counts its runs."""


@dataclass(frozen=True)
class Cause:
    """Why a subject was opened. One cause opens at most one subject of each kind."""

    kind: CauseKind
    word: str
    number: int = 1


@dataclass(frozen=True)
class Opening:
    """The opener, room and cause of a subject when it was opened. A later key or room never changes the id.

    `key` is the opener's public key in hex, `room` the Matrix room id.
    """

    key: str
    room: str
    cause: Cause


def is_off_chat(event_id: str) -> bool:
    """Whether the event id is that of a line from a page or the API, which no room knows."""
    return event_id.startswith((BY_PAGE, BY_API))


def by_line(event_id: str, number: int = 1) -> Cause:
    """Return the cause of a subject that a person's line opens."""
    return Cause(CauseKind.KEY if is_off_chat(event_id) else CauseKind.LINE, event_id, number)


def connection_id(key_a: str, key_b: str, room: str, generation: int) -> str:
    """Return a connection's id. It doesn't depend on which party asks, so two that ask at once make one connection."""
    return _named(SubjectKind.CONNECTION, sorted((key_a, key_b)), room, generation)


def opened_id(kind: SubjectKind, opening: Opening) -> str:
    """Return the id of a transfer of that kind, or of a place in a waiting list."""
    cause = opening.cause
    return _named(kind, opening.key, opening.room, [cause.kind.value, cause.word, cause.number])


def _named(kind: SubjectKind, *parts: object) -> str:
    return f"{short_hash(kind.value, *parts)}-{kind.value}"


def kind_of(identifier: str) -> SubjectKind | None:
    """Return the kind of subject that an id names; None if it isn't one."""
    form = _FORM.fullmatch(identifier)
    return SubjectKind(form["kind"]) if form else None


def opening_json(opening: Opening) -> dict[str, Any]:
    """Return the opening as the first protocol message carries it."""
    cause = {"kind": opening.cause.kind.value, "word": opening.cause.word, "number": opening.cause.number}
    return {"key": opening.key, "room": opening.room, "cause": cause}


def parse_opening(value: object) -> Opening | None:
    """Return the opening that a peer's message carries; None if it isn't valid."""
    if not isinstance(value, dict) or not isinstance(value.get("cause"), dict):
        return None
    cause = _cause_in(value["cause"])
    key, room = value.get("key"), value.get("room")
    if cause is None or not isinstance(key, str) or not isinstance(room, str):
        return None
    is_valid = _PATTERNS["key"].fullmatch(key) and _PATTERNS["room"].fullmatch(room)
    return Opening(key, room, cause) if is_valid else None


def _cause_in(value: dict[str, Any]) -> Cause | None:
    kind, word, number = value.get("kind"), value.get("word"), value.get("number")
    if not isinstance(kind, str) or kind not in set(CauseKind) or not isinstance(word, str):
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= HIGHEST_NUMBER:
        return None
    return Cause(CauseKind(kind), word, number) if _WORD.fullmatch(word) else None


@dataclass(frozen=True)
class Draft:
    """An envelope before it is signed: the runner adds version, id, room, key, time and signature.

    `sealed` goes into the body, sealed to `sealed_to` (the peer's key, hex); `secrets` maps a body field to a vault
    reference, whose content is sealed in the same way and is never in the journal. `number` is `seq`.
    """

    kind: str
    to: str
    subject: str
    subject_kind: str
    number: int
    body: dict[str, Any] = field(default_factory=dict)
    terms_hash: str = ""
    sealed: dict[str, Any] = field(default_factory=dict)
    sealed_to: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
