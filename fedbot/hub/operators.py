"""The operator's API behind the scenes: tokens, and operations that run in the background."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
import subprocess
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import yaml

from fedbot import logs
from fedbot.config.hub import HubSettings
from fedbot.config.problems import ConfigRefused
from fedbot.files import PRIVATE_FOLDER, write_whole
from fedbot.hub import tending
from fedbot.hub.roster import Roster
from fedbot.hub.tending import HubRefused
from fedbot.ports.journal import JournalProblem

log = logging.getLogger(__name__)

PREFIX = "fed_hub_"
RANDOM = 43
"""The number of random characters in a token. The rest proves that this hub made it."""
KEY = "api-key"
SHORT = 12
"""The number of characters of a token's hash that are its id."""
MOST_TOKENS = 100
LONGEST_NAME = 60
MOST_DAYS = 3650
MOST_REMEMBERED = 200
"""The number of ended operations that the API remembers."""
OPERATIONS_AT_ONCE = 4
LEFT = "left"
"""The folder in the state folder for spaces that left the hub by the API."""

_MADE = """
    INSERT INTO fedbot.tokens (hash, name, may_act, made, ends)
    SELECT $1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 day'
    WHERE (SELECT count(*) FROM fedbot.tokens WHERE ends > clock_timestamp()) < $5
"""
_USED = """
    UPDATE fedbot.tokens SET used = clock_timestamp() WHERE hash = $1 AND ends > clock_timestamp()
    RETURNING hash, name, may_act, made, ends, used
"""
_HELD = "SELECT hash, name, may_act, made, ends, used FROM fedbot.tokens WHERE ends > clock_timestamp() ORDER BY made"
_REVOKED = "DELETE FROM fedbot.tokens WHERE left(hash, $2) = $1 OR ends < clock_timestamp() RETURNING left(hash, $2)"


@dataclass(frozen=True)
class Token:
    """A token, without its secret. `id` names it and gives no access; `used`: when it last gave access."""

    id: str
    name: str
    may_act: bool
    made: datetime
    ends: datetime
    used: datetime | None


class Tokens:
    """The operator's tokens. The database stores an HMAC of each secret. Methods raise `JournalProblem`.

    The HMAC's key is in the API's state folder, so a person who can only write to the database can't make a token.
    """

    def __init__(self, hub: HubSettings, roster: Roster) -> None:
        self._roster = roster
        self._key = _key_in(hub.state)

    def make(self, name: str, days: int, *, may_act: bool) -> str:
        """Create a token and return its secret, which is not stored. Raises `HubRefused` (bad name, too many)."""
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise HubRefused(f"Say what the token is for, in 1 to {LONGEST_NAME} characters.")
        if not 1 <= days <= MOST_DAYS:
            raise HubRefused(f"A token lasts for 1 to {MOST_DAYS} days.")
        secret = self._with_proof(PREFIX + secrets.token_urlsafe(32))
        with self._roster.connected() as connection:
            made = connection.execute(_MADE, (self._hash(secret), name, may_act, days, MOST_TOKENS)).rowcount
        if not made:
            raise HubRefused(f"There are {MOST_TOKENS} tokens already. Revoke some: fedbot hub token list")
        return secret

    def id_of(self, secret: str) -> str:
        """The id of the token with that secret; '' if this hub never made it.

        It needs no query, so a person who guesses tokens causes no load on the database.
        """
        begins = secret[: len(PREFIX) + RANDOM]
        is_ours = hmac.compare_digest(secret.encode(), self._with_proof(begins).encode())
        return self._hash(secret)[:SHORT] if is_ours else ""

    def of(self, secret: str) -> Token | None:
        """The valid token with that secret, marked as used now; None if it has expired or was revoked."""
        with self._roster.connected() as connection:
            found = connection.execute(_USED, (self._hash(secret),)).fetchone()
        return _token(*found) if found else None

    def held(self) -> tuple[Token, ...]:
        """All valid tokens, the oldest first."""
        with self._roster.connected() as connection:
            return tuple(_token(*found) for found in connection.execute(_HELD))

    def revoke(self, token: str) -> bool:
        """Revoke the token with that id. False if there is none."""
        with self._roster.connected() as connection:
            return (token,) in connection.execute(_REVOKED, (token, SHORT)).fetchall()

    def _with_proof(self, begins: str) -> str:
        """The complete secret that begins with these characters."""
        return begins + self._hash(f"made here: {begins}")[:SHORT]

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _key_in(state: Path) -> bytes:
    """The HMAC key in that folder, created on first use."""
    state.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    file = state / KEY
    if not file.exists():
        write_whole(file, secrets.token_hex(32).encode())
    return file.read_bytes()


def _token(whole_hash: str, *others: object) -> Token:
    return Token(whole_hash[:SHORT], *others)  # type: ignore[arg-type]  # the columns, in order


# --- operations --------------------------------------------------------------------------------------------------


