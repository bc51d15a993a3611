"""Our own keys in InvenTree's metadata: where an item came from, the mirror of the journal (`fedbot`), what is shared.

A PATCH merges the top level only and loses concurrent updates on every version: so only our own
key is ever sent, it is read back, and the journal decides.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from fedbot.inventree.rows import Row, restored, stored
from fedbot.inventree.server import Server
from fedbot.ports.inventory import InventoryProblem, NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.queries import CompanyMirror, CompanyMirrors, MirrorsFound
from fedbot.rules.model.steps import OWN_KEY, SHARE_KEY, Mirror, Mirrored
from fedbot.rules.model.stock import Provenance

log = logging.getLogger(__name__)

SIGNATURE = "signature"
_PEER_LINK = "?fed="

# How far a split's ancestors are followed; a longer chain would be a loop.
_MOST_ANCESTORS = 20


def read(server: Server, model: str, pk: int) -> dict[str, Any]:
    """The whole metadata of a record. Raises `NotPermitted` without the right to change it (API >= 436)."""
    content = server.api.row(server.version.metadata_url(model, pk)).get("metadata")
    if not isinstance(content, dict):
        return {}
    return {key: restored(value) if key in (OWN_KEY, SHARE_KEY) else value for key, value in content.items()}


def foreign_part(content: dict[str, Any]) -> str:
    """The metadata without our own keys, as JSON text: what travels, sealed, with an item. Empty if nothing."""
    others = {key: value for key, value in content.items() if key not in (OWN_KEY, SHARE_KEY)}
    return json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""


def provenance_in(content: dict[str, Any]) -> Provenance | None:
    """Where an item came from, as our key says it; None if it isn't said."""
    own = content.get(OWN_KEY)
    if not isinstance(own, dict) or not isinstance(own.get("origin"), str) or not own["origin"]:
        return None
    item = own.get("item")
    return Provenance(
        origin=own["origin"],
        transfer=str(own.get("transfer") or ""),
        item=item if isinstance(item, int) else 0,
    )


def origin_of(server: Server, row: Row, own: Provenance | None) -> str:
    """The party that an item came from, seen in itself or in an item it was split from; empty if it is ours.

    A split copies the metadata: a mark with another key than the item's own is void, but the origin stays all
    the same.
    """
    if own is not None:
        return own.origin
    ancestor, seen = row.get("parent"), {row.get("pk")}
    while isinstance(ancestor, int) and ancestor not in seen and len(seen) < _MOST_ANCESTORS:
        seen.add(ancestor)
        try:
            found = provenance_in(read(server, "stockitem", ancestor))
            ancestor = server.api.row(f"stock/{ancestor}/").get("parent") if found is None else None
        except NotPermitted:
            raise
        except Refusal:  # deleted since: its own ancestors can't be known
            return ""
        if found is not None:
            return found.origin
    return ""


# --- what a lost journal is rebuilt from ---------------------------------------------------------------------


def company_mirrors(server: Server, _: CompanyMirrors) -> MirrorsFound:
    """What we have signed into the metadata of our peers' companies, which are told by their link."""
    signed: list[CompanyMirror] = []
    unsigned: list[str] = []
    for row in server.for_companies().rows("company/"):
        if _PEER_LINK not in str(row.get("link") or ""):
            continue
        pk, name = int(row["pk"]), str(row.get("name") or "")
        own = read(server, "company", pk).get(OWN_KEY)
        if not isinstance(own, dict):
            continue
        value = {key: content for key, content in own.items() if key != SIGNATURE}
        if server.sign is not None and own.get(SIGNATURE) == server.sign(signed_text("company", pk, value)):
            signed.append(CompanyMirror(pk, name, json.dumps(value, sort_keys=True, ensure_ascii=False)))
        else:
            unsigned.append(name)
    return MirrorsFound(tuple(signed), tuple(unsigned))


# --- the mirror --------------------------------------------------------------------------------------------


def find_mirrored(server: Server, step: Mirror) -> Mirrored | None:
    """Probe of `Mirror`: our key reads as it should. What is new isn't looked for: to write it twice does no harm."""
    return None if step.is_new else _reads(server, step)


def _reads(server: Server, step: Mirror) -> Mirrored | None:
    return Mirrored() if read(server, step.model, step.pk).get(step.key) == _value(server, step) else None


def mirror(server: Server, step: Mirror) -> Mirrored:
    """Write our own key, and read it back; of a company the answer to the writing will do, as it is written often."""
    url = server.version.metadata_url(step.model, step.pk)
    told = server.api.patch(url, {"metadata": {step.key: stored(_value(server, step))}})
    found = Mirrored() if step.is_new and _told(told, step.key) == _value(server, step) else _reads(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.METADATA_CHANGED))
    return found


def mirrored_at_once(server: Server, item: int, text: str) -> bool:
    """Write what a stock item's metadata tells of a step, right after that; whether InvenTree holds it then.

    If not, a `Mirror` follows, which says what hinders it: the step itself is done all the same.
    """
    if not text:
        return False
    step = Mirror("", "stockitem", item, json.dumps({"item": item, **json.loads(text)}), is_new=True)
    try:
        mirror(server, step)
    except InventoryProblem as problem:
        log.info("the metadata of stock item #%d is written later: %s", item, problem.text)
        return False
    return True


def _told(answer: object, key: str) -> object:
    content = answer.get("metadata") if isinstance(answer, dict) else None
    return restored(content.get(key)) if isinstance(content, dict) else None


def _value(server: Server, step: Mirror) -> object:
    """What is to stand under our key, signed if we can. Raises `Refusal` for a value that is no object."""
    try:
        value = json.loads(step.value)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(Plain(Fault.BAD_VALUE))
    if server.sign is None:
        return value
    return {**value, SIGNATURE: server.sign(signed_text(step.model, step.pk, value))}


def signed_text(model: str, pk: int, value: dict[str, Any]) -> bytes:
    """What a mirrored value's signature is over: the record that it stands in, and the value without it.

    People can edit metadata, and a split copies it, so a signature is good for one record only.
    """
    unsigned = {key: content for key, content in value.items() if key != SIGNATURE}
    text = json.dumps(unsigned, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"{model}/{pk}/{text}".encode()
