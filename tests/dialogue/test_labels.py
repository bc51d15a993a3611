"""The traces of a loan in both InvenTrees: a line in the notes, a tag, and entries in the history."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.records import StockItem
from tests.dialogue.test_lending import back, handed_back, lent, loan
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import friends, told

DAY = "15 Dec 2026"


def record(space: Space, transfer: Transfer) -> StockItem:
    """The stock item of its first line."""
    item = transfer.at(1).item
    assert item is not None
    row: StockItem = space.row(item)
    return row


def ours(row: StockItem) -> list[str]:
    """Our lines in its notes."""
    return [line for line in (row.notes or "").splitlines() if " – fedbot " in line]


async def test_peoples_tags_stay_though_other_clients_remove_the_tags_from_the_answer() -> None:
    """An InvenTree of API 530 with several clients: a bot that reads no tags must write none."""
    world = await friends()
    world.alpha.admin("PATCH", "stock/42/", tags=["optics", "for courses"])
    faults, taken = world.alpha.transport.faults, Fault(FaultKind.FIELDS_TAKEN, "GET", "stock/42/$", times=None)
    world.alpha.before("POST", "stock/change_status/", lambda: faults.add(taken))  # with the mark that it has arrived
    await lent("#42", "until 15.12.", world)
    await world.passes(timedelta(minutes=10))
    assert set(world.alpha.row(42).tags) == {"optics", "for courses"}
    faults.clear()
    await world.passes(timedelta(hours=2))
    assert set(world.alpha.row(42).tags) == {"optics", "for courses", "fedbot: lent"}


async def test_a_loan_is_in_the_notes_and_tags_of_both_stock_items() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    code = loan(world.alpha).code
    given, got = record(world.alpha, loan(world.alpha)), record(world.beta, loan(world.beta))
    assert ours(given) == [f"Lent to Betaspace until {DAY} – fedbot {code}"]
    assert ours(got) == [f"Borrowed from Attraktor until {DAY} – fedbot {code}"]
    assert (given.tags, got.tags) == (("fedbot: lent",), ("fedbot: borrowed",))
    assert "<" not in f"{given.notes}{got.notes}"
    assert_books_balance(world)


async def test_the_line_in_the_notes_follows_an_extension() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    world.anna.says(f"!fed extend {loan(world.alpha).code} until 31.12.")
    await world.settle()
    for space, words in ((world.alpha, "Lent to Betaspace"), (world.beta, "Borrowed from Attraktor")):
        assert ours(record(space, loan(space))) == [f"{words} until 31 Dec 2026 – fedbot {loan(space).code}"]


async def test_the_notes_of_a_fully_returned_item_no_longer_mention_the_loan() -> None:
    world = await lent("#42", "until 15.12.")
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    us, gone = world.alpha.row(42), record(world.beta, back(world.beta))
    assert (ours(us), us.tags) == ([], ())
    assert ours(gone) == [f"Returned to Attraktor – fedbot {loan(world.beta).code}"]
    assert gone.tags == ()


async def test_after_a_partial_return_each_row_has_its_own_label() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    code = loan(world.alpha).code
    world.piet.reacts(await handed_back(world, "return 4"), "✅")
    await world.grace()
    assert ours(record(world.alpha, loan(world.alpha))) == [f"Lent to Betaspace until {DAY} – fedbot {code}"]
    assert ours(record(world.beta, loan(world.beta))) == [f"Borrowed from Attraktor until {DAY} – fedbot {code}"]
    us, gone = record(world.alpha, back(world.alpha)), record(world.beta, back(world.beta))
    assert us.pk != record(world.alpha, loan(world.alpha)).pk
    assert (ours(us), us.tags) == ([], ())
    assert ours(gone) == [f"Returned to Attraktor – fedbot {code}"]
    assert_books_balance(world)


async def test_a_gift_and_a_loss_are_in_the_notes() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    code = loan(world.alpha).code
    world.piet.says(f"!fed gift {code}")
    await world.settle()
    assert ours(record(world.alpha, loan(world.alpha))) == [f"Given to Betaspace, first as a loan – fedbot {code}"]
    assert ours(record(world.beta, loan(world.beta))) == [f"A gift from Attraktor, first a loan – fedbot {code}"]
    assert record(world.beta, loan(world.beta)).tags == ()
    other = await lent("M3-NUT 10", "until 15.12.")
    code = loan(other.alpha).code
    other.piet.says(f"!fed lost {code}")
    await other.settle()
    assert ours(record(other.alpha, loan(other.alpha))) == [f"Lost, lent to Betaspace – fedbot {code}"]
    assert ours(record(other.beta, loan(other.beta))) == [f"Lost, borrowed from Attraktor – fedbot {code}"]
    assert record(other.beta, loan(other.beta)).tags == ("fedbot: lost",)


async def test_peoples_own_notes_and_tags_are_kept() -> None:
    world = await friends()
    world.alpha.admin("PATCH", "stock/42/", notes="# Care\n\nonly isopropanol\n\n* soft cloth", tags=["optics", "a,b"])
    world = await lent("#42", "until 15.12.", world)
    lens = world.alpha.row(42)
    assert ours(lens) == [f"Lent to Betaspace until {DAY} – fedbot {loan(world.alpha).code}"]
    assert set(lens.tags) == {"optics", "a,b", "fedbot: lent"}
    mine = f"{lens.notes}\n\nKim: the case is with Mia"
    world.alpha.admin("PATCH", "stock/42/", notes=mine)
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    lens = world.alpha.row(42)
    assert lens.notes == "# Care\n\nonly isopropanol\n\n* soft cloth\n\nKim: the case is with Mia"
    assert set(lens.tags) == {"optics", "a,b"}


async def test_a_persons_simultaneous_edit_wins_and_our_line_is_added_to_it() -> None:
    world = await friends()
    world.anna.says("!fed lend #42 to betaspace until 15.12.")
    await world.settle()
    world.alpha.admin("PATCH", "stock/42/", notes="old words")
    seen: list[str] = []

    def overwrites() -> None:
        """A person's editor, opened before our line was written, saves after it."""
        seen.append(world.alpha.row(42).notes)
        world.alpha.admin("PATCH", "stock/42/", notes="new words")

    world.alpha.before("PATCH", "stock/42/$", lambda: world.alpha.before("GET", "stock/42/$", overwrites))
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert "Lent to Betaspace" in seen[0], "it was overwritten after our write"
    notes = world.alpha.row(42).notes
    assert notes == f"Lent to Betaspace until {DAY} – fedbot {loan(world.alpha).code}\n\nnew words"


