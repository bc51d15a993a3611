"""Which of our own lending rules hold for a loan: those of the config, and those that people wrote into InvenTree.

Of several the strictest counts. One in InvenTree that can't be understood, or can't be read, lets nobody borrow, and
the admins are told where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from fedbot import messages
from fedbot.rules.model.care import Moved
from fedbot.rules.model.effects import say
from fedbot.rules.model.lending import MOST_RULES, LendingRule, said_in_inventree, that_hold
from fedbot.rules.model.queries import Answer, ItemsFound, LendingSaid
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
FOR_NOBODY = LendingRule(spaces=())


def for_loan(
    turn: Turn, moved: Sequence[Moved], items: Iterable[int], found: Iterable[Answer]
) -> tuple[LendingRule, ...]:
    """The rules for lending these stock items of ours, of which `found` tells."""
    wanted = frozenset(items)
    told = [
        said for answer in found if isinstance(answer, ItemsFound) for item, said in answer.lending if item in wanted
    ]
    return (*that_hold(turn.us.lending, moved), *_said(turn, tuple(dict.fromkeys(told))))


def _said(turn: Turn, said: tuple[LendingSaid, ...]) -> list[LendingRule]:
    rules: list[LendingRule] = []
    for each in said:
        rule = said_in_inventree(each.text) if each.text is not None else None
        if rule is None:
            _tell_admins(turn, each)
        rules.append(rule or FOR_NOBODY)
    return rules if len(rules) <= MOST_RULES else [FOR_NOBODY]


def _tell_admins(turn: Turn, said: LendingSaid) -> None:
    """Once a day for each place."""
    if turn.tell_once(f"lending rule:{said.where}", A_DAY):
        phrase = say(messages.lending_rules.rule_not_understood, where=said.where, is_hidden=said.text is None)
        turn.tell_admins(phrase, f"lending-rule:{said.where}:{turn.now.date()}")
