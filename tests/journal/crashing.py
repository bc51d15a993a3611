"""A bot's work on a journal in processes that are each killed at another statement: see test_crashes.

`python -m tests.journal.crashing each FOLDER [URL STEP]`: for N from 1 in these steps, in `FOLDER/N/` or on the server
at URL as space `N`, the work is killed before its N-th statement, until it finishes. Its output is in `FOLDER/N/said`.
`… hang FOLDER [URL]`: begins a step, says so and waits to be killed.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.ports.journal import ChatMessage, Committed, Queued
from fedbot.rules.archive import Document
from fedbot.rules.model.audit import AuditEntry, PeerRefused
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import CaughtUp, Posted, Said, Tick
from fedbot.rules.model.room import MessageKind, Room
from tests.journal.conftest import START
from tests.journal.test_archive import over

# The second round does the same in a journal with a history.
ROUNDS = 2


def work(journal: StoredJournal, say: Callable[[str], object]) -> None:
    """Rounds of receive, commit, begin, postpone, finish. A line is printed after each call has returned."""
    for number in range(ROUNDS):
        journal.receive([Said("!r", f"${number}", "@anna:x", START, "hello"), CaughtUp(START)], f"s{number}")
        say(f"received {number}")
        while (waiting := journal.next_event()) is not None:
            seq, event = waiting
            effects = (
                Queued("chat", ChatMessage(MessageKind.CARD.of(str(seq)), "!r", "hi")),
                Queued("act", Join("!r")),
            )
            documents: dict[tuple[str, str], Document | None] = {("Room", f"!{seq}"): Room(f"!{seq}")}
            if isinstance(event, Said):
                documents["Transfer", over(seq).id] = over(seq)
            journal.commit(
                seq,
                Committed(
                    START,
                    documents,
                    queued=effects if isinstance(event, Said) else (),
                    audit=(AuditEntry("all", PeerRefused(f"decided {seq}")),),
                    found=((f"$found{seq}", MessageKind.CARD.of(f"found{seq}"), "!r"),),
                ),
            )
            say(f"committed {seq}")
        for row in journal.due("chat", START):
            journal.begin(row.id, START)
            say(f"begun {row.id}")
            journal.postpone(row.id, START, Tick(START))
            say(f"postponed {row.id}")
            journal.begin(row.id, START)
            journal.finish(row.id, Posted(START, MessageKind.CARD.of(str(row.cause)), "!r", f"$card{row.id}"))
            say(f"finished {row.id}")


def opened(folder: Path, url: str) -> StoredJournal:
    """The journal in that folder, or that of the space with its name."""
    if not url:
        return Journal.open(folder)
    lease = claim(Address(url, folder.name), "a worker")
    assert lease is not None
    return StoredJournal(PostgresqlDatabase(lease), lease, lambda: START)


@contextmanager
def at_each_statement(
    journal: StoredJournal, before: Callable[[], object], after: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Call these before and after every statement (with SQLite only `before`)."""
    database = journal._database
    if isinstance(journal, Journal):
        journal._database._connection.set_trace_callback(lambda _: before())
        yield
        journal._database._connection.set_trace_callback(None)
        return
    assert isinstance(database, PostgresqlDatabase)

    def surrounded(statement: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- psycopg's own
            before()
            found = statement(*arguments, **named)
            after()
            return found

        return called

    surround = ((database._connection, "execute"), (database._statements, "executemany"))
    for owner, name in surround:
        vars(owner)[name] = surrounded(getattr(owner, name))
    try:
        yield
    finally:
        for owner, name in surround:
            del vars(owner)[name]


def work_until(fatal: int, folder: Path, url: str) -> None:
    """Do the work; get killed before the statement of that number."""
    folder.mkdir()
    with opened(folder, url) as journal, (folder / "said").open("w", buffering=1) as said:
        count = 0

        def before_a_statement() -> None:
            nonlocal count
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

        with at_each_statement(journal, before_a_statement):
            work(journal, lambda line: said.write(f"{line}\n"))


def each_statement(folder: Path, url: str = "", step: str = "1") -> None:
    """One process for each statement, until one finishes. Forking saves the imports."""
    killed = True
    for fatal in itertools.count(1, int(step)):
        if not killed:
            return
        child = os.fork()
        if child == 0:
            work_until(fatal, folder / str(fatal), url)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and status:
            sys.exit(f"the work failed at {fatal}")


def hang(folder: Path, url: str = "") -> None:
    """Begin a step and never end it."""
    journal = opened(folder, url)
    (row,) = journal.commit(journal.put(Tick(START)), Committed(START, queued=(Queued("act", Join("!r")),)))
    journal.begin(row, START)
    print("acting", flush=True)  # noqa: T201 - the test waits for it
    sys.stdin.read()


if __name__ == "__main__":
    {"each": each_statement, "hang": hang}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
