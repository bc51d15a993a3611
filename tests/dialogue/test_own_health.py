"""Our own InvenTree in conversations: down and back, upgraded while we run, and the bot's own tokens renewed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.tokens import issue_token
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, friends, told

A_DAY = timedelta(days=1)
DAILY: dict[str, Any] = {"look_every": A_DAY}
ENDS = date(2027, 11, 24)
DAY_30, DAY_14, DAY_3 = ENDS - 30 * A_DAY, ENDS - 14 * A_DAY, ENDS - 3 * A_DAY
NEXT, ADMIN_NEXT = f"fedbot-attraktor-{ENDS}", f"fedbot-admin-attraktor-{ENDS}"


async def status(world: World, *, private: bool = True) -> str:
    """The bot's status answer."""
    room = world.alpha_admins if private else world.room
    line = world.anna.says("!fed status", room=room.id)
    await world.settle()
    (answer,) = room.answers(line)
    return answer.text


# --- InvenTree down ------------------------------------------------------------------------------------------


async def test_an_outage_is_one_message_that_says_when_it_is_over_and_nothing_is_lost() -> None:
    world = await friends()
    cards = [await world.push(f"M3-NUT {number}") for number in (1, 2, 3)]
    for card in cards:
        world.cem.reacts(card, "✅")
    await world.settle()
    world.alpha.goes_down()
    hits = world.alpha.transport.faults.hits
    await world.grace()
    await world.passes(timedelta(hours=12))
    assert world.alpha.transport.faults.hits - hits < 300  # one call every 5 minutes for all that waits
    (outage,) = told(world.alpha_admins, "InvenTree of Attraktor")
    assert outage.text.startswith("⏸ The InvenTree of Attraktor does not answer.")
    text = await status(world)
    assert "InvenTree: silent since Tue 24 Nov, 20:14." in text
    assert "next at " in text
    assert text.partition("Waiting for it: ")[2].partition("\n")[0].count(",") == 2
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=12))
    (outage,) = told(world.alpha_admins, "InvenTree of Attraktor")
    assert outage.text.startswith("✅ The InvenTree of Attraktor answers again, since Wed 25 Nov, 08:")
    assert {transfer.state for transfer in world.alpha.turn.transfers()} == {TransferState.DONE}
    assert "is healthy" in await status(world)
    assert_books_balance(world)


async def test_an_unanswered_line_is_enough_to_notice_the_outage_and_its_end() -> None:
    world = await friends()
    world.alpha.goes_down()
    world.kim.says("!fed stats")
    await world.settle()
    assert told(world.alpha_admins, "does not answer")
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=1))
    assert told(world.alpha_admins, "answers again")
    assert not told(world.alpha_admins, "does not answer")


async def test_during_an_outage_people_are_answered_at_once_and_inventree_gets_few_calls() -> None:
    world = await friends()
    world.alpha.goes_down()
    await world.passes(timedelta(minutes=1))
    for _ in range(5):
        world.kim.says("!fed stats")
        await world.settle()
    await world.passes(timedelta(minutes=30))
    hits = world.alpha.transport.faults.hits
    lines = [world.kim.says("!fed stats") for _ in range(4)]
    await world.settle()
    assert world.alpha.transport.faults.hits - hits <= 3  # one try, each read of it three times
    assert all("has not answered" in world.answer_to(line) for line in lines)
    world.alpha.comes_back()
    world.clock.advance(timedelta(seconds=11))
    line = world.kim.says("!fed stats")
    await world.settle()
    assert "stock items" in world.answer_to(line)


async def test_an_outage_soon_after_another_goes_into_the_same_message() -> None:
    world = await friends()
    for _ in range(3):
        world.alpha.goes_down()
        world.kim.says("!fed stats")
        await world.passes(timedelta(minutes=11))
        world.alpha.comes_back()
        await world.passes(timedelta(minutes=6))
    assert len(told(world.alpha_admins, "InvenTree of Attraktor")) == 1
    await world.passes(timedelta(hours=1))
    world.alpha.goes_down()
    world.kim.says("!fed stats")
    await world.passes(timedelta(minutes=1))
    assert len(told(world.alpha_admins, "InvenTree of Attraktor")) == 2


async def test_a_restart_in_an_outage_tells_nothing_twice() -> None:
    world = await friends(alpha=DAILY)
    world.alpha.goes_down()
    world.kim.says("!fed stats")
    await world.passes(timedelta(minutes=20))
    await world.alpha.restart()
    await world.passes(timedelta(hours=2))
    assert len(told(world.alpha_admins, "does not answer")) == 1
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=6))
    (outage,) = told(world.alpha_admins, "InvenTree of Attraktor")
    assert "answers again" in outage.text


# --- another version -----------------------------------------------------------------------------------------