class OperationKind(StrEnum):
    """The operations that an operator can start on a space."""

    ADD = "add"
    PAUSE = "pause"
    RESUME = "resume"
    MOVE = "move"
    LEAVE = "leave"
    REMOVE = "remove"


class OperationState(StrEnum):
    """The states of an operation."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Busy(Exception):
    """Another operation runs for that space."""


@dataclass
class Operation:
    """One operation on one space. `said`: its result, by lines."""

    id: str
    act: OperationKind
    space: str
    operator: str
    begun_at: datetime
    state: OperationState = OperationState.RUNNING
    said: tuple[str, ...] = ()
    ended_at: datetime | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def ends(self, state: OperationState, said: str) -> None:
        """Store its result, without secrets, and wake those who wait for it."""
        self.state, self.said = state, tuple(logs.redact(line) for line in said.splitlines())
        self.ended_at = datetime.now(UTC)
        self.over.set()


class Operations:
    """Running and ended operations. Each runs in a thread, one at a time per space. For one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(OPERATIONS_AT_ONCE, "operation")
        self._known: OrderedDict[str, Operation] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, act: OperationKind, space: str, operator: str, work: Callable[[], str]) -> Operation:
        """Start an operation; `work` returns its result as text. Raises `Busy`."""
        running = [each for each in self._known.values() if each.state is OperationState.RUNNING]
        if any(each.space == space for each in running):
            raise Busy
        operation = Operation(secrets.token_hex(8), act, space, operator, datetime.now(UTC))
        self._known[operation.id] = operation
        while len(self._known) - len(running) > MOST_REMEMBERED:
            self._known.pop(next(each.id for each in self._known.values() if each.state is not OperationState.RUNNING))
        log.info("%s of %s begins", act, space, extra={"operator": operator, "operation": operation.id})
        task = asyncio.create_task(self._does(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    async def _does(self, operation: Operation, work: Callable[[], str]) -> None:
        try:
            said = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (HubRefused, ConfigRefused, JournalProblem, OSError) as problem:
            operation.ends(OperationState.FAILED, str(problem))
        except Exception:
            log.exception("%s of %s failed unforeseen", operation.act, operation.space)
            operation.ends(OperationState.FAILED, "A fault in fedbot; the log of the API has more. Do it again.")
        else:
            operation.ends(OperationState.DONE, said)
        log.info("%s of %s: %s", operation.act, operation.space, operation.state, extra={"operation": operation.id})

    def get(self, operation: str) -> Operation | None:
        """The operation with that id; None if there is none, or it is forgotten."""
        return self._known.get(operation)

    def known(self) -> tuple[Operation, ...]:
        """All remembered operations, the newest first."""
        return tuple(reversed(self._known.values()))

    def close(self) -> None:
        """Start no more. An operation that is interrupted continues when it is started again."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class OperationHandlers:
    """Carries out each operation, and returns its result as text. `command`: the words that start this fedbot."""

    def __init__(self, hub: HubSettings, command: Sequence[str]) -> None:
        self._hub = hub
        self._command = command
        self._children: set[subprocess.Popen[str]] = set()

    def add(self, space: str, answers: Mapping[str, object]) -> str:
        """Run `fedbot hub add` as a program, with the answers on its standard input, so no file ever contains them.

        A separate process can be stopped, and frees everything that it loads. Raises `HubRefused`.
        """
        words = ["hub", "add", space, "--answers", "-", "--config", str(self._hub.source.absolute())]
        child = subprocess.Popen(  # noqa: S603 -- our own program; the space's name is a party's id
            [*self._command, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._children.add(child)
        try:
            said, _ = child.communicate(yaml.safe_dump(dict(answers)))
        finally:
            self._children.discard(child)
        if child.returncode:
            raise HubRefused(said or f"It ended with {child.returncode}.")
        return said

    def pause(self, space: str) -> str:
        """Like `tending.pause`."""
        tending.pause(self._hub, space)
        return f"Nobody works for {space} now."

    def resume(self, space: str) -> str:
        """Like `tending.resume`."""
        with tending.reserved(self._hub, space):
            tending.resume(self._hub, space)
        return f"A worker takes {space} within a few seconds."

    def move(self, space: str, worker: str) -> str:
        """Like `tending.move`."""
        return tending.move(self._hub, space, worker)

    def leave(self, space: str) -> str:
        """Like `tending.leave`, into a folder in this API's state folder."""
        folder = self._hub.state.absolute() / LEFT / space
        folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with tending.reserved(self._hub, space):
            tending.leave(self._hub, space, folder)
        return f"{space} has left the hub with all that it has. It is in {folder}, on the machine of this API."

    def remove(self, space: str) -> str:
        """Like `tending.remove`."""
        with tending.reserved(self._hub, space):
            tending.remove(self._hub, space)
        return f"{space} is no longer in the hub."

    def close(self) -> None:
        """Stop the programs that are still running."""
        for child in tuple(self._children):
            child.terminate()
