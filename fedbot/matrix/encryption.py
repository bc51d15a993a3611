"""Encrypted rooms: the device and its signatures, exchange of keys, and lines that can't be decrypted yet.

Nio's `Olm` does the cryptography and keeps the store. This module decides when to call it, and makes all requests.
Nio's client would do that too, but it considers a room key shared even if sharing failed, it fails on one broken device
among many, and it needs its own picture of rooms, which is wrong for room version 12.

The room keys of a sync are in the store before the sync's token is used again. After a crash before that, the next sync
brings them again; after a later crash, the store has them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any, TypeVar
from uuid import uuid4

import nio
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from fedbot.files import write_whole
from fedbot.logs import keep_secret
from fedbot.matrix.errors import DeviceTaken
from fedbot.matrix.keys import close_machine, open_machine, writing
from fedbot.matrix.login import NioClient
from fedbot.matrix.room import Decrypted, Raw, content_of
from fedbot.matrix.sync import ENVELOPE, ENVELOPE_TYPE
from fedbot.ports.chat import ChatProblem, ChatRefused, ChatSignedOut
from fedbot.ports.vault import File, Folder
from fedbot.rules.wire import canonical

ENCRYPTED = "m.room.encrypted"
ENCRYPTED_TYPES = {"m.room.message", ENVELOPE_TYPE}
"""The types that we encrypt. Matrix has no encrypted reactions, so those aren't, in any room (docs/threat-model.md)."""
_ALLOWED_INSIDE = {*ENCRYPTED_TYPES, "m.reaction"}
"""The types allowed in encrypted content. Not redactions and state: the homeserver couldn't check their permissions."""
_SESSION_DIGITS = 32
_TRY_AGAIN_AFTER = 300.0
"""Seconds until we ask again for keys that we didn't get: the device has none left, or its account's server is down."""
_BROKEN = (
    nio.EncryptionError,
    AssertionError,
    AttributeError,
    KeyError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)
"""The errors that nio and vodozemac raise about content from strangers and broken clients."""

Asked = TypeVar("Asked")
log = logging.getLogger(__name__)


