"""Which of our parts a friend's thing is, by what our approvers have said (`match`), and its mirror in InvenTree.

The journal decides; the part's metadata shows it to people there, and serves where the journal is lost.
"""

from __future__ import annotations

import json

from fedbot.federation.alias import Alias, alias_id
from fedbot.federation.documents import Line
from fedbot.federation.effects import Do
from fedbot.federation.events import Context
from fedbot.federation.state import Turn
from fedbot.federation.steps import Mirror


def said_of(turn: Turn, peer: str, line: Line) -> int | None:
    """The part of ours that somebody has said this line is. The friend's IPN counts before its name."""
    words = [word for word in (line.description.ipn, line.description.name) if word]
    said = [alias for word in words if (alias := turn.alias(alias_id(peer, word)))]
    return said[0].part if said else None


def keep(turn: Turn, alias: Alias) -> Alias | None:
    """From now on that is so; what was said of the word before, if anything was."""
    before = turn.alias(alias.id)
    turn.save(alias)
    turn.note("matches", f"{alias.peer}'s {alias.word} is part {alias.part}", alias.by)
    for part in dict.fromkeys([alias.part, *([before.part] if before else [])]):
        _mirror(turn, part)
    return before


def forget(turn: Turn, alias: Alias, by: str) -> None:
    """That isn't so any more."""
    turn.drop(alias)
    turn.note("matches", f"{alias.peer}'s {alias.word} is no part of ours any more", by)
    _mirror(turn, alias.part)


def _mirror(turn: Turn, part: int) -> None:
    """All that is said of a part, into its metadata."""
    words: dict[str, list[str]] = {}
    for alias in turn.aliases():
        if alias.part == part:
            words.setdefault(alias.peer, []).append(alias.word)
    text = json.dumps({"aliases": words}, sort_keys=True, ensure_ascii=False)
    turn.do(Do(Context("mirror", "matches"), Mirror("fed:match:0:mirror", "part", part, text)))
