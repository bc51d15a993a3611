"""Signs our device with keys of the account, as people do by 'verifying' (spec, 'Cross-signing').

Without that, clients show a red shield beside all messages of the bot, and clients that exclude insecure devices hide
them. Nio has none of this. The three keys are created once and kept; they outlive devices.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from fedbot.files import write_whole
from fedbot.logs import keep_secret
from fedbot.matrix.login import NioClient
from fedbot.ports.chat import ChatProblem, ChatRefused
from fedbot.ports.vault import Folder
from fedbot.rules.wire import canonical

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