class Cipher:
    """The keys of our device, and encrypting with them. Methods raise `ports.ChatProblem`, as the chat does.

    Every device in the room can read, and nobody has to verify devices. A message counts only if it has its own
    signature (envelopes), or is from an account that the settings name.
    """

    def __init__(self, client: NioClient, folder: Folder) -> None:
        """Open the store in `folder`. Raises the errors of `keys.open_machine`."""
        self._client = client
        self.folder = folder
        self.machine = open_machine(folder, client.user_id, client.device_id)
        self.encrypted_rooms: set[str] = self.machine.store.load_encrypted_rooms()
        self._known: set[str] = set()
        self._changed: set[str] = set()
        self._silent: dict[object, float] = {}
        self._encrypting = asyncio.Lock()

    def close(self) -> None:
        """Close the store."""
        close_machine(self.machine)

    # --- our own keys --------------------------------------------------------------------------------------

    async def publish(self, own: Mapping[str, Any]) -> None:
        """Upload our device's keys unless the homeserver has them; `own`: its answer about our account.

        Raises DeviceTaken if it has others, or if our token belongs to no device.
        """
        if not self._client.device_id:
            raise DeviceTaken("no device")
        account = self.machine.account
        device = own.get("device_keys", {}).get(self._client.user_id, {}).get(self._client.device_id)
        ours = {f"{kind}:{self._client.device_id}": key for kind, key in account.identity_keys.items()}
        if device is not None and device.get("keys") != ours:
            raise DeviceTaken(self._client.device_id)
        account.shared = device is not None
        if not account.shared:
            await self._upload(with_fallback=True)

    async def _upload(self, *, with_fallback: bool = False) -> None:
        """Upload new one-time keys. They are stored first, because after a crash we still need them to read messages.

        A store that is older than the homeserver's knowledge makes keys that exist there already. The homeserver
        refuses those, and this raises DeviceTaken.
        """
        keys = self.machine.share_keys()
        if with_fallback:
            keys["fallback_keys"] = self._fallback_key()
        with writing(self.folder):
            self.machine.save_account()
        try:
            answer = await self._client.ask("uploading keys", "POST", ["keys", "upload"], keys)
        except ChatRefused as problem:
            if "already exists" not in problem.text:
                raise
            raise DeviceTaken(self._client.device_id) from problem
        count = answer.get("one_time_key_counts", {}).get("signed_curve25519", 0)
        with writing(self.folder):
            self.machine.handle_response(nio.KeysUploadResponse(0, count))

    def _fallback_key(self) -> dict[str, Any]:
        """The fallback key, for when all one-time keys are used up."""
        account = self.machine.account._account  # noqa: SLF001 -- nio knows no fallback keys
        account.generate_fallback_key()
        return {f"signed_curve25519:{number}": self._signed(key) for number, key in account.fallback_key.items()}

    def _signed(self, key: Any) -> dict[str, Any]:  # noqa: ANN401 -- nio has no types
        content = {"key": key.to_base64(), "fallback": True}
        name = f"ed25519:{self._client.device_id}"
        return {**content, "signatures": {self._client.user_id: {name: self.machine.sign_json(content)}}}

    # --- reading -------------------------------------------------------------------------------------------

    def take_in(self, response: nio.SyncResponse) -> None:
        """Store the room keys of a sync, and note its changed devices."""
        for event in response.to_device_events:
            if isinstance(event, nio.OlmEvent):
                self._take_key(event)
        count = response.device_key_count.signed_curve25519
        if count is not None:
            self.machine.uploaded_key_count = count
        self._changed |= set(response.device_list.changed) & self._known
        self._known -= set(response.device_list.left)

    def _take_key(self, event: nio.OlmEvent) -> None:
        with writing(self.folder):
            try:
                self.machine.handle_to_device_event(event)
            except _BROKEN as problem:
                log.info("a message to our device can't be read: %s", type(problem).__name__)

    def remember_encrypted(self, rooms: Iterable[str]) -> None:
        """Remember that these rooms are encrypted. Nothing that is sent later can switch that off."""
        new = set(rooms) - self.encrypted_rooms
        if new:
            with writing(self.folder):
                self.machine.store.save_encrypted_rooms(new)
            self.encrypted_rooms |= new

    async def decrypt_all(self, room: str, events: Iterable[Raw]) -> tuple[Raw, ...]:
        """A room's events, decrypted if we have their keys; the others unchanged."""
        found = tuple(events)
        senders = {str(event.get("sender")) for event in found if event.get("type") == ENCRYPTED}
        await self._learn(senders)
        return tuple(self.decrypt(room, event) for event in found)

    def decrypt(self, room: str, raw: Raw) -> Raw:
        """The event, decrypted if it is encrypted and we have its key."""
        if raw.get("type") != ENCRYPTED:
            return raw
        content = content_of(raw)
        try:
            key = self.machine.inbound_group_store.get(room, content.get("sender_key"), content.get("session_id"))
            event = nio.MegolmEvent.from_dict({**raw, "room_id": room})
            if key is None or not isinstance(event, nio.MegolmEvent):
                return raw
            inside = self.machine.decrypt_megolm_event(event, room).source
            _, index = key.decrypt(event.ciphertext)
        except _BROKEN:
            return raw
        if inside.get("type") not in _ALLOWED_INSIDE or not isinstance(inside.get("content"), Mapping):
            return raw
        decrypted = Decrypted({**raw, "type": inside["type"], "content": inside["content"]})
        decrypted.session, decrypted.index = sha256(str(event.session_id).encode()).hexdigest()[:_SESSION_DIGITS], index
        return decrypted if self._is_by_sender(key, decrypted) else raw

    def _is_by_sender(self, key: Any, decrypted: Decrypted) -> bool:  # noqa: ANN401 -- nio has no types
        """Whether we got the key from a device that belongs to the sender, according to the homeserver.

        An envelope doesn't need this: its signature shows its author, and we may no longer know the device of an old
        one.
        """
        if decrypted["sender"] == self._client.user_id or ENVELOPE in content_of(decrypted):
            return True
        devices = self.machine.device_store[decrypted["sender"]].values()
        return any(device.curve25519 == key.sender_key and device.ed25519 == key.ed25519 for device in devices)

    # --- writing -------------------------------------------------------------------------------------------

    async def encrypt_for(
        self, room: str, readers: Collection[str], kind: str, content: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """Type and content for an encrypted room, once all devices of `readers` have the key."""
        if kind not in ENCRYPTED_TYPES:
            return kind, content
        async with self._encrypting:
            await self._learn(readers)
            await self._share(room, readers)
            encrypted: dict[str, Any] = self.machine.group_encrypt(room, {"type": kind, "content": dict(content)})
        if "m.relates_to" in content:  # not encrypted: the homeserver needs it
            encrypted["m.relates_to"] = content["m.relates_to"]
        return ENCRYPTED, encrypted

    async def _share(self, room: str, readers: Collection[str]) -> None:
        """Share a room key with all devices of the readers, and no others. Begin a new key if a reader has left."""
        wanted = {
            (user, device.id): device
            for user in readers
            for device in self.machine.device_store.active_user_devices(user)
            if (user, device.id) != (self._client.user_id, self._client.device_id)
        }
        session = self.machine.outbound_group_sessions.get(room)
        if session is None or session.expired or session.users_shared_with - wanted.keys():
            with writing(self.folder):
                self.machine.create_outbound_group_session(room)
            session = self.machine.outbound_group_sessions[room]
        if wanted.keys() - session.users_shared_with:
            await self._begin_talking_to(wanted)
            session.shared = False  # if this is True, nio begins another session for devices without it
            await self._hand_out(room, readers, session)
        session.shared = True

    async def _hand_out(self, room: str, readers: Collection[str], session: Any) -> None:  # noqa: ANN401
        with writing(self.folder):
            parts = list(
                self.machine.share_group_session_parallel(room, sorted(readers), ignore_unverified_devices=True)
            )
        for devices, keys in parts:
            path = ["sendToDevice", ENCRYPTED, str(uuid4())]
            await self._client.ask("giving out a room key", "PUT", path, keys)
            session.users_shared_with |= devices

    async def _begin_talking_to(self, devices: Mapping[tuple[str, str], Any]) -> None:
        """Claim a one-time key of each device to which we have no channel.

        A device that has none left gets no room key.
        """

        def without_channel(names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
            return [name for name in names if not self.machine.session_store.get(devices[name].curve25519)]

        missing = self._worth_asking(without_channel(devices))
        if missing:
            await self._claim(missing)
            self._did_not_answer(without_channel(missing))

    def _worth_asking(self, names: Iterable[Asked]) -> list[Asked]:
        now = time.monotonic()
        return [name for name in names if now >= self._silent.get(name, now)]

    def _did_not_answer(self, names: Iterable[object]) -> None:
        self._silent |= dict.fromkeys(names, time.monotonic() + _TRY_AGAIN_AFTER)

    async def _claim(self, devices: Iterable[tuple[str, str]]) -> None:
        wanted: dict[str, dict[str, str]] = {}
        for user, device in devices:
            wanted.setdefault(user, {})[device] = "signed_curve25519"
        claimed = await self._client.ask("claiming keys", "POST", ["keys", "claim"], {"one_time_keys": wanted})
        for user, given in claimed.get("one_time_keys", {}).items():
            for device, key in given.items():
                self._take_claimed(user, device, key)

    def _take_claimed(self, user: str, device: str, key: Any) -> None:  # noqa: ANN401 -- a stranger's JSON
        with writing(self.folder):
            try:
                self.machine.handle_response(nio.KeysClaimResponse({user: {device: key}}, {}))
            except _BROKEN as problem:
                log.info("a one-time key of %s can't be used: %s", user, type(problem).__name__)

    # --- devices -------------------------------------------------------------------------------------------

    async def tidy_keys(self) -> None:
        """Upload and query keys as needed. If the homeserver refuses, try again after the next sync.

        Raises `ChatSignedOut`, and DeviceTaken.
        """
        try:
            if self.machine.should_upload_keys:
                await self._upload()
            await self._learn(())
            await self._fix_channels()
        except (ChatSignedOut, DeviceTaken):
            raise
        except ChatProblem as problem:
            log.warning("keys could not be kept in order: %s", problem.text)

    async def _learn(self, users: Collection[str]) -> None:
        """Query the devices of these users, and of all whose devices have changed."""
        wanted = {*self._worth_asking(set(users) - self._known), *self._changed}
        if not wanted:
            return
        # devices that change during the request are queried again
        self._changed -= wanted
        try:
            answer = await self._client.ask(
                "asking for devices", "POST", ["keys", "query"], {"device_keys": {user: [] for user in sorted(wanted)}}
            )
        except BaseException:
            self._changed |= wanted & self._known
            raise
        for user, devices in answer.get("device_keys", {}).items():
            if user in wanted:
                self._take_devices(user, devices)
                self._known.add(user)
        self._did_not_answer(wanted - answer.get("device_keys", {}).keys())

    def _take_devices(self, user: str, devices: Mapping[str, Any]) -> None:
        good = {device: keys for device, keys in devices.items() if _is_device(user, device, keys)}
        with writing(self.folder):
            try:
                self.machine.handle_response(nio.KeysQueryResponse({user: good}, {}))
            except _BROKEN as problem:
                log.info("the devices of %s can't be read: %s", user, type(problem).__name__)

    async def _fix_channels(self) -> None:
        """Replace broken channels to devices. An empty message informs the device."""
        broken = [(device.user_id, device.id) for device in self.machine.wedged_devices]
        if broken:
            await self._claim(broken)
            self.machine.wedged_devices.clear()
        for message in list(self.machine.outgoing_to_device_messages):
            path = ["sendToDevice", message.type, str(uuid4())]
            await self._client.ask("sending to a device", "PUT", path, message.as_dict())
            with writing(self.folder):
                self.machine.handle_response(nio.ToDeviceResponse(message))


def _is_device(user: str, device: str, keys: Any) -> bool:  # noqa: ANN401 -- a stranger's JSON
    read = nio.KeysQueryResponse.from_dict({"device_keys": {user: {device: keys}}, "failures": {}})
    return isinstance(read, nio.KeysQueryResponse)


# --- Signing our device with keys of the account, as people do by 'verifying' (spec, 'Cross-signing').
#
# Without that, clients show a red shield beside all messages of the bot, and clients that exclude insecure devices hide
# them. Nio has none of this. The three keys are created once and kept; they outlive devices.

SEEDS = "cross-signing.json"
OTHERS = "another client has made the account's own keys"
_PURPOSES = ("master", "self_signing", "user_signing")


class CrossSigning:
    """The account's three cross-signing keys, and signing with them."""

    def __init__(self, client: NioClient, seeds: Mapping[str, str]) -> None:
        self._client = client
        self._keys = {purpose: SigningKey(bytes.fromhex(seed)) for purpose, seed in seeds.items()}

    @classmethod
    def kept_in(cls, folder: Folder, client: NioClient) -> CrossSigning | None:
        """The keys in the folder; None if there are none. Raises `ChatRefused` for a damaged file, and OSError."""
        try:
            kept = json.loads((folder / SEEDS).read_text())
            found = cls(client, {purpose: kept[purpose] for purpose in _PURPOSES})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as problem:
            text = f"{folder / SEEDS} can't be read ({type(problem).__name__}); put it back from a backup, or remove it"
            raise ChatRefused(text, "damaged-keys") from problem
        for purpose in _PURPOSES:
            keep_secret(kept[purpose])
        return found

    @classmethod
    def made_in(cls, folder: Folder, client: NioClient) -> CrossSigning:
        """Create new keys, and store them before they are published."""
        seeds = {purpose: secrets.token_hex(32) for purpose in _PURPOSES}
        write_whole(folder / SEEDS, json.dumps(seeds).encode())
        for seed in seeds.values():
            keep_secret(seed)
        return cls(client, seeds)

    def is_at(self, own: Mapping[str, Any]) -> bool:
        """Whether the homeserver has this master key; `own`: its answer about our account."""
        return _key_in(own, "master", self._client.user_id) == self._public("master")

    def has_signed(self, own: Mapping[str, Any]) -> bool:
        """Whether the homeserver has our device with a signature by these keys."""
        user, device = self._client.user_id, self._client.device_id
        keys = own.get("device_keys", {}).get(user, {}).get(device, {})
        signature = keys.get("signatures", {}).get(user, {}).get(self._name("self_signing"), "")
        return _holds(self._keys["self_signing"].verify_key, keys, signature)

    async def publish(self, password: str) -> None:
        """Upload the keys, replacing others. The first keys of an account need no `password`."""
        keys = {f"{purpose}_key": self._signed(self._as_content(purpose), "master") for purpose in _PURPOSES}
        path = ["keys", "device_signing", "upload"]
        act = "publishing the account's keys"
        answer = await self._client.ask(act, "POST", path, keys)
        if "flows" in answer and password:
            proof = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self._client.user_id},
                "password": password,
                "session": answer.get("session"),
            }
            answer = await self._client.ask(act, "POST", path, {**keys, "auth": proof})
        if "flows" in answer:
            raise ChatRefused(f"{act}: the homeserver wants more than that", "M_UNAUTHORIZED")

    async def sign_device(self, own: Mapping[str, Any]) -> None:
        """Sign our device's keys as the homeserver has them."""
        user, device = self._client.user_id, self._client.device_id
        found = own.get("device_keys", {}).get(user, {}).get(device)
        if found is None:
            raise ChatRefused("signing our device: it has no keys yet; start the bot once", "no-keys")
        keys = {name: value for name, value in found.items() if name != "unsigned"}
        signed = self._signed(keys, "self_signing")
        path = ["keys", "signatures", "upload"]
        answer = await self._client.ask("signing our device", "POST", path, {user: {device: signed}})
        if answer.get("failures"):
            raise ChatRefused("signing our device: the homeserver didn't take the signature", "M_INVALID_SIGNATURE")

    def _public(self, purpose: str) -> str:
        return _unpadded(bytes(self._keys[purpose].verify_key))

    def _name(self, purpose: str) -> str:
        return f"ed25519:{self._public(purpose)}"

    def _as_content(self, purpose: str) -> dict[str, Any]:
        return {
            "user_id": self._client.user_id,
            "usage": [purpose],
            "keys": {self._name(purpose): self._public(purpose)},
        }

    def _signed(self, content: Mapping[str, Any], purpose: str) -> dict[str, Any]:
        """The object with a signature by that key added."""
        signature = _unpadded(self._keys[purpose].sign(_without_signatures(content)).signature)
        before = content.get("signatures", {}).get(self._client.user_id, {})
        return {**content, "signatures": {self._client.user_id: {**before, self._name(purpose): signature}}}


