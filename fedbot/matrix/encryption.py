"""Encrypted rooms: the bot's device, the exchange of keys, and decrypting and encrypting messages.

Nio's `Olm` does the cryptography and keeps the store. This module decides when to call it, and makes all requests.
Nio's client would do that too, but it considers a room key shared even if sharing failed, it fails on one broken device
among many, and it needs its own picture of rooms, which is wrong for room version 12.

The room keys of a sync are in the store before the sync's token is used again. After a crash before that, the next sync
brings them again; after a later crash, the store has them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, TypeVar
from uuid import uuid4

import nio

from fedbot.matrix.errors import DeviceTaken
from fedbot.matrix.keys import close_machine, open_machine, writing
from fedbot.matrix.login import NioClient
from fedbot.matrix.room import Decrypted, Raw, content_of
from fedbot.matrix.sync import ENVELOPE, ENVELOPE_TYPE
from fedbot.ports.chat import ChatProblem, ChatRefused, ChatSignedOut
from fedbot.ports.vault import Folder

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
