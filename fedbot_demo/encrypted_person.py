"""A scripted person whose client encrypts, with nio's own client rather than the bots' replacement for it."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from typing import Any

import nio

from fedbot_demo.homeserver import Account
from fedbot_demo.person import Person
from fedbot_demo.room_event import RoomEvent, event_of


class EncryptedPerson(Person):
    """A `Person` who encrypts in encrypted rooms. The keys are lost when the person closes."""

    def __init__(self, account: Account, *, patience: float = 60.0) -> None:
        super().__init__(account, patience=patience)
        self._keys = tempfile.TemporaryDirectory(prefix="fedbot-person-")
        self._client = nio.AsyncClient(account.homeserver_url, account.user_id, store_path=self._keys.name)
        self._client.restore_login(account.user_id, account.device_id, account.access_token)

    async def close(self) -> None:
        """Close the connections; the keys are lost."""
        await self._client.close()
        self._client.store.database.close()
        await super().close()
        self._keys.cleanup()

    async def send(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        """Send any event into the timeline, encrypted if the room is; return its id."""
        await self.sync()
        known = self._client.rooms.get(room)
        if known is None or not known.encrypted:
            return await super().send(room, kind, content)
        sent = await self._client.room_send(
            room, kind, dict(content), tx_id=self._transaction(), ignore_unverified_devices=True
        )
        if not isinstance(sent, nio.RoomSendResponse):
            raise TypeError(f"{self.user_id} could not say it: {sent}")
        return str(sent.event_id)

    async def _heed(self, answer: Mapping[str, Any]) -> None:
        await self._client.receive_response(nio.SyncResponse.from_dict(copy.deepcopy(dict(answer))))
        if self._client.should_upload_keys:
            await self._client.keys_upload()
        if self._client.should_query_keys:
            await self._client.keys_query()

    def _seen(self, room: str, source: Mapping[str, Any]) -> RoomEvent:
        if source["type"] != "m.room.encrypted":
            return event_of(room, source)
        event = nio.MegolmEvent.from_dict({**source, "room_id": room})
        try:
            inside = self._client.decrypt_event(event).source
        except (nio.EncryptionError, ValueError):
            return event_of(room, source)
        return event_of(room, {**source, "type": inside["type"], "content": inside["content"]})