async def own_keys(client: NioClient) -> dict[str, Any]:
    """Our account's devices and cross-signing keys at the homeserver."""
    wanted: dict[str, Any] = {"device_keys": {client.user_id: []}}
    return await client.ask("asking for our keys", "POST", ["keys", "query"], wanted)


async def establish(client: NioClient, folder: Folder, own: Mapping[str, Any]) -> str:
    """Sign our device with the account's keys. Return '', or why that failed; encrypted rooms work anyway.

    This never replaces keys that another client has created for the account. `own`: the homeserver's answer about our
    account, from before our device's keys were published.
    """
    try:
        signing = CrossSigning.kept_in(folder, client)
        is_new = not _key_in(own, "master", client.user_id)
        if is_new:
            signing = signing or CrossSigning.made_in(folder, client)
            await signing.publish("")
        if is_new or client.device_id not in own.get("device_keys", {}).get(client.user_id, {}):
            own = await own_keys(client)
        if signing is None or not signing.is_at(own):
            return OTHERS
        if not signing.has_signed(own):
            await signing.sign_device(own)
    except ChatProblem as problem:
        return problem.text
    return ""


async def has_others(client: NioClient, folder: Folder) -> bool:
    """Whether another client created the account's keys. Changes nothing."""
    own = await own_keys(client)
    signing = CrossSigning.kept_in(folder, client)
    return bool(_key_in(own, "master", client.user_id)) and not (signing and signing.is_at(own))


