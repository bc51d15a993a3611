"""The points at which a bot may die: before and after each journal write, sent message and changing request.

`install` wraps the methods that do these, in this process only. The harness writes a file `orders`. It is empty, or
`record` (each point's name is added to the file `passed`), or holds the names of the points, one a line, at which the
process kills itself. Names are counted from the time of the orders. A dying process writes down its counts, and the
points that are left for the next process.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from fedbot import identity
from fedbot.hub import worker
from fedbot.identity import FileVault
from fedbot.inventree.client.transport import SAFE, InvenTreeTransport
from fedbot.inventree.inventory import OwnInventory
from fedbot.journal import postgresql
from fedbot.journal.journal import StoredJournal
from fedbot.journal.sealed import FolderInDatabase
from fedbot.matrix import cross_signing, keys, login, undecrypted_lines
from fedbot.matrix.client import MatrixChat
from fedbot.ports.journal import ChatMessage, OutboxRow, SuggestedReaction
from fedbot.rules.model.effects import Ask, Do, SendEnvelope
from fedbot.rules.model.events import Answered, EnvelopeSeen, Posted, StepDone, StepRefused, StepUnknown

RECORD = "record"
ORDERS = "orders"
PASSED = "passed"
COUNTED = "counted"
#: The number of these depends on the machine's speed, so one of each stands for all.
UNTIMED = re.compile(r"Tick|CaughtUp|RoomSeen|Waiting|postpone|nothing|claim the space")

Namer = Callable[..., list[str]]


class Points:
    """The points that this process passes."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / ORDERS
        self._passed = folder / PASSED
        self._counts = folder / COUNTED
        self._given: list[str] = []
        self._stamp = 0
        self._counted: Counter[str] = Counter()
        self._turn = threading.Lock()
        self.rows: dict[int, str] = {}
        self.events: dict[int, str] = {}

    def passes(self, side: str, names: list[str]) -> None:
        """Pass these points, which may end the process."""
        with self._turn:
            self._look()
            if not self._given:
                return
            for name in names:
                self._at(f"{side} {name}")

    def _look(self) -> None:
        try:
            stamp = self._orders.stat().st_mtime_ns
        except FileNotFoundError:
            self._given, self._stamp = [], 0
            return
        if stamp != self._stamp:
            self._given, self._stamp = self._orders.read_text().splitlines(), stamp
            before = self._counts.read_text() if self._counts.exists() else "{}"
            self._counted = Counter(json.loads(before))

    def _at(self, name: str) -> None:
        self._counted[name] += 1
        point = f"{name} #{self._counted[name]}"
        if point in self._given:
            self._leave([each for each in self._given if each != point])
            os.kill(os.getpid(), signal.SIGKILL)
        if self._given == [RECORD] and (self._counted[name] == 1 or not UNTIMED.search(name)):
            with self._passed.open("a") as passed:
                passed.write(f"{point}\n")

    def _leave(self, orders: list[str]) -> None:
        """Leave these orders for the next process; without any, it just runs."""
        self._counts.write_text(json.dumps(self._counted))
        give(self._orders.parent, orders)


def give(folder: Path, orders: Sequence[str]) -> None:
    """Give orders to the process of that folder, effective at once."""
    if not orders:
        (folder / ORDERS).unlink(missing_ok=True)
        return
    draft = folder / f"{ORDERS}.new"
    draft.write_text("\n".join(orders))
    draft.replace(folder / ORDERS)


def install(folder: Path) -> None:
    """Wrap everything with which this process changes a journal, a room, an InvenTree or its vault."""
    points = Points(folder)
    _remember_rows(points)
    for method in ("begin", "finish", "postpone", "fail"):
        _wrap(points, StoredJournal, method, functools.partial(_of_row, points, method))
    _wrap(points, StoredJournal, "receive", _received)
    _wrap(points, StoredJournal, "put", lambda _, event: [f"put {_event(event)}"])
    _wrap(points, StoredJournal, "commit", lambda _, seq, decision: [f"commit {points.events.get(seq, '?')}"])
    _wrap(points, MatrixChat, "send", lambda _, delivery: [f"send {_sent(delivery.kind, delivery.content)}"])
    for method in ("claim", "join", "leave"):
        _wrap(points, MatrixChat, method, functools.partial(_plainly, method))
    for method in ("act", "attach"):
        _wrap(points, OwnInventory, method, lambda _, step, *__: [f"act {type(step).__name__}"])
    _wrap(points, InvenTreeTransport, "send", _request)
    for method in ("keep", "forget"):
        _wrap(points, FileVault, method, functools.partial(_plainly, f"vault {method}"))
    for module in (identity, login, keys, cross_signing, undecrypted_lines):
        _wrap(points, module, "write_whole", lambda file, *_: [f"write {file.name}"] if "%" not in file.name else [])
    _wrap(points, FolderInDatabase, "keep_rows", functools.partial(_plainly, "seal keys"))
    _wrap(points, worker, "claim", functools.partial(_plainly, "claim the space"))
    _wrap(points, postgresql, "open_journal", functools.partial(_plainly, "open the journal"))