def becomes(space: Space, api: int, release: str) -> None:
    space.tables.version = replace(space.tables.version, api=api, point_release=release)


async def test_an_upgrade_is_reported_only_if_something_works_differently() -> None:
    world = await friends(alpha=DAILY)
    becomes(world.alpha, 529, "1.4.9")
    await world.passes(A_DAY + timedelta(minutes=1))
    assert world.alpha_admins.transcript() == ""
    assert world.alpha.turn.status().api == 529
    becomes(world.alpha, 460, "1.2.0")
    await world.passes(A_DAY + timedelta(minutes=1))
    (message,) = told(world.alpha_admins, "1.2.0")
    assert message.text.startswith("The InvenTree of Attraktor is now 1.2.0 (API 460); it was 1.4.9 (API 529).")
    assert "Any account can make itself admin" in message.text


async def test_a_version_that_is_too_new_is_reported_at_the_next_start_and_nothing_moves() -> None:
    world = await friends(alpha=DAILY)
    card = await world.push()
    becomes(world.alpha, 600, "2.0.0")
    await world.alpha.restart()
    await world.settle()
    (message,) = told(world.alpha_admins, "2.0.0")
    assert "I move nothing until you update me" in message.text
    assert "accept_api: 600" in message.text
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(hours=1))
    assert world.alpha.total("M3-NUT") == 350
    assert len(told(world.alpha_admins, "I lack a permission in the InvenTree")) == 1
    assert not told(world.alpha_admins, "does not answer")
    becomes(world.alpha, 530, "1.5.0 dev")
    await world.passes(A_DAY)
    assert world.alpha.total("M3-NUT") == 340


async def test_an_invalid_token_is_reported_once_a_day_and_is_no_outage() -> None:
    world = await friends(alpha={**DAILY, "stats_schedule": "0 * * * *"})
    rows = world.alpha.tables.tokens
    token = rows.find("user", world.alpha.user("fedbot").pk)[0]
    rows.put(replace(token, revoked=True))
    await world.passes(timedelta(hours=30))
    assert len(told(world.alpha_admins, "does not accept the token")) == 2
    assert not told(world.alpha_admins, "does not answer")
    rows.put(token)
    await world.passes(timedelta(hours=2))
    assert told(world.room, "stock items of")


async def test_work_that_waits_for_a_token_says_who_makes_one_and_never_that_nothing_is_to_be_done() -> None:
    world = await friends()
    card = await world.push()
    rows = world.alpha.tables.tokens
    token = rows.find("user", world.alpha.user("fedbot").pk)[0]
    rows.put(replace(token, revoked=True))
    world.cem.reacts(card, "✅")
    await world.grace()
    line = world.anna.says("!fed push M3-NUT 1 to betaspace")
    await world.passes(timedelta(minutes=3))
    said = [m.text for m in (*world.room.messages(), *world.alpha_admins.messages()) if "new token" in m.text]
    assert len(said) == 3
    assert not [
        text
        for text in said
        if "don't need to do anything" in text or "does not answer" in text or "try again later" in text
    ]
    (waits,) = [text for text in said if "3zsh has waited" in text]
    assert "an admin of Attraktor" in waits
    assert "!fed push M3-NUT 1 to betaspace" in world.answer_to(line)
    rows.put(token)
    await world.passes(timedelta(hours=1))
    assert world.alpha.total("M3-NUT") == 340


@pytest.mark.parametrize(("side", "path"), [("alpha", "stock/transfer/"), ("beta", "api/stock/")])
async def test_inventrees_own_reason_for_a_refusal_is_shown_on_both_sides(side: str, path: str) -> None:
    world = await friends()
    card = await world.push()
    getattr(world, side).fails(FaultKind.ERROR_BEFORE, "POST", path, status=418)
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=3))
    end = world.room.message("@Anna @Cem")
    for text in (world.card().text, end.text):
        assert "418 I'm a Teapot" in text.replace("teapot", "Teapot"), text
        assert "InvenTree refused it" not in text


async def test_a_clock_that_was_a_year_fast_delays_no_check() -> None:
    world = await friends(alpha={**DAILY, "reconcile_at": datetime.min.time().replace(hour=3, minute=30)})
    begun = world.clock.now()
    world.clock.advance(timedelta(days=365))
    await world.alpha.restart()
    await world.settle()
    world.clock.advance(timedelta(days=-365))
    await world.alpha.restart()
    await world.passes(timedelta(minutes=1))
    looked = world.alpha.turn.status().looked
    assert looked is not None
    assert begun <= looked <= world.clock.now()
    await world.passes(A_DAY)
    last = world.alpha.turn.status().last_reconcile
    assert last is not None
    assert begun < last <= world.clock.now()


# --- due work ------------------------------------------------------------------------------------------------


