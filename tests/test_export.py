"""`fedbot export` from outside, on the journal of a played story."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot.cli.exits import Exit
from fedbot.cli.export import KINDS
from fedbot.cli.main import main
from fedbot.cli.parser import EXPORTED
from fedbot.journal.journal import Journal
from fedbot.ports.journal import Committed
from fedbot.rules.archive import Document
from fedbot.rules.ledger.history import COLUMNS
from fedbot.rules.model.events import Tick
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.wire import fingerprint
from fedbot.web.site import api
from tests.config.conftest import ENVIRONMENT, least
from tests.dialogue import test_asking_anyone, test_lending
from tests.scenarios.world import World, sharing

DOCS = Path(__file__).parents[1] / "docs" / "cli.md"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "config.yaml"
    (tmp_path / "state").mkdir()
    party = {"id": "attraktor", "name": "Attraktor", "time_zone": "Europe/Berlin"}
    path.write_text(yaml.safe_dump(least() | {"party": party, "state": str(tmp_path / "state")}))
    return path


async def a_story(journal: Path) -> World:
    """Ten nuts are given, a request for five is declined 40 days later, and a lens is on offer; attraktor's journal."""
    world = await sharing()
    await world.hand_over("M3-NUT 10")
    await world.passes(timedelta(days=40))
    world.anna.says('!fed request 5 N-M3 from betaspace --note "=HYPERLINK(\\"http://evil.example\\")"')
    await world.settle()
    world.bea.reacts(world.card(), "❌")
    await world.grace()
    await world.push("LENS-2#0042", note="for Saturday, clean")
    world.alpha.journal.backup(journal)
    return world


def export(config: Path, *arguments: str) -> int:
    return main(["export", "--config", str(config), *arguments])


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


