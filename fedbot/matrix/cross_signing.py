"""Saying by keys of the account that its device is its own, as people do by 'verifying' (spec, 'Cross-signing').

Without it clients put a red shield beside all that the bot says, and those that exclude insecure devices don't show
it. Nio has none of this. The three keys are made once and kept; they outlive devices.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from fedbot.files import write_whole
from fedbot.logs import keep_secret
from fedbot.matrix.connection import Connection
from fedbot.ports.chat import ChatProblem, ChatRefused
from fedbot.rules.wire.envelope import canonical

FILE = "cross-signing.json"
OTHERS = "another client has made the account's own keys"
_PURPOSES = ("master", "self_signing", "user_signing")


class CrossSigning:
    """The account's three keys, and what is signed by them."""

    def __init__(self, connection: Connection, seeds: Mapping[str, str]) -> None:
        self._connection = connection
        self._keys = {purpose: SigningKey(bytes.fromhex(seed)) for purpose, seed in seeds.items()}

    @classmethod
    def kept_in(cls, folder: Path, connection: Connection) -> CrossSigning | None:
        """Those in the folder, if there are any. Raises `ChatRefused` for a damaged file, OSError."""
        try:
            kept = json.loads((folder / FILE).read_text())
            found = cls(connection, {purpose: kept[purpose] for purpose in _PURPOSES})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as problem:
            text = f"{folder / FILE} can't be read ({type(problem).__name__}); put it back from a backup, or remove it"
            raise ChatRefused(text, "damaged-keys") from problem
        for purpose in _PURPOSES:
            keep_secret(kept[purpose])
        return found

    @classmethod
    def made_in(cls, folder: Path, connection: Connection) -> CrossSigning:
        """New ones, kept before anybody hears of them."""
        seeds = {purpose: secrets.token_hex(32) for purpose in _PURPOSES}
        write_whole(folder / FILE, json.dumps(seeds).encode())
        for seed in seeds.values():
            keep_secret(seed)
        return cls(connection, seeds)

    def is_at(self, own: Mapping[str, Any]) -> bool:
        """Whether the homeserver has this master key; `own`: its answer about our account."""
        return _key_in(own, "master", self._connection.user_id) == self._public("master")

    def has_signed(self, own: Mapping[str, Any]) -> bool:
        """Whether our device is signed by these keys there."""
        user, device = self._connection.user_id, self._connection.device_id
        keys = own.get("device_keys", {}).get(user, {}).get(device, {})
        signature = keys.get("signatures", {}).get(user, {}).get(self._name("self_signing"), "")
        return _holds(self._keys["self_signing"].verify_key, keys, signature)

    async def publish(self, password: str) -> None:
        """Put the keys onto the homeserver, in place of any; the first of an account need no `password`."""
        keys = {f"{purpose}_key": self._signed(self._as_content(purpose), "master") for purpose in _PURPOSES}
        path = ["keys", "device_signing", "upload"]
        act = "publishing the account's keys"
        answer = await self._connection.ask(act, "POST", path, keys)
        if "flows" in answer and password:
            proof = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self._connection.user_id},
                "password": password,
                "session": answer.get("session"),
            }
            answer = await self._connection.ask(act, "POST", path, {**keys, "auth": proof})
        if "flows" in answer:
            raise ChatRefused(f"{act}: the homeserver wants more than that", "M_UNAUTHORIZED")

    async def sign_device(self, own: Mapping[str, Any]) -> None:
        """Sign our device, as the homeserver has it."""
        user, device = self._connection.user_id, self._connection.device_id
        found = own.get("device_keys", {}).get(user, {}).get(device)
        if found is None:
            raise ChatRefused("signing our device: it has no keys yet; start the bot once", "no-keys")
        keys = {name: value for name, value in found.items() if name != "unsigned"}
        signed = self._signed(keys, "self_signing")
        path = ["keys", "signatures", "upload"]
        answer = await self._connection.ask("signing our device", "POST", path, {user: {device: signed}})
        if answer.get("failures"):
            raise ChatRefused("signing our device: the homeserver didn't take the signature", "M_INVALID_SIGNATURE")

    def _public(self, purpose: str) -> str:
        return _unpadded(bytes(self._keys[purpose].verify_key))

    def _name(self, purpose: str) -> str:
        return f"ed25519:{self._public(purpose)}"

    def _as_content(self, purpose: str) -> dict[str, Any]:
        return {
            "user_id": self._connection.user_id,
            "usage": [purpose],
            "keys": {self._name(purpose): self._public(purpose)},
        }

    def _signed(self, content: Mapping[str, Any], purpose: str) -> dict[str, Any]:
        """The object with a signature by that key added."""
        signature = _unpadded(self._keys[purpose].sign(_without_signatures(content)).signature)
        before = content.get("signatures", {}).get(self._connection.user_id, {})
        return {**content, "signatures": {self._connection.user_id: {**before, self._name(purpose): signature}}}


async def own_keys(connection: Connection) -> dict[str, Any]:
    """What the homeserver knows of our account's devices and cross-signing keys."""
    wanted: dict[str, Any] = {"device_keys": {connection.user_id: []}}
    return await connection.ask("asking for our keys", "POST", ["keys", "query"], wanted)


async def establish(connection: Connection, folder: Path) -> str:
    """Have our device signed by the account; '' if it is, else why not. Encrypted rooms work without it, too.

    Keys that another client has made for the account are never replaced by this.
    """
    try:
        own = await own_keys(connection)
        signing = CrossSigning.kept_in(folder, connection)
        if not _key_in(own, "master", connection.user_id):
            signing = signing or CrossSigning.made_in(folder, connection)
            await signing.publish("")
            own = await own_keys(connection)
        if signing is None or not signing.is_at(own):
            return OTHERS
        if not signing.has_signed(own):
            await signing.sign_device(own)
    except ChatProblem as problem:
        return problem.text
    return ""


async def has_others(connection: Connection, folder: Path) -> bool:
    """Whether the account's keys are another client's. Nothing is changed."""
    own = await own_keys(connection)
    signing = CrossSigning.kept_in(folder, connection)
    return bool(_key_in(own, "master", connection.user_id)) and not (signing and signing.is_at(own))


async def take_over(connection: Connection, folder: Path, password: str) -> None:
    """Put our keys in the place of those that another client has made for the account, and sign our device."""
    signing = CrossSigning.kept_in(folder, connection) or CrossSigning.made_in(folder, connection)
    await signing.publish(password)
    await signing.sign_device(await own_keys(connection))


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