async def test_status_shows_what_is_due_next() -> None:
    more = {"stats_schedule": "0 9 * * mon", "reconcile_at": datetime.min.time().replace(hour=3, minute=30)}
    world = await friends(alpha={**DAILY, **more, "time_zone": "Europe/Berlin"})
    world.cem.says("!fed push 5 N-M3 to attraktor")
    await world.settle()
    code = world.alpha.transfer().code
    due = (await status(world)).partition("Due next:\n")[2].splitlines()
    assert due[:6] == [
        "• Wed 25 Nov, 03:30: comparing our books with our friends'",
        "• Wed 25 Nov, 21:14: checking InvenTree's version and my tokens",
        f"• Thu 26 Nov, 21:14: reminder of {code}",
        "• Mon 30 Nov, 09:00: our figures are due",
        f"• Tue 1 Dec, 21:14: {code} expires",
        "• Mon 25 Oct 2027, 00:00: new token of my own",
    ]
    in_room = (await status(world, private=False)).partition("Due next:\n")[2]
    assert "reminder of" in in_room
    assert "books" not in in_room
    assert "token" not in in_room


async def test_status_shows_the_borrower_when_a_loan_is_reminded_of() -> None:
    world = await friends()
    world.anna.says("!fed lend M3-NUT 10 to betaspace until 31.12.2026")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    line = world.cem.says("!fed status")
    await world.settle()
    assert f"• Mon 28 Dec, 08:00: reminder of {world.beta.transfer().code}" in world.answer_to(line)


async def test_books_are_compared_each_night_once_over_restarts_and_both_changes_of_the_clock() -> None:
    at = datetime.min.time().replace(hour=2, minute=30)
    world = await friends(alpha={"reconcile_at": at, "time_zone": "Europe/Berlin"})

    def comparisons() -> int:
        sent = world.room.envelopes(sender=world.alpha.chat.user_id)
        return len({e["seq"] for e in sent if e["kind"] == "books-ask"})

    for day in (datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)):
        world.clock.advance(day - timedelta(hours=12) - world.clock.now())
        for space in world.spaces:
            await space.restart()
        await world.passes(timedelta(minutes=1))
        before = comparisons()
        for hours in (13, 1, 1, 9):  # over the hour that is skipped, or comes twice
            await world.passes(timedelta(hours=hours))
            await world.alpha.restart()
        assert comparisons() == before + 1
    await world.passes(timedelta(hours=30), asleep=(world.alpha,))
    before = comparisons()
    await world.alpha.restart()
    await world.passes(timedelta(minutes=5))
    assert comparisons() == before + 1
    world.clock.advance(timedelta(hours=-5))
    await world.alpha.restart()
    await world.passes(timedelta(hours=4))
    assert comparisons() == before + 1


# --- the bot's own tokens ------------------------------------------------------------------------------------


async def with_files(folder: Path) -> World:
    """Friends; attraktor's tokens come from files that its bot may replace."""
    world = World(alpha=DAILY)
    for name, user in (("token", "fedbot"), ("admin-token", "admin")):
        (folder / name).write_text(world.alpha.seeded.token(user) + "\n")
        (folder / name).chmod(0o640)
    world.alpha.settings.update(token_file=folder / "token", admin_token_file=folder / "admin-token")
    world.alpha.__post_init__()
    await world.start()
    await world.connect()
    return world


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def comes(world: World, day: date) -> None:
    """Wait until early on that day."""
    moment = datetime.combine(day, world.clock.now().timetz()).replace(hour=21, minute=0)
    world.clock.advance(moment - world.clock.now())
    await world.alpha.restart()
    await world.passes(timedelta(minutes=10))


def tokens(space: Space, user: str) -> dict[str, bool]:
    rows = space.tables.tokens.find("user", space.user(user).pk)
    return {row.name: not row.revoked for row in rows}


def accepted(space: Space, token: str) -> bool:
    url = space.us.inventory_url
    with httpx.Client(transport=space.network[url], base_url=url) as client:
        return client.get("/api/user/me/", headers={"Authorization": f"Token {token}"}).status_code == 200


def warnings(world: World) -> list[Message]:
    return told(world.alpha_admins, "My own InvenTree token (inventree.token)")


async def test_both_own_tokens_are_renewed_and_only_then_the_old_ones_revoked(tmp_path: Path) -> None:
    world = await with_files(tmp_path)
    old = [(tmp_path / name).read_text().strip() for name in ("token", "admin-token")]
    await comes(world, DAY_30 - A_DAY)
    assert [(tmp_path / name).read_text().strip() for name in ("token", "admin-token")] == old
    await comes(world, DAY_30)
    assert tokens(world.alpha, "fedbot") == {"seed": False, NEXT: True}
    assert tokens(world.alpha, "admin")[ADMIN_NEXT]
    new = [(tmp_path / name).read_text().strip() for name in ("token", "admin-token")]
    assert [accepted(world.alpha, token) for token in (*old, *new)] == [False, False, True, True]
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o640
    assert names_in(tmp_path) == ["admin-token", "token"]
    assert world.alpha_admins.transcript() == ""
    await world.hand_over()
    await world.alpha.restart()
    await world.hand_over("M3-NUT 11")
    assert world.alpha.total("M3-NUT") == 329
    assert world.alpha.turn.own_token("token").expiry == DAY_30 + timedelta(days=365)
    said = str(world.server.log) + str(list(world.alpha.journal.documents()))
    assert not any(token in said for token in (*old, *new))


