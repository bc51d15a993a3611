"""Events in, decisions committed wholly or not at all, and documents read back."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.ports import journal as journals
from fedbot.ports.journal import BrokenRule, Committed, NotStorable, Queued, Retention, UnreadableRow, WrongTurn
from fedbot.rules.archive import Document
from fedbot.rules.model.audit import AuditEntry, PeerRefused, StepWasDone
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import (
    CaughtUp,
    ClockSetBack,
    EnvelopeSeen,
    Event,
    PartyAnnounced,
    RoomSeen,
    Said,
    Started,
    StepRefused,
    Tick,
)
from fedbot.rules.model.health import BotStatus, Quarantined
from fedbot.rules.model.room import Room
from fedbot.rules.model.steps import StepKind
from fedbot.rules.transfer.send import BookOut
from tests.journal.conftest import START, Opened, StandingClock


def said(event_id: str, text: str = "hello") -> Said:
    return Said("!r", event_id, "@anna:x", START, text)


def undecided(journal: StoredJournal) -> list[Event]:
    """All undecided events, each decided with nothing."""
    found = []
    while (waiting := journal.next_event()) is not None:
        seq, event = waiting
        found.append(event)
        journal.commit(seq, Committed(START))
    return found


def all_documents(journal: StoredJournal) -> list[Document]:
    return [document for _, _, document in journal.documents()]


def decide(journal: StoredJournal, **what: Any) -> int:  # noqa: ANN401
    """Decide a new event like this; return its seq."""
    seq = journal.put(Tick(START))
    journal.commit(seq, Committed(START, **what))
    return seq


STEP = Join("!r")


def decided(journal: StoredJournal, *queued: Queued) -> tuple[int, ...]:
    """Decide with these effects; return the ids of their rows."""
    return journal.commit(journal.put(Tick(START)), Committed(START, queued=queued))


def test_the_journal_has_all_methods_of_the_port(journal: StoredJournal) -> None:
    port: journals.Journal = journal
    assert port.next_event() is None
    inherited = {name for name in vars(journals.Journal) if not name.startswith("_")}
    assert inherited <= vars(StoredJournal).keys()  # nothing is left to the protocol's empty bodies


def test_events_are_decided_in_the_order_of_their_arrival(journal: StoredJournal) -> None:
    journal.put(Started(START, "0.1.0"))
    journal.receive([said("$1"), said("$2"), CaughtUp(START)], "s1")
    journal.put(Tick(START))
    assert undecided(journal) == [Started(START, "0.1.0"), said("$1"), said("$2"), CaughtUp(START), Tick(START)]
    assert journal.next_event() is None


def test_an_undecided_event_is_given_again_until_it_is_decided(journal: StoredJournal) -> None:
    seq = journal.put(Tick(START))
    assert journal.next_event() == (seq, Tick(START)) == journal.next_event()
    journal.commit(seq, Committed(START))
    assert journal.next_event() is None


def test_the_sync_token_is_stored_with_its_events(journal: StoredJournal) -> None:
    assert journal.token() is None
    assert journal.receive([said("$1")], "s1") == 1
    assert journal.token() == "s1"
    assert journal.receive([], "s2") == 0
    assert journal.token() == "s2"


def test_a_repeated_chat_event_is_taken_in_once(journal: StoredJournal) -> None:
    assert journal.receive([said("$1"), said("$1"), said("$2")], "s1") == 2
    assert journal.receive([said("$2"), said("$3")], "s2") == 1
    assert undecided(journal) == [said("$1"), said("$2"), said("$3")]
    assert journal.receive([said("$1")], "s3") == 0  # decided long ago, still known
    assert undecided(journal) == []


def test_an_event_without_a_matrix_id_is_never_a_repetition(journal: StoredJournal) -> None:
    seen = RoomSeen("!r", "made-up", START)
    unnamed = PartyAnnounced("!r", "", "@bot:x", START, {})
    assert journal.receive([seen, unnamed], "s1") == 2
    assert journal.receive([seen, unnamed], "s2") == 2
    assert undecided(journal) == [seen, unnamed, seen, unnamed]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6))
def test_each_event_of_repeated_syncs_is_taken_in_once_in_its_first_order(syncs: list[list[int]]) -> None:
    with Journal.in_memory() as journal:
        for number, sync in enumerate(syncs):
            journal.receive([said(f"${event}") for event in sync], f"s{number}")
        first_order = list(dict.fromkeys(event for sync in syncs for event in sync))
        assert undecided(journal) == [said(f"${event}") for event in first_order]


def test_a_sync_with_an_event_that_can_not_be_stored_leaves_no_trace(journal: StoredJournal) -> None:
    journal.receive([], "s1")
    broken: Sequence[Any] = [said("$1"), Said("!r", "$2", "@a:x", START.replace(tzinfo=None), "no zone")]
    with pytest.raises(NotStorable):
        journal.receive(broken, "s2")
    assert journal.token() == "s1"
    assert journal.receive([said("$1")], "s2") == 1


def test_a_deeply_nested_event_does_not_delay_the_sync(
    journal: StoredJournal, caplog: pytest.LogCaptureFixture
) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    trap = EnvelopeSeen("!r", "$trap", "@eve:x", START, {"body": deep})
    assert journal.receive([said("$1"), trap, said("$2")], "s1") == 2
    assert journal.token() == "s1"
    assert undecided(journal) == [said("$1"), said("$2")]
    assert "$trap" in caplog.text


def test_a_decision_is_committed_as_a_whole(journal: StoredJournal) -> None:
    seq = journal.put(Tick(START))
    note = AuditEntry("k7m2", PeerRefused("no route"), "@anna:x", "$1", says="beta")
    rows = journal.commit(
        seq,
        Committed(
            at=START,
            documents={("Room", "!r"): Room("!r", "Makers")},
            queued=(Queued("chat", Join("!r")), Queued("chat", Join("!s"))),
            audit=(note,),
        ),
    )
    assert journal.next_event() is None
    assert list(journal.documents()) == [("Room", "!r", Room("!r", "Makers"))]
    assert [(row.id, row.cause, row.effect) for row in journal.due("chat", START)] == [
        (rows[0], seq, Join("!r")),
        (rows[1], seq, Join("!s")),
    ]
    assert [(line.at, line.cause, line.entry) for line in journal.audit("k7m2")] == [(START, seq, note)]
    assert journal.audit("m2k7") == ()


@pytest.mark.parametrize(
    "broken",
    [
        {"documents": {("Room", "!r"): Room("!r"), ("Room", "!s"): Room("!other")}},
        {"documents": {("Room", "!r"): Room("!r"), ("BotStatus", "!r"): Room("!r")}},
        {"queued": (Queued("chat", Join("!r")), Queued("chat", "no effect"))},  # type: ignore[arg-type]
        {"queued": (Queued("chat", Join("!r")), Queued("moon", Join("!r")))},  # type: ignore[arg-type]
        {"audit": (AuditEntry("k7m2", PeerRefused("fine")), AuditEntry("k7m2", StepWasDone("PutAway", line=True)))},
    ],
)
def test_a_decision_that_can_not_be_stored_leaves_no_trace(journal: StoredJournal, broken: dict[str, Any]) -> None:
    seq = journal.put(Tick(START))
    fine: dict[str, Any] = {
        "documents": {("Room", "!fine"): Room("!fine")},
        "queued": (Queued("chat", Join("!fine")),),
        "audit": (AuditEntry("k7m2", PeerRefused("fine")),),
    }
    with pytest.raises((NotStorable, BrokenRule)):
        journal.commit(seq, Committed(START, **(fine | broken)))
    assert journal.next_event() == (seq, Tick(START))
    assert all_documents(journal) == []
    assert journal.due("chat", START) == ()
    assert journal.audit("k7m2") == ()


def test_an_event_is_decided_only_once(journal: StoredJournal) -> None:
    seq = journal.put(Tick(START))
    journal.commit(seq, Committed(START))
    for number in (seq, seq + 1, 0):
        with pytest.raises(WrongTurn):
            journal.commit(number, Committed(START, audit=(AuditEntry("k7m2", PeerRefused("again")),)))
    assert journal.audit("k7m2") == ()


def test_documents_are_read_oldest_first_as_they_were_saved_last(journal: StoredJournal) -> None:
    decide(journal, documents={("Room", "!a"): Room("!a"), ("Room", "!b"): Room("!b")})
    decide(journal, documents={("BotStatus", "standing"): BotStatus()})
    decide(journal, documents={("Room", "!a"): Room("!a", "renamed")})
    assert all_documents(journal) == [Room("!a", "renamed"), Room("!b"), BotStatus()]
    decide(journal, documents={("Room", "!a"): None, ("Room", "!never-there"): None})
    assert all_documents(journal) == [Room("!b"), BotStatus()]


def test_an_event_that_can_not_be_read_back_is_named_and_can_be_skipped(journal: StoredJournal) -> None:
    seq = journal.put(Tick(START))
    journal.put(Started(START, "0.1.0"))
    with journal._database.transaction() as connection:
        connection.execute("UPDATE inbox SET kind = 'FromTheFuture' WHERE seq = ?", (seq,))
    with pytest.raises(UnreadableRow, match="FromTheFuture") as caught:
        journal.next_event()
    assert caught.value.number == seq
    journal.commit(seq, Committed(START))
    assert undecided(journal) == [Started(START, "0.1.0")]


def test_a_document_that_can_not_be_read_back_is_named(journal: StoredJournal) -> None:
    decide(journal, documents={("Room", "!r"): Room("!r")})
    with journal._database.transaction() as connection:
        connection.execute("""UPDATE documents SET payload = '{"colour": 1}'""")
    with pytest.raises(UnreadableRow, match="has no colour"):
        list(journal.documents())


def test_an_audit_entry_that_can_not_be_read_back_is_named(journal: StoredJournal) -> None:
    decide(journal, audit=(AuditEntry("k7m2", PeerRefused("x")),))
    with journal._database.transaction() as connection:
        on = " ON audit" if isinstance(journal._database, PostgresqlDatabase) else ""
        connection.execute(f"DROP TRIGGER audit_never_changes{on}")
        connection.execute("""UPDATE audit SET entry = '{"colour": 1}'""")
    with pytest.raises(UnreadableRow, match="has no colour"):
        journal.audit("k7m2")


def test_two_journals_have_different_ids(journal: StoredJournal, another_journal: Opened) -> None:
    with another_journal() as other:
        assert other.journal_id != journal.journal_id
        assert len(other.journal_id) == 32


WEEK = timedelta(days=7)
A_WEEK = Retention(lines=WEEK, events=WEEK, messages=WEEK, least_ids=0)


def test_finished_rows_are_pruned_and_open_ones_stay(journal: StoredJournal, clock: StandingClock) -> None:
    old = journal.put(Tick(START))
    rows = journal.commit(
        old,
        Committed(
            START,
            documents={("Room", "!r"): Room("!r")},
            queued=tuple(Queued("chat", Join(f"!{number}")) for number in range(4)),
            audit=(AuditEntry("k7m2", PeerRefused("old")),),
        ),
    )
    journal.finish(rows[0], None)
    journal.fail(rows[1], None, "no")
    waiting = journal.put(Started(START, "0.1.0"))
    clock.pass_by(days=10)
    journal.finish(rows[2], None)
    assert journal.prune(A_WEEK) == 3  # one event, two effects
    assert journal.prune(A_WEEK) == 0
    assert journal.next_event() == (waiting, Started(START, "0.1.0"))
    assert [row.id for row in journal.due("chat", clock())] == [rows[3]]
    assert all_documents(journal) == [Room("!r")]
    assert len(journal.audit("k7m2")) == 1
    with pytest.raises(WrongTurn):
        journal.finish(rows[0], None)
    journal.commit(waiting, Committed(START))
    assert journal.put(Tick(START)) > waiting  # a pruned number is never used again


def test_an_event_is_known_for_60_days_by_our_own_clock(journal: StoredJournal, clock: StandingClock) -> None:
    # A stranger's homeserver can date its events as it likes.
    long_ago = Said("!r", "$1", "@eve:x", START - timedelta(days=10_000), "again and again")
    journal.receive([long_ago], "s1")
    undecided(journal)
    clock.pass_by(days=60)
    journal.prune(A_WEEK)
    assert journal.receive([long_ago], "s2") == 0
    clock.pass_by(seconds=1)
    journal.prune(A_WEEK)
    assert journal.receive([long_ago], "s3") == 1


def test_a_fast_clock_makes_no_event_unknown(journal: StoredJournal, clock: StandingClock) -> None:
    said = Said("!r", "$1", "@eve:x", START, "push everything")
    journal.receive([said], "s1")
    clock.pass_by(days=10_000)
    journal.prune(Retention())
    assert journal.receive([said], "s2") == 0


def test_a_set_aside_event_waits_until_it_is_retried_and_a_new_process_knows_it(
    journal: StoredJournal, clock: StandingClock
) -> None:
    tick, other = journal.put(Tick(START)), journal.put(Tick(START + timedelta(seconds=1)))
    number = journal.set_event_aside(tick, Quarantined("Tick", "", "ZeroDivisionError", START))
    assert journal.next_event() == (other, Tick(START + timedelta(seconds=1)))
    assert journal.quarantined() == (Quarantined("Tick", "", "ZeroDivisionError", START, number, is_event=True),)
    assert journal.try_again(number)
    assert not journal.try_again(number)
    assert journal.next_event() == (tick, Tick(START))
    undecided(journal)
    rows = decided(journal, Queued("act", STEP, key="k7m2"), Queued("act", STEP, key="k7m2"), Queued("act", STEP))
    aside = journal.set_row_aside(rows[0], Quarantined("TakeOut", "k7m2", "no", START))
    assert [row.id for row in journal.due("act", clock())] == [rows[2]], "what is behind it waits, others don't"
    assert journal.try_again(aside)
    assert [row.id for row in journal.due("act", clock())] == [*rows]
    journal.finish(rows[2], None)
    assert journal.set_row_aside(rows[2], Quarantined("TakeOut", "", "no", START)) == 0


def test_nothing_is_begun_on_a_subject_with_an_undecided_outcome(journal: StoredJournal, clock: StandingClock) -> None:
    rows = decided(journal, Queued("act", STEP, key="k7m2"), Queued("act", STEP, key="other"))
    seq = journal.put(StepRefused(START, BookOut("k7m2", 1, StepKind.TAKE_OUT), Plain(Fault.MOVED_BACK)))
    assert [row.id for row in journal.due("act", clock())] == [rows[1]]
    number = journal.set_event_aside(seq, Quarantined("StepRefused", "k7m2", "no", START))
    assert [row.id for row in journal.due("act", clock())] == [rows[1]]
    assert journal.try_again(number)
    journal.commit(seq, Committed(START))
    assert [row.id for row in journal.due("act", clock())] == [*rows]


def test_a_row_delayed_by_a_fast_clock_is_delayed_by_as_much_and_no_longer(
    journal: StoredJournal, clock: StandingClock
) -> None:
    (row,) = decided(journal, Queued("act", STEP))
    ahead = START + timedelta(days=60)
    journal.begin(row, ahead)
    journal.postpone(row, ahead + timedelta(minutes=5))
    journal.clock_set_back(ClockSetBack(START, ahead))
    (due,) = journal.due("act", START + timedelta(minutes=5))
    assert (due.acted_at, due.not_before) == (START, START + timedelta(minutes=5))


def test_threads_take_turns(journal: StoredJournal) -> None:
    def put_some(_: int) -> list[int]:
        return [journal.put(Tick(START)) for _ in range(25)]

    with ThreadPoolExecutor(4) as threads:
        numbers = [seq for some in threads.map(put_some, range(4)) for seq in some]
    assert sorted(numbers) == list(range(1, 101))
    assert undecided(journal) == [Tick(START)] * 100