async def test_the_history_says_lent_borrowed_and_returned() -> None:
    world = await lent("#42", "until 15.12.")
    got = record(world.beta, loan(world.beta)).pk
    assert any(
        "lent to Betaspace (betaspace) until 15 Dec 2026, offered by Anna" in note for note in world.alpha.history(42)
    )
    assert any(
        "borrowed from Attraktor (attraktor) until 15 Dec 2026, offered by" in note for note in world.beta.history(got)
    )
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    assert any("returned by Betaspace (betaspace), fine, says Piet" in note for note in world.alpha.history(42))
    assert any("returned to Attraktor (attraktor), asked by Bea" in note for note in world.beta.history(got))
    assert not any("given to" in note for note in world.beta.history(got))


async def test_a_returned_loan_that_was_never_borrowed_leaves_no_line() -> None:
    world = await friends()
    world.anna.says("!fed lend #42 to betaspace until 15.12.")
    await world.settle()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.REVERTED
    assert (ours(world.alpha.row(42)), world.alpha.row(42).tags) == ([], ())


async def test_notes_that_inventree_refuses_do_not_stop_a_loan_and_the_admins_are_told_once() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "PATCH", "/api/stock/[0-9]+/$", times=None, status=400)
    world = await lent("#42", "until 15.12.", world)
    assert loan(world.alpha).is_on_loan
    assert len(told(world.alpha_admins, "don't show the state of loan")) == 1
