"""Our own lending rules for a loan: those of the settings, and those in InvenTree's metadata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules.model.care import ValuedLine
from fedbot.rules.model.effects import say
from fedbot.rules.model.lending import MOST_RULES, LendingRule, RuleOrigin, applying_to, rule_from_inventree
from fedbot.rules.model.queries import Answer, ItemsFound, LendingSaid
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
FOR_NOBODY = LendingRule(spaces=())


def rules_for(
    turn: Turn, moved: Sequence[ValuedLine], items: Iterable[int], answers: Iterable[Answer]
) -> tuple[LendingRule, ...]:
    """Return the rules for lending these stock items of ours. `answers` are InvenTree's about them."""
    wanted = frozenset(items)
    found = (answer for answer in answers if isinstance(answer, ItemsFound))
    in_metadata = [said for answer in found for item, said in answer.lending if item in wanted]
    return (*applying_to(turn.us.lending, moved), *_rules_in_inventree(turn, tuple(dict.fromkeys(in_metadata))))


def _rules_in_inventree(turn: Turn, said: tuple[LendingSaid, ...]) -> list[LendingRule]:
    rules: list[LendingRule] = []
    for each in said:
        rule = rule_from_inventree(each.text) if each.text is not None else None
        if rule is None:
            _tell_admins(turn, each)
        rules.append(replace(rule, origin=RuleOrigin(each.where, in_inventree=True)) if rule else FOR_NOBODY)
    return rules if len(rules) <= MOST_RULES else [FOR_NOBODY]


def _tell_admins(turn: Turn, said: LendingSaid) -> None:
    """Tell the admins of a rule that can't be read, at most once a day for each place."""
    if turn.tell_once(f"lending rule:{said.where}", A_DAY):
        phrase = say(messages.lending.rule_not_understood, where=said.where, is_hidden=said.text is None)
        turn.tell_admins(phrase, f"lending-rule:{said.where}:{turn.now.date()}")