POINTS = [
    ("GET", "user/token/", FaultKind.TIMEOUT_AFTER),
    ("GET", "user/me/", FaultKind.REFUSED),
    ("DELETE", "user/tokens/", FaultKind.TIMEOUT_AFTER),
    ("DELETE", "user/tokens/", FaultKind.TIMEOUT_BEFORE),
]


@pytest.mark.parametrize(("method", "path", "kind"), POINTS)
async def test_the_token_in_the_file_is_valid_whatever_fails_in_between(
    tmp_path: Path, method: str, path: str, kind: FaultKind
) -> None:
    world = await with_files(tmp_path)
    await comes(world, DAY_30 - A_DAY)
    world.clock.advance(A_DAY)
    world.alpha.fails(kind, method, path, times=3)
    await world.alpha.restart()
    for _ in range(12):
        await world.passes(timedelta(seconds=20))
        assert accepted(world.alpha, (tmp_path / "token").read_text().strip())
        await world.alpha.restart()
    await world.passes(timedelta(hours=1))
    assert tokens(world.alpha, "fedbot") == {"seed": False, NEXT: True}
    assert tokens(world.alpha, "admin")[ADMIN_NEXT]
    assert not told(world.alpha_admins, "expires in")


async def test_a_crash_just_after_the_file_was_written_still_revokes_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await with_files(tmp_path)

    class Crash(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("fedbot.inventree.client.transport.InvenTreeTransport.use_token", dies)
        with pytest.raises(Crash):
            await comes(world, DAY_30)
    assert accepted(world.alpha, (tmp_path / "token").read_text().strip())
    await world.alpha.restart()
    await world.passes(timedelta(minutes=10))
    assert tokens(world.alpha, "fedbot") == {"seed": False, NEXT: True}


async def test_a_token_from_elsewhere_is_warned_of_at_30_14_and_3_days_and_the_new_one_is_noticed() -> None:
    world = await a_world(alpha=DAILY)
    await comes(world, DAY_30)
    (message,) = warnings(world)
    assert "expires in 30 days" in message.text
    assert f"/api/user/token/?name={NEXT}" in message.text
    assert "doesn't come from a file" in message.text
    for day in (DAY_30 + A_DAY, DAY_14, DAY_14 + A_DAY, DAY_3):
        await comes(world, day)
    ends = [text.text.partition(" expires in ")[2].partition(",")[0] for text in warnings(world)]
    assert ends == ["30 days", "14 days", "3 days"]
    by_hand = issue_token(world.alpha.tables, world.alpha.user("fedbot"), NEXT)
    world.alpha.seeded.tokens["fedbot"] = by_hand.key
    await world.alpha.restart()
    await world.settle()
    assert told(world.alpha_admins, "My new InvenTree token (inventree.token) works")
    assert tokens(world.alpha, "fedbot")[NEXT]


async def test_a_file_that_holds_another_token_by_now_is_left_alone_and_its_token_used(tmp_path: Path) -> None:
    world = await with_files(tmp_path)
    await comes(world, DAY_30 - A_DAY)
    by_hand = issue_token(world.alpha.tables, world.alpha.user("fedbot"), "by hand").key
    (tmp_path / "token").write_text(by_hand)
    await world.passes(2 * A_DAY)
    assert (tmp_path / "token").read_text() == by_hand
    assert warnings(world) == [], "it is good for a year"
    assert tokens(world.alpha, "fedbot")["by hand"]


async def test_a_file_that_can_not_be_replaced_is_reported_and_no_token_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await with_files(tmp_path)
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and may(path, mode))
    await comes(world, DAY_30)
    assert "I may not replace the file" in warnings(world)[0].text
    assert "let my system user write the file and its folder" in warnings(world)[0].text
    assert tokens(world.alpha, "fedbot") == {"seed": True}


async def test_an_inventree_that_makes_no_tokens_gets_instructions_what_to_click(tmp_path: Path) -> None:
    world = await with_files(tmp_path)
    becomes(world.alpha, 300, "0.17.0")
    await comes(world, DAY_30)
    (message,) = warnings(world)
    assert "can't create the next token over REST" in message.text
    assert accepted(world.alpha, (tmp_path / "token").read_text().strip())