async def take_over(client: NioClient, folder: Folder, password: str) -> None:
    """Replace another client's cross-signing keys with ours, and sign our device."""
    signing = CrossSigning.kept_in(folder, client) or CrossSigning.made_in(folder, client)
    await signing.publish(password)
    await signing.sign_device(await own_keys(client))


def _key_in(own: Mapping[str, Any], purpose: str, user: str) -> str:
    keys = own.get(f"{purpose}_keys", {}).get(user, {}).get("keys", {})
    return next((str(key) for key in keys.values()), "")


def _holds(key: VerifyKey, content: Mapping[str, Any], signature: str) -> bool:
    try:
        key.verify(_without_signatures(content), b64decode(signature + "=="))
    except (CryptoError, ValueError):
        return False
    return True


def _without_signatures(content: Mapping[str, Any]) -> bytes:
    return canonical({name: value for name, value in content.items() if name not in ("signatures", "unsigned")})


def _unpadded(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


# --- Lines that can't be decrypted yet. Their room key may come later, because another server sends it separately.
#
# They are in a file, because the sync's token moves past them. The file has no more than the homeserver has.

WAITING_FILE = "waiting.json"
TELL_AFTER = timedelta(minutes=1)
"""A key that is on its way has arrived by then."""
GIVE_UP_AFTER = timedelta(days=1)
MOST_BYTES = 2_000_000
MOST_OF_ONE = 200_000
"""The most bytes of one sender: three of the largest events, or 50 lines."""
_LEAST = 4_000
"""The bytes that even a short line counts as, so that nobody fills the file with thousands of them."""


@dataclass(frozen=True)
class UndecryptedLine:
    """A line that waits for its key, since when, and whether it was reported as unreadable."""

    room: str
    raw: dict[str, Any]
    since: datetime
    told: bool = False

    @property
    def event_id(self) -> str:
        """The line's event id."""
        return str(self.raw.get("event_id"))

    @property
    def size(self) -> int:
        """The bytes that it counts as."""
        return max(_LEAST, len(json.dumps(self.raw)))


class UndecryptedLines:
    """All lines that wait for their keys.

    Lines that `look` finds stay in the file until `settle`, in case of a crash.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder, self._file = folder, folder / WAITING_FILE
        self._lines = _read(self._file)
        self._next: tuple[UndecryptedLine, ...] | None = None

    def settle(self) -> None:
        """Note that the result of the last `look` is journaled."""
        if self._next is not None and self._next != self._lines:
            self._keep(self._next)
        self._next = None

    def add(self, lines: Iterable[tuple[str, Raw]], now: datetime) -> None:
        """Add lines that wait for their keys. If there are too many, whoever has most of them loses the oldest."""
        known = {line.event_id for line in self._lines}
        waiting = {str(raw.get("event_id")): UndecryptedLine(room, dict(raw), now) for room, raw in lines}
        new = [line for event_id, line in waiting.items() if event_id not in known]
        kept = _within_limits((*self._lines, *new))
        if kept != self._lines:
            self._keep(kept)

    def forget(self, taken_back: Collection[tuple[str, str]]) -> None:
        """Drop these lines, as (room, event id), because they were redacted."""
        left = tuple(line for line in self._lines if (line.room, line.event_id) not in taken_back)
        if left != self._lines:
            self._keep(left)

    def look(
        self, decrypt: Callable[[str, Raw], Raw], now: datetime
    ) -> tuple[list[tuple[str, Raw]], list[tuple[str, Raw]]]:
        """The lines that can be decrypted now, decrypted; and the lines to report as unreadable now."""
        readable: list[tuple[str, Raw]] = []
        overdue: list[tuple[str, Raw]] = []
        left: list[UndecryptedLine] = []
        for line in self._lines:
            raw = decrypt(line.room, line.raw)
            if raw is not line.raw:
                readable.append((line.room, raw))
                continue
            if not line.told and now - line.since >= TELL_AFTER:
                overdue.append((line.room, line.raw))
                left.append(replace(line, told=True))
            elif now - line.since < GIVE_UP_AFTER:
                left.append(line)
        self._next = tuple(left)
        return readable, overdue

    def _keep(self, lines: tuple[UndecryptedLine, ...]) -> None:
        rows = [asdict(line) | {"since": line.since.isoformat()} for line in lines]
        with writing(self._folder):
            write_whole(self._file, json.dumps(rows).encode())
        self._lines = lines


def _within_limits(lines: tuple[UndecryptedLine, ...]) -> tuple[UndecryptedLine, ...]:
    """The newest lines of each sender. Nobody pushes out the lines of somebody who sent less."""
    of_sender: Counter[str] = Counter()
    shares: list[tuple[int, UndecryptedLine]] = []
    for line in reversed(lines):
        sender = str(line.raw.get("sender"))
        of_sender[sender] += line.size
        shares.append((of_sender[sender], line))
    kept: set[int] = set()
    total = 0
    for share, line in sorted(shares, key=itemgetter(0)):
        total += line.size
        if share > MOST_OF_ONE or total > MOST_BYTES:
            break
        kept.add(id(line))
    return tuple(line for line in lines if id(line) in kept)


def _read(file: File) -> tuple[UndecryptedLine, ...]:
    try:
        rows = json.loads(file.read_text())
        return tuple(UndecryptedLine(**row | {"since": datetime.fromisoformat(row["since"])}) for row in rows)
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as problem:
        log.warning("%s can't be read (%s): the lines that waited there for their keys are lost", file, problem)
        return ()
