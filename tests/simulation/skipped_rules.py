"""Ask every rule, also those that `dispatch` would skip, and check that a skipped one does nothing.

`dispatch` and the transfers ask a feature only if its documents, or a field of the transfer, call for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from fedbot.rules import decisions, dispatch, health, typed_lines, web
from fedbot.rules.catalogue import search, want
from fedbot.rules.connection import connect, disconnect
from fedbot.rules.loan import end, hand_back, label, overdue, waiting_list
from fedbot.rules.model.command import WebAccess, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, is_for_page
from fedbot.rules.model.events import Said
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import files

_Rule = Any
"""A module of rules: `follow`, or `look` and `next_wake`."""


@contextmanager
def all_asked() -> Iterator[list[str]]:
    """Within the block every feature is asked, whatever the tables say; the list names those that did something."""
    missed: list[str] = []
    decided, short_lines, for_us = dispatch._check_lifecycles, typed_lines._full_line, typed_lines.is_for_us

    def asked(turn: Turn, table: dispatch._Table[_Rule]) -> Iterator[_Rule]:
        for rules, present in table:
            if not present or any(each.holds(turn) for each in present):
                yield from rules
            else:
                _asked_all_in_vain(missed, turn, rules, after_each=table is dispatch._AFTER_EACH)

    def follow_the_tables(turn: Turn) -> None:
        _look_at_turn(missed, turn)
        decided(turn)

    def stands_for(turn: Turn, event: Said) -> str | Phrase:
        found = short_lines(turn, event)
        by_all = search.full_line(turn, event) or want.full_line(turn, event) or waiting_list.full_line(turn, event)
        if found != by_all:
            missed.append(f"{event.text}: {found!r}, not {by_all!r}")
        return found

    def is_for_us(turn: Turn, event: Said) -> bool:
        if typed_lines._kind_answered(turn, event) is not MessageKind.CARD:
            _asked_in_vain(missed, turn, lambda turn: hand_back.return_of_remark(turn, event))
            _asked_in_vain(missed, turn, lambda turn: decisions.transfer_of_reason(turn, event))
        return for_us(turn, event)

    with (
        patch.object(dispatch, "_to_run", asked),
        patch.object(dispatch, "_check_lifecycles", follow_the_tables),
        patch.object(typed_lines, "_full_line", stands_for),
        patch.object(typed_lines, "is_for_us", is_for_us),
    ):
        yield missed


def _asked_all_in_vain(missed: list[str], turn: Turn, rules: tuple[Any, ...], *, after_each: bool) -> None:
    for rule in rules:
        if after_each:
            _asked_in_vain(missed, turn, rule.follow)
        else:
            _asked_in_vain(missed, turn, rule.look)
            _asked_in_vain(missed, turn, rule.next_wake, [])


def _look_at_turn(missed: list[str], turn: Turn) -> None:
    if not turn.holds_where(Connection, lambda connection: connection.is_ending_or_over):
        _asked_in_vain(missed, turn, disconnect.finish_ending)
    if not any(map(is_for_page, turn.effects)):
        _asked_in_vain(missed, turn, web.hand_over)
    if not turn.holds(WebLine, WebAccess):
        _asked_in_vain(missed, turn, web.look)
    if turn.status().inventory_down_since is None:
        _asked_in_vain(missed, turn, health.on_inventory_back)
    for connection in turn.connections():
        if not connection.is_overdue(turn.now):
            _asked_in_vain(missed, turn, lambda turn, it=connection: connect.expire(turn, it))  # type: ignore[misc]
        if not connection.is_ending_or_over and disconnect.stop_resending(turn, connection) is not connection:
            missed.append("falls_silent")
    for transfer in turn.restless_transfers():
        _look_at_transfer(missed, turn, transfer)


def _look_at_transfer(missed: list[str], turn: Turn, transfer: Transfer) -> None:
    if not transfer.moves_what_is_lent:
        _asked_in_vain(missed, turn, lambda turn: label.show(turn, transfer))
    if not transfer.is_loan:
        _asked_in_vain(missed, turn, lambda turn: overdue.is_refused(turn, transfer), otherwise=False)
        _asked_in_vain(missed, turn, lambda _: label.until(transfer), otherwise="")
    if not transfer.is_return:
        _asked_in_vain(missed, turn, lambda turn: end.on_return_finished(turn, transfer))
    silent = [p for p in transfer.progress if not transfer.line(p.number).tells_of_files]
    missed += ["files.wanted" for progress in silent if files.wanted(transfer, progress)]


def _asked_in_vain(missed: list[str], turn: Turn, ask: Callable[[Turn], object], otherwise: object = None) -> None:
    before = _held(turn)
    answer = ask(turn)
    if _held(turn) != before or answer != otherwise:
        missed.append(f"{ask.__module__}.{ask.__qualname__}")


def _held(turn: Turn) -> tuple[Any, ...]:
    return dict(turn.changes), turn.effects[:], turn.audit[:], turn.found_posts[:], turn.voided_subjects[:], turn.us
