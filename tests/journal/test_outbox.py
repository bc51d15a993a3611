"""The outbox: the order of due rows, the life of a row, and its remains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedbot.journal.journal import Journal, StoredJournal
from fedbot.ports.journal import (
    ChatMessage,
    Committed,
    OutboxRow,
    PostPlace,
    Queued,
    Stored,
    SuggestedReaction,
    UnreadableRow,
    WrongTurn,
)
from fedbot.rules.catalogue.provenance import WriteMirror
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Do, Forget, Join
from fedbot.rules.model.events import ClockSetBack, Event, Posted, PostRefused, StepDone, Tick, Waiting
from fedbot.rules.model.room import NO_KEY, MessageKey, MessageKind
from fedbot.rules.model.steps import Mirror, Mirrored
from tests.journal.conftest import START, StandingClock

THEN = WriteMirror("k7m2")
MIRROR = Do(THEN, Mirror("fed:k7m2:1:mirror", "company", 7, "{}"))
LATER = START + timedelta(minutes=5)


def queue(journal: StoredJournal, *queued: Queued) -> tuple[int, ...]:
    return journal.commit(journal.put(Tick(START)), Committed(START, queued=queued))


def enqueue(journal: StoredJournal, effect: Stored = MIRROR) -> int:
    (row,) = queue(journal, Queued("act", effect))
    return row


def only(rows: Sequence[OutboxRow]) -> OutboxRow:
    (row,) = rows
    return row


def next_outcome(journal: StoredJournal) -> Event:
    """The next undecided event of the inbox, decided with nothing."""
    waiting = journal.next_event()
    assert waiting
    journal.commit(waiting[0], Committed(START))
    return waiting[1]


def test_an_empty_queue_is_known_without_asking_the_database_again(
    journal: StoredJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert journal.due("act", START) == ()
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_database", None)
        assert journal.due("act", START) == ()
        assert journal.next_due("act") is None
    row = enqueue(journal)
    journal.begin(row, START)
    journal.postpone(row, LATER)
    assert journal.due("act", START) == ()
    assert journal.next_due("act") == LATER
    assert only(journal.due("act", LATER)).id == row


def test_a_row_has_all_that_the_runner_needs(journal: StoredJournal) -> None:
    row = enqueue(journal)
    assert only(journal.due("act", START)) == OutboxRow(
        id=row,
        cause=1,
        queue="act",
        effect=MIRROR,
        priority=0,
        key="",
        state="queued",
        attempts=0,
        acted_at=None,
        not_before=None,
        created_at=START,
    )


def test_each_worker_has_its_own_rows(journal: StoredJournal) -> None:
    rows = queue(journal, Queued("act", MIRROR), Queued("chat", Join("!r")), Queued("vault", Forget("token")))
    assert [row.id for row in journal.due("act", START)] == [rows[0]]
    assert [row.id for row in journal.due("chat", START)] == [rows[1]]
    assert [row.id for row in journal.due("vault", START)] == [rows[2]]
    assert journal.due("ask", START) == ()


def test_the_intent_is_written_before_the_step(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, LATER)
    assert journal.due("act", LATER) == ()
    journal.postpone(row, LATER)
    begun = only(journal.due("act", LATER))
    assert (begun.attempts, begun.acted_at, begun.state) == (1, LATER, "queued")


def test_an_act_that_a_fast_clock_began_shows_that_the_clock_was_ahead(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, LATER)
    assert journal.last_moment() == LATER
    journal.clock_set_back(ClockSetBack(START, LATER))
    assert journal.last_moment() == START


def test_the_outcome_becomes_an_event_and_the_row_is_done(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, START)
    journal.finish(row, StepDone(LATER, THEN, Mirrored()))
    assert journal.due("act", LATER) == ()
    assert next_outcome(journal) == StepDone(LATER, THEN, Mirrored())
    assert journal.next_event() is None


def test_a_row_that_was_never_begun_can_be_finished_because_a_probe_may_find_it_done(journal: StoredJournal) -> None:
    journal.finish(enqueue(journal), StepDone(LATER, THEN, Mirrored()))
    assert next_outcome(journal) == StepDone(LATER, THEN, Mirrored())


def test_a_failed_row_is_over_and_its_outcome_becomes_an_event(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, START)
    refused = PostRefused(LATER, MessageKey("card:k7m2"), "!r", "M_FORBIDDEN", "no power")
    journal.fail(row, refused, "no power")
    assert journal.due("act", LATER) == ()
    assert next_outcome(journal) == refused


def test_a_postponed_row_is_due_again_at_its_time(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, START)
    waiting = Waiting(START, THEN, Plain(Fault.SILENT), LATER)
    journal.postpone(row, LATER, waiting, problem="InvenTree is away")
    assert next_outcome(journal) == waiting
    assert journal.due("act", LATER - timedelta(microseconds=1)) == ()
    assert (journal.next_due(), journal.next_due("act"), journal.next_due("chat")) == (LATER, LATER, None)
    again = only(journal.due("act", LATER))
    assert (again.problem, again.not_before) == ("InvenTree is away", LATER)
    journal.finish(row, None)
    assert journal.next_due() is None


def test_the_last_try_that_may_have_reached_the_server_is_remembered(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, START)
    journal.postpone(row, START, reached=False)
    assert only(journal.due("act", LATER)).acted_at is None
    journal.begin(row, START)
    journal.postpone(row, START)
    for minutes in (5, 10):
        journal.begin(row, START + timedelta(minutes=minutes))
        journal.postpone(row, START, reached=False)
    left = only(journal.due("act", LATER))
    assert (left.acted_at, left.attempts) == (START, 4)
    journal.postpone(row, START, reached=False)  # postponed without a try
    assert only(journal.due("act", LATER)).acted_at == START


def test_a_row_goes_only_from_where_it_is(journal: StoredJournal) -> None:
    row = enqueue(journal)
    journal.begin(row, START)
    with pytest.raises(WrongTurn):
        journal.begin(row, START)
    journal.finish(row, None)
    outcome = StepDone(LATER, THEN, Mirrored())
    with pytest.raises(WrongTurn):
        journal.finish(row, outcome)
    with pytest.raises(WrongTurn):
        journal.fail(row, outcome, "")
    with pytest.raises(WrongTurn):
        journal.postpone(row, LATER, outcome)
    with pytest.raises(WrongTurn):
        journal.begin(row, START)
    with pytest.raises(WrongTurn):
        journal.finish(row + 1, outcome)
    assert journal.next_event() is None


def test_an_effect_that_can_not_be_read_back_is_named_and_can_be_failed(journal: StoredJournal) -> None:
    row = enqueue(journal)
    other = enqueue(journal)
    with journal._database.transaction() as connection:
        connection.execute("UPDATE outbox SET payload = '{}' WHERE id = ?", (row,))
    with pytest.raises(UnreadableRow) as caught:
        journal.due("act", START)
    assert caught.value.number == row
    journal.fail(row, None, "unreadable")
    assert only(journal.due("act", START)).id == other


# --- order ------------------------------------------------------------------------------------------------


def order(journal: StoredJournal, *queued: tuple[int, str]) -> list[int]:
    """The order in which rows of these (priority, key) are due, by their positions in the list."""
    rows = queue(journal, *[Queued("chat", Join("!r"), priority, key) for priority, key in queued])
    return [rows.index(row.id) for row in journal.due("chat", START)]


def test_a_lower_priority_goes_first_and_equal_ones_in_their_order(journal: StoredJournal) -> None:
    assert order(journal, (2, ""), (0, ""), (1, ""), (0, "")) == [1, 3, 2, 0]


def test_an_urgent_edit_speeds_up_its_message_and_does_not_overtake_it(journal: StoredJournal) -> None:
    assert order(journal, (3, "other"), (5, "card"), (4, ""), (1, "card")) == [1, 3, 0, 2]


def test_rows_after_a_postponed_or_running_one_wait_for_it(journal: StoredJournal) -> None:
    rows = queue(journal, *[Queued("chat", Join("!r"), key=key) for key in ("card", "card", "other", "", "")])
    journal.begin(rows[0], START)
    journal.begin(rows[3], START)
    assert [row.id for row in journal.due("chat", START)] == [rows[2], rows[4]]
    journal.postpone(rows[0], LATER)
    assert [row.id for row in journal.due("chat", START)] == [rows[2], rows[4]]
    assert [row.id for row in journal.due("chat", LATER)] == [rows[0], rows[1], rows[2], rows[4]]
    journal.fail(rows[0], None, "no power")
    assert [row.id for row in journal.due("chat", START)] == [rows[1], rows[2], rows[4]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b"])), max_size=12))
def test_rows_of_one_key_keep_their_order_whatever_their_priorities(queued: list[tuple[int, str]]) -> None:
    with Journal.in_memory() as journal:
        places = order(journal, *queued)
    assert sorted(places) == list(range(len(queued)))
    for key in ("a", "b"):
        of_key = [place for place in places if queued[place][1] == key]
        assert of_key == sorted(of_key)
    free = [place for place in places if not queued[place][1]]
    assert free == sorted(free, key=lambda place: (queued[place][0], place))


# --- our own messages -------------------------------------------------------------------------------------


def post(journal: StoredJournal, effect: Stored, event_id: str, key: str = "card:k7m2") -> None:
    row = enqueue(journal, effect)
    journal.begin(row, START)
    journal.finish(row, Posted(LATER, MessageKey(key), "!r", event_id))


def letter(*, edit: bool = False) -> ChatMessage:
    return ChatMessage(MessageKind.CARD.of("k7m2"), "!r", "hello", edit=edit)


def test_a_message_is_found_by_its_key_and_its_key_by_the_event(journal: StoredJournal) -> None:
    assert journal.post("card:k7m2") is None
    assert list(journal.posts()) == []
    post(journal, letter(), "$1")
    assert journal.post("card:k7m2") == PostPlace("!r", "$1")
    assert list(journal.posts()) == [("$1", "card:k7m2")]
    assert next_outcome(journal) == Posted(LATER, MessageKind.CARD.of("k7m2"), "!r", "$1")


def test_an_edit_is_known_but_the_message_stays_the_first_event(journal: StoredJournal) -> None:
    post(journal, letter(), "$1")
    post(journal, letter(edit=True), "$2")
    assert journal.post("card:k7m2") == PostPlace("!r", "$1")
    assert list(journal.posts()) == [("$1", "card:k7m2"), ("$2", "card:k7m2")]


def test_a_reposted_message_replaces_the_old_one_which_is_still_known(journal: StoredJournal) -> None:
    post(journal, letter(), "$1")
    post(journal, letter(), "$2")
    assert journal.post("card:k7m2") == PostPlace("!r", "$2")
    assert list(journal.posts()) == [("$1", "card:k7m2"), ("$2", "card:k7m2")]


def test_an_event_that_is_no_message_for_people_has_no_key(journal: StoredJournal, clock: StandingClock) -> None:
    row = enqueue(journal, Join("!r"))
    journal.finish(row, Posted(clock(), NO_KEY, "!r", "$9"))
    row = enqueue(journal, SuggestedReaction(MessageKind.CARD.of("k7m2"), "!r", "✅"))
    journal.finish(row, None)
    assert list(journal.posts()) == []


def test_a_refused_message_does_not_count_as_one_in_the_room(journal: StoredJournal) -> None:
    row = enqueue(journal, letter())
    journal.fail(row, PostRefused(LATER, MessageKey("card:k7m2"), "!r", "M_TOO_LARGE", "too large"), "too large")
    assert journal.post("card:k7m2") is None
