"""The sharing list: the items that peers may find, and name in a request. It starts empty.

The journal is authoritative. The whole list is mirrored into the peers' companies' metadata, from which it is rebuilt,
and a stock item's entry into that item's. Parts and categories aren't mirrored: the bot would need roles for nothing
else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fedbot.rules.catalogue.provenance import WriteMirror
from fedbot.rules.connection import provision
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import CATEGORY, EVERYTHING, ITEM, PART, Share, share_id
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Do
from fedbot.rules.model.queries import Scope, Thing
from fedbot.rules.model.steps import SHARE_KEY, Mirror
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn

MOST_SHARES = 200
EVERYTHING_ID = share_id(EVERYTHING, 0)


def scope(turn: Turn) -> Scope:
    """Return the scope of everything that is shared now."""
    shares = turn.all(Share)
    return Scope(
        everything=any(share.model == EVERYTHING for share in shares),
        items=_keys(shares, ITEM),
        item_parts=tuple(key for share in shares if share.model == ITEM for key in _keys_above(share, PART)),
        parts=_keys(shares, PART),
        templates=_keys([share for share in shares if share.is_template], PART),
        categories=_keys(shares, CATEGORY),
    )


def _keys(shares: Sequence[Share], model: str) -> tuple[int, ...]:
    return tuple(share.pk for share in shares if share.model == model)


def _keys_above(share: Share, model: str) -> tuple[int, ...]:
    return tuple(int(key) for kind, _, key in (above.partition(":") for above in share.above) if kind == model)


def covering(turn: Turn, identifier: str, above: Sequence[str]) -> list[Share]:
    """Return the entries by which peers see this thing: its own, and those above it."""
    ids = [identifier, *above, EVERYTHING_ID]
    return [share for share in (turn.get(Share, each) for each in ids) if share is not None]


def begin(turn: Turn, thing: Thing, by: Signature) -> Share:
    """Share it: from now on peers may find and request it."""
    name = presentable(thing.name)
    share = Share(thing.model, thing.pk, name, by.person, turn.now, thing.above, thing.is_template)
    turn.save(share)
    _remember(turn, [share], by, shared=True)
    return share


def end(turn: Turn, shares: Sequence[Share], by: Signature) -> None:
    """Remove these entries from the list. Open transfers continue."""
    for share in shares:
        turn.drop(share)
    _remember(turn, shares, by, shared=False)


def _remember(turn: Turn, shares: Sequence[Share], by: Signature, *, shared: bool) -> None:
    for share in shares:
        turn.note(share.id, audit.Fact.SHARED if shared else audit.Fact.NOT_SHARED, by.person, by.event_id)
        if share.model == ITEM:
            value = {"shared": shared, "by": by.person, "at": turn.now.isoformat()}
            text = json.dumps(value, sort_keys=True)
            step = Mirror("fed:share:0:mirror", share.model, share.pk, text, SHARE_KEY)
            turn.do(Do(WriteMirror(share.id), step))
    for connection in turn.active_connections():
        provision.mirror(turn, connection)


# --- in a company's metadata ---


def restore(turn: Turn, mirrored: Any) -> None:  # noqa: ANN401 -- JSON that we have signed
    """Restore the list from a company's metadata, unless there is one already."""
    if turn.all(Share) or not isinstance(mirrored, list):
        return
    for model, pk, name, by, at, above, is_template in mirrored:
        when = datetime.fromisoformat(at)
        turn.save(Share(str(model), int(pk), str(name), str(by), when, tuple(above), bool(is_template)))