def _wrap(points: Points, owner: type | ModuleType, method: str, namer: Namer) -> None:
    whole = getattr(owner, method)

    @functools.wraps(whole)
    def at_once(*given: Any, **options: Any) -> Any:  # noqa: ANN401
        names = namer(*given, **options)
        points.passes("before", names)
        outcome = whole(*given, **options)
        points.passes("after", names)
        return outcome

    @functools.wraps(whole)
    async def awaited(*given: Any, **options: Any) -> Any:  # noqa: ANN401
        names = namer(*given, **options)
        points.passes("before", names)
        outcome = await whole(*given, **options)
        points.passes("after", names)
        return outcome

    setattr(owner, method, awaited if inspect.iscoroutinefunction(whole) else at_once)


def _remember_rows(points: Points) -> None:
    """Resolve the row and event numbers in the journal's writes to names."""
    due, next_event = StoredJournal.due, StoredJournal.next_event

    def remembered_due(*given: Any) -> tuple[OutboxRow, ...]:  # noqa: ANN401
        rows = due(*given)
        points.rows.update({row.id: _effect(row.effect) for row in rows})
        return rows

    def remembered_event(*given: Any) -> tuple[int, Any] | None:  # noqa: ANN401
        found = next_event(*given)
        if found:
            points.events[found[0]] = _event(found[1])
        return found

    StoredJournal.due = remembered_due  # type: ignore[method-assign,assignment]
    StoredJournal.next_event = remembered_event  # type: ignore[method-assign,assignment]


def _of_row(points: Points, method: str, _: object, row: int, *given: object, **options: object) -> list[str]:
    return [f"{method} {points.rows.get(row, '?')}"]


def _received(_: object, events: Sequence[object], token: object) -> list[str]:
    del token
    return [f"receive {_event(event)}" for event in events] or ["nothing"]


def _plainly(what: str, *_: object) -> list[str]:
    return [what]


def _event(event: object) -> str:
    kind = type(event).__name__
    match event:
        case EnvelopeSeen():
            return f"{kind} {event.envelope.get('kind')}"
        case StepDone(result=result):
            return f"{kind} {type(event.then).__name__} {type(result).__name__}"
        case StepRefused() | StepUnknown() | Answered():
            return f"{kind} {type(event.then).__name__}"
        case Posted(key=key):
            return f"{kind} {key.partition(':')[0]}"
    return kind


def _effect(effect: object) -> str:
    kind = type(effect).__name__
    match effect:
        case ChatMessage():
            edit = " edit" if effect.edit else ""
            return f"{kind} {effect.key.partition(':')[0]}{edit}"
        case SuggestedReaction():
            return f"{kind} {effect.emoji}"
        case SendEnvelope(draft=draft):
            return f"{kind} {draft.kind}"
        case Do(step=step):
            return f"{kind} {type(step).__name__}"
        case Ask(then=then):
            return f"{kind} {type(then).__name__}"
    return kind


def _sent(kind: str, content: dict[str, Any]) -> str:
    envelope = content.get("dev.fedbot", {}).get("kind", "") if isinstance(content.get("dev.fedbot"), dict) else ""
    relation = content.get("m.relates_to", {})
    edit = " edit" if relation.get("rel_type") == "m.replace" else ""
    return f"{kind} {envelope}{edit} {relation.get('key', '')}".strip()


def _request(_: object, method: str, url: str, *given: object, reading: bool = False, **more: object) -> list[str]:
    """Only requests that change something."""
    return [] if reading or method in SAFE else [f"{method} {re.sub('[0-9]+', 'N', url)}"]