async def test_the_ledger_is_exported_with_a_row_for_each_line_newest_first(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await a_story(config.parent / "state" / "journal.db")
    assert export(config) == Exit.OK
    lens, asked, nuts = printed(capsys)
    transfers = world.alpha.turn.transfers()
    assert [row["id"] for row in (nuts, asked, lens)] == [transfer.id for transfer in transfers]
    booked_in = world.beta.turn.transfers()[0].progress[0].item
    expected = {
        "code": transfers[0].code,
        "kind": "give",
        "state": "done",
        "asked_by": "'@anna:twin.test",
        "asked_by_user": "anna",
        "asked_by_name": "Anna",
        "decided_by": "'@cem:twin.test",
        "decided_by_user": "",
        "decided_by_name": "Cem",
        "peer": "betaspace",
        "direction": "out",
        "line": "1",
        "part": "M3 nut",
        "ipn": "M3-NUT",
        "quantity": "10",
        "our_item": str(transfers[0].progress[0].item),
        "peer_item": str(booked_in),
        "loan_until": "",
        "problem": "",
    }
    assert {name: nuts[name] for name in expected} == expected
    for moment in ("asked_at", "decided_at", "ended_at"):
        assert nuts[moment].startswith("2026-11-24T")
        assert nuts[moment].endswith("Z")
    assert (asked["kind"], asked["state"], asked["direction"]) == ("request", "declined", "in")
    assert (lens["state"], lens["decided_at"], lens["serial"]) == ("open", "", "0042")
    assert lens["note"] == "for Saturday, clean"


async def test_values_that_a_spreadsheet_would_calculate_become_text_in_csv_only(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_story(config.parent / "state" / "journal.db")
    assert export(config) == Exit.OK
    assert printed(capsys)[1]["note"].startswith("'=HYPERLINK")
    assert export(config, "--format", "json") == Exit.OK
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert rows[1]["note"].startswith("=HYPERLINK")
    assert rows[1]["loan_until"] is None
    assert rows[2]["quantity"] == "10"
    assert [tuple(row) for row in rows] == [COLUMNS] * 3


async def test_a_peer_a_day_and_a_file_can_be_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = await a_story(config.parent / "state" / "journal.db")
    output = config.parent / "ledger.csv"
    assert export(config, "--peer", "Betaspace", "--since", "2026-12-01", "--output", str(output)) == Exit.OK
    assert capsys.readouterr().out == ""
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [t.id for t in reversed(world.alpha.turn.transfers()[1:])]
    assert tuple(rows[0]) == COLUMNS
    assert export(config, "--peer", "gamma") == Exit.FAILED
    assert "no space gamma in the ledger. Spaces in it: betaspace." in capsys.readouterr().err
    assert export(config, "--output", str(config.parent / "nowhere" / "x.csv")) == Exit.FAILED
    assert "x.csv: No such file or directory." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        export(config, "--since", "yesterday")


async def test_it_reads_beside_a_running_bot_and_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = config.parent / "state"
    world = await a_story(state / "journal.db")
    changed = replace(world.alpha.turn.transfers()[0], problem="seen by export")
    with Journal.open(state) as journal:
        seq = journal.put(Tick(world.clock.now()))
        documents: dict[tuple[str, str], Document | None] = {(Transfer.__name__, changed.id): changed}
        journal.commit(seq, Committed(world.clock.now(), documents))
        before = (state / "journal.db").read_bytes()
        assert export(config) == Exit.OK
        assert printed(capsys)[2]["problem"] == "seen by export"
        assert (state / "journal.db").read_bytes() == before
    assert export(config) == Exit.OK
    assert printed(capsys)[2]["problem"] == "seen by export"


async def test_a_returned_loan_is_over_and_names_its_return(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = await test_lending.lent()
    journal = config.parent / "state" / "journal.db"
    world.alpha.journal.backup(journal)
    assert export(config) == Exit.OK
    (loan,) = printed(capsys)
    assert (loan["kind"], loan["state"], loan["loan_until"]) == ("loan", "done", "2026-12-15")
    assert (loan["loan_end"], loan["ended_at"]) == ("", "")
    world.anna.reacts(await test_lending.handed_back(world), "✅")
    await world.grace()
    world.alpha.journal.backup(journal)
    assert export(config) == Exit.OK
    back, loan = printed(capsys)
    assert (back["kind"], back["direction"], back["loan_of"]) == ("return", "in", loan["id"])
    assert back["our_item"] == loan["our_item"]
    assert back["peer_item"] == loan["peer_item"]
    assert loan["loan_end"] == "returned"
    assert loan["ended_at"] == back["decided_at"]


def test_without_a_journal_or_with_a_damaged_one_it_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(config) == Exit.FAILED
    assert "There is no journal" in capsys.readouterr().err
    journal = config.parent / "state" / "journal.db"
    journal.write_bytes(b"no journal at all" * 400)
    assert export(config) == Exit.FAILED
    assert "can't be read" in capsys.readouterr().err
    journal.unlink()
    with closing(sqlite3.connect(journal)) as newer:
        newer.execute("PRAGMA user_version = 999")
    assert export(config) == Exit.FAILED
    assert "version 999" in capsys.readouterr().err


def test_the_columns_are_those_of_the_docs_in_their_order() -> None:
    assert tuple(KINDS) == EXPORTED
    section = DOCS.read_text().partition("\n## export")[2].partition("\n## ")[0]
    for what, kind in KINDS.items():
        table = section.partition(f"\n### {what}\n")[2].partition("\n### ")[0]
        told = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        assert [name.strip(" `") for cell in told for name in cell.split(",")] == list(kind.columns)


def test_every_list_of_the_api_can_be_exported() -> None:
    """A list of the API that has no export is named here, with its place."""
    lists = {route.path.removeprefix("/api/v1/") for route in api.router.routes if "{" not in route.path}  # type: ignore[attr-defined]
    elsewhere = {
        "bookings": "transfers",
        "loans": "transfers",
        "outside": "transfers",
        "transfers.csv": "transfers",
        "now": "transfers and connections, as they wait for one person",
        "spaces": "connections",
        "figures": "computed from transfers",
        "me": "no record",
        "tokens": "no record of the space",
        "lines": "what one person said, for a day",
    }
    assert lists == {*KINDS, *elsewhere}


async def test_queue_entries_and_wants_are_exported(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = await sharing()
    journal = config.parent / "state" / "journal.db"
    for person, line in (
        (world.piet, "share all"),
        (world.anna, "wait 500 M3-NUT"),
        (world.cem, "wait 400 M3-NUT from attraktor"),
        (world.anna, "want 7 M9-WASHER until 20.12."),
        (world.cem, "want 5 M3-SCREW until 20.12."),
    ):
        person.says(f"!fed {line}")
        await world.settle()
    world.alpha.journal.backup(journal)

    assert export(config, "queues") == Exit.OK
    ours, theirs = printed(capsys)
    assert (ours["peer"], ours["direction"], ours["place"], ours["quantity"]) == ("attraktor", "out", "1", "500")
    assert (ours["state"], ours["asked_by_user"], ours["wanted"]) == ("waiting", "anna", "M3 nut")
    assert (theirs["peer"], theirs["place"], theirs["asked_by"]) == ("betaspace", "2", "")
    assert export(config, "queues", "--peer", "Betaspace", "--format", "json") == Exit.OK
    assert [row["code"] for row in json.loads(capsys.readouterr().out)] == [theirs["code"]]
    assert export(config, "queues", "--since", "2030-01-01") == Exit.OK
    assert printed(capsys) == []

    assert export(config, "wants") == Exit.OK
    ours, theirs = printed(capsys)
    assert (ours["peer"], ours["wanted"], ours["lacking"]) == ("attraktor", "M9-WASHER", "7")
    assert ours["asked_by_name"] == "Anna"
    assert (theirs["peer"], theirs["wanted"], theirs["until"]) == ("betaspace", "M3-SCREW", "2026-12-20")
    assert export(config, "wants", "--since", "2030-01-01") == Exit.OK
    assert [row["peer"] for row in printed(capsys)] == ["betaspace"], "nobody knows since when a friend wants it"

    world.beta.journal.backup(journal)
    assert export(config, "queues", "--format", "json") == Exit.OK
    (place,) = json.loads(capsys.readouterr().out)
    assert (place["direction"], place["peer"], place["place"], place["kept_until"]) == ("in", "attraktor", 2, None)
    assert place["asked_by"] == world.cem.user_id


async def test_requests_from_anyone_and_friendships_are_exported(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await test_asking_anyone.three()
    journal = config.parent / "state" / "journal.db"
    await test_asking_anyone.asks(world)
    await test_asking_anyone.asks(world, "3 M9-WASHER from anyone")
    world.alpha.journal.backup(journal)
    assert export(config, "rotas") == Exit.OK
    asked, next_one, *of_nobody = printed(capsys)
    (transfer,) = world.alpha.turn.transfers()
    assert (asked["peer"], asked["step"], asked["transfer"]) == ("betaspace", "asked", transfer.id)
    assert (next_one["peer"], next_one["step"], next_one["peer_quantity"]) == ("gammaspace", "waiting", "75")
    assert {row["state"] for row in (asked, next_one)} == {"asking"}
    assert {(row["wanted"], row["state"], row["step"]) for row in of_nobody} == {("M9-WASHER", "nobody", "")}

    assert export(config, "connections") == Exit.OK
    beta, gamma = printed(capsys)
    assert (beta["peer"], beta["state"], beta["direction"], beta["peer_name"]) == (
        "betaspace",
        "active",
        "out",
        "Betaspace",
    )
    assert beta["fingerprint"] == fingerprint(world.beta.turn.us.key)
    assert beta["decided_by"].endswith(world.bea.user_id) or beta["decided_by"].endswith(world.cem.user_id)
    assert gamma["peer"] == "gammaspace"
    assert export(config, "connections", "--peer", "gammaspace", "--since", "2026-01-01") == Exit.OK
    assert [row["id"] for row in printed(capsys)] == [gamma["id"]]


async def test_neighbours_loans_and_bookings_are_exported(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = await sharing()
    journal = config.parent / "state" / "journal.db"
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café" for 2 weeks')
    await world.passes(timedelta(minutes=1))
    world.piet.says("!fed lend #42 to betaspace from 12.12. until 19.12.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    world.alpha.journal.backup(journal)
    assert export(config) == Exit.OK
    booked, outside = printed(capsys)
    assert (booked["kind"], booked["state"], booked["direction"]) == ("loan", "booked", "out")
    assert (booked["loan_from"], booked["loan_until"]) == ("2026-12-12", "2026-12-19")
    expected = {
        "kind": "outside",
        "state": "out",
        "peer": "outside:Repair Café",
        "quantity": "10",
        "loan_from": "",
        "loan_until": "2026-12-08",
        "loan_end": "",
        "asked_by_user": "piet",
    }
    assert {name: outside[name] for name in expected} == expected
    code = world.alpha.turn.all(OutsideLoan)[0].code
    world.piet.says(f"!fed return {code}")
    await world.settle()
    world.alpha.journal.backup(journal)
    assert export(config, "--peer", "repair café", "--format", "json") == Exit.OK
    (outside,) = json.loads(capsys.readouterr().out)
    assert (outside["loan_end"], outside["peer_item"]) == ("returned", None)
    assert outside["ended_at"]
    assert export(config, "--peer", "betaspace") == Exit.OK
    assert [row["kind"] for row in printed(capsys)] == ["loan"]
