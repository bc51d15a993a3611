"""Our marks in InvenTree: metadata, lines in the notes, tags. By them we recognise the right row and a restored server.

On every version a PATCH of metadata merges only the top level, and concurrent updates get lost. So the bot sends only
its own key and reads it back, and the journal decides. In the notes and tags, only what has our own form is changed.
Everything else stays.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from fedbot.inventree.client import errors
from fedbot.inventree.client.rows import Row, for_notes, restored, same, stored
from fedbot.inventree.client.server import Server
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.history import read_ahead, read_item
from fedbot.inventree.stock import item_row, item_row_if_there
from fedbot.ports.inventory import InventoryProblem, NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model import steps
from fedbot.rules.model.diagnosis import GONE, AnotherThing, Fault, ItemFault, OfItem, Plain, Unlike
from fedbot.rules.model.queries import CompanyMirror, CompanyMirrors, HistoryAt, HistorySeen, LendingSaid, MirrorsFound
from fedbot.rules.model.steps import (
    LENDING_KEY,
    OWN_KEY,
    SHARE_KEY,
    BookedFor,
    Known,
    Label,
    Labelled,
    LoanLabel,
    Mirror,
    Mirrored,
    Step,
    day_in_notes,
)
from fedbot.rules.model.stock import Anchor, Provenance

# --- metadata ---


log = logging.getLogger(__name__)

SIGNATURE = "signature"
_OUR_LINKS = ("?fed=", "?outside=")
"""The ends of the links of companies that we created, for friends and for neighbours without a bot."""

_MISSPELT, _LONGEST_KEY = 0.8, 40

# The most ancestors of a split that are followed; a longer chain would be a loop.
_MOST_ANCESTORS = 20


def read(server: Server, model: str, pk: int) -> dict[str, Any]:
    """The whole metadata of a record.

    Raises `NotPermitted` without the permission to change the record (API >= 436).
    """
    content = server.api.row(server.version.metadata_url(model, pk)).get("metadata")
    if not isinstance(content, dict):
        return {}
    return {key: restored(value) if key in (OWN_KEY, SHARE_KEY) else value for key, value in content.items()}


class LendingRules:
    """The lending rules in the metadata of parts, categories and locations. Each record is read once per answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._read: dict[tuple[str, int], LendingSaid | None] = {}

    def of(self, model: str, pk: int, name: str) -> LendingSaid | None:
        """The record's rules, None if it has none. `name` is how people call the record: 'location Attic'."""
        if (model, pk) not in self._read:
            self._read[(model, pk)] = self._said(model, pk, name)
        return self._read[(model, pk)]

    def _said(self, model: str, pk: int, name: str) -> LendingSaid | None:
        try:
            content = read(self._server, model, pk)
        except NotPermitted:
            return LendingSaid(name, None)
        if LENDING_KEY in content:
            return LendingSaid(name, json.dumps(content[LENDING_KEY]))
        misspelt = {key: value for key, value in content.items() if _is_misspelt_lending(key)}
        return LendingSaid(name, json.dumps(misspelt)) if misspelt else None


def _is_misspelt_lending(key: str) -> bool:
    """Whether people mean our key for a lending rule. Its rule is told as not understood, rather than passed over."""
    return SequenceMatcher(None, key.casefold()[:_LONGEST_KEY], LENDING_KEY).ratio() > _MISSPELT


def foreign_part(content: dict[str, Any]) -> str:
    """The metadata without our own keys, as JSON text; it travels, sealed, with an item. Empty if there is none."""
    others = {key: value for key, value in content.items() if key not in (OWN_KEY, SHARE_KEY, LENDING_KEY)}
    return json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""


def provenance_in(content: dict[str, Any]) -> Provenance | None:
    """The item's provenance from our key; None if the key has none."""
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
    """The party that an item, or an item it was split from, came from; '' if it is ours.

    A split copies the metadata. A mark with another item's key is void as a mark, but its origin still counts.
    """
    if own is not None:
        return own.origin
    ancestor, seen = row.get("parent"), {row.get("pk")}
    while isinstance(ancestor, int) and ancestor not in seen and len(seen) < _MOST_ANCESTORS:
        seen.add(ancestor)
        try:
            found = provenance_in(read(server, "stockitem", ancestor))
            ancestor = server.api.row(f"stock/{ancestor}/").get("parent") if found is None else None
        except Refusal as problem:
            if problem.reason != GONE:
                raise
            return ""  # it was deleted, so its own ancestors are unknown
        if found is not None:
            return found.origin
    return ""


# --- the sources for rebuilding a lost journal ---------------------------------------------------------------


def company_mirrors(server: Server, _: CompanyMirrors) -> MirrorsFound:
    """Everything that we signed into the metadata of our peers' companies, which our links identify."""
    signed: list[CompanyMirror] = []
    unsigned: list[str] = []
    for row in server.for_companies().rows("company/"):
        if not any(link in str(row.get("link") or "") for link in _OUR_LINKS):
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
    """Probe of `Mirror`: our key has the right value.

    A new value isn't probed, because writing it twice does no harm.
    """
    return None if step.is_new else _reads(server, step)


def _reads(server: Server, step: Mirror) -> Mirrored | None:
    return Mirrored() if read(server, step.model, step.pk).get(step.key) == _value(server, step) else None


def mirror(server: Server, step: Mirror) -> Mirrored:
    """Write our own key, and read it back. For a new value the PATCH's answer suffices, because those are frequent."""
    url = server.version.metadata_url(step.model, step.pk)
    told = server.api.patch(url, {"metadata": {step.key: stored(_value(server, step))}})
    found = Mirrored() if step.is_new and _told(told, step.key) == _value(server, step) else _reads(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.METADATA_CHANGED))
    return found


def mirrored_at_once(server: Server, item: int, text: str) -> bool:
    """Write a step's metadata to its stock item right after the step; return whether InvenTree has it then.

    If not, a `Mirror` follows, which reports the obstacle; the step itself counts as done.
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
    """The value for our key in the metadata, signed if possible. Raises `Refusal` unless it is an object."""
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
    """The text that the signature of a mirrored value covers: its record, and the value without the signature.

    People can edit metadata, and a split copies it, so a signature is valid for one record only.
    """
    unsigned = {key: content for key, content in value.items() if key != SIGNATURE}
    text = json.dumps(unsigned, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"{model}/{pk}/{text}".encode()


# --- Whether a stock item is still the one that we know under its number, before a step touches it.
#
# After a restore, InvenTree gives out numbers again, so a key alone proves nothing. The stock item must match what we
# know, and its history, or the link of an item that we booked in, must have our marks.

ON_KNOWN_ITEMS = (
    steps.HandOver
    | steps.PutBack
    | steps.TakeBack
    | steps.Arrived
    | steps.Remark
    | steps.WriteOff
    | steps.BookInAgain
    | steps.PutAway
    | steps.Label
    | steps.AttachPhoto
)
"""The steps on a stock item that we know. `TakeOut` is on one that people named; it checks by itself.

So does `MergeBack`, which knows two items, of which one is gone afterwards.
"""
_STOCK_ITEM = "stockitem"
_LONGEST_NAME = 60


def recognise(server: Server, step: Step) -> None:
    """Raise `Refusal` (`another-thing`, `gone`) if the step's number is another stock item now.

    Stock item and history come in one call, and serve the probe that follows. `TakeBack` is different: if only part of
    the item returns, another item's history shows it.
    """
    if isinstance(step, ON_KNOWN_ITEMS):
        item, known, mark = step.item, step.known, line_of(step.mark)
    elif isinstance(step, steps.Furnish | steps.KeepFile) and step.model == _STOCK_ITEM:
        item, known, mark = step.pk, step.known, line_of(step.mark)
    elif isinstance(step, steps.Mirror) and step.model == _STOCK_ITEM and step.known is not None:
        item, known, mark = step.pk, step.known, ""
    else:
        return
    if isinstance(step, steps.TakeBack):
        check(server, item, known, mark)
        return
    lines = [line for line in dict.fromkeys((mark, known.mark if known else "")) if line]
    row = read_item(server, item, lines)
    if row is None or not isinstance(row.get("part_detail"), dict):
        check(server, item, known, mark)
        return
    server.rows_ahead[item] = row
    _check_row(server, row, known, mark)


def line_of(mark: str) -> str:
    """The beginning of all marks of the same line: `fed:k7m2:1:` for `fed:k7m2:1:over`."""
    return ":".join(mark.split(":")[:3]) + ":"


def check(server: Server, item: int, known: Known | None, mark: str) -> None:
    """Check that the row with that number is the one we know; if nothing is known, that it has at least the mark."""
    _check_row(server, item_row(server, item), known, mark)


def _check_row(server: Server, row: Row, known: Known | None, mark: str) -> None:
    if known is not None:
        _is_what_we_know(row, known)
        mark = known.mark
    if mark and not _is_marked(server, row, mark):
        raise _another(row, Unlike.MARK)


def _is_what_we_know(row: Row, known: Known) -> None:
    if row.get("part") != known.part:
        part: Mapping[str, Any] = row.get("part_detail") or {}
        name = str(part.get("IPN") or part.get("name") or "")[:_LONGEST_NAME]
        raise _another(row, Unlike.PART, name or str(row.get("part")))
    serial, batch = str(row.get("serial") or ""), str(row.get("batch") or "")
    if not same(serial, known.serial):
        raise _another(row, Unlike.SERIAL, serial)
    if known.batch is not None and not same(batch, known.batch):
        raise _another(row, Unlike.BATCH, batch)


def _is_marked(server: Server, row: Row, mark: str) -> bool:
    """Whether the row has the mark, in its link, which costs no call, or in its history."""
    link = str(row.get("link") or "")
    if mark in link or mark.replace(":", "%3A") in link:
        return True
    pk = int(row["pk"])
    entries = server.read_ahead.get((mark, pk))
    return any(entry.item == pk for entry in (read_ahead(server, mark, pk) if entries is None else entries))


def _another(row: Row, unlike: Unlike, found: str = "") -> Refusal:
    return Refusal(AnotherThing(int(row["pk"]), unlike, found))


# --- Whether InvenTree was restored to an earlier state, as its stock history shows. Only reads.
#
# InvenTree doesn't say that another version of its database is in place. But the keys of the history only grow, and an
# entry never changes. If an entry that we saw is gone or different, although its stock item exists, the server was
# restored.

_NEWEST = 25
_MOST = 3
"""The number of stock items whose entries are remembered. Only if all were deleted do their entries prove nothing."""


def history_at(server: Server, query: HistoryAt) -> HistorySeen:
    """The newest entries of three stock items, and whether the remembered ones still exist."""
    rows = server.api.row("stock/track/", limit=_NEWEST).get("results") or []
    newest: dict[int | None, Anchor] = {}
    for row in sorted(rows, key=lambda each: int(each["pk"]), reverse=True):
        newest.setdefault(row.get("item"), _anchor(row))
    top = max((int(row["pk"]) for row in rows), default=0)
    anchors = tuple(anchor for item, anchor in newest.items() if item is not None)[:_MOST]
    went_back = _went_back(server, query.anchors, top)
    if went_back:
        server.stock.doubt()
    return HistorySeen(anchors, went_back=went_back)


def _went_back(server: Server, anchors: tuple[Anchor, ...], top: int) -> bool:
    stands = [_stands(server, anchor) for anchor in anchors]
    if False in stands:
        return True
    nothing_told = bool(anchors) and set(stands) == {None}
    return nothing_told and top < min(anchor.pk for anchor in anchors)


def _stands(server: Server, anchor: Anchor) -> bool | None:
    """Whether the entry is unchanged; None if it was deleted with its stock item, as old versions do."""
    row = server.api.row_if_there(f"stock/track/{anchor.pk}/")
    if row is not None:
        found = _anchor(row)
        return found.date == anchor.date and found.item in (anchor.item, None)
    is_there = anchor.item is not None and item_row_if_there(server, anchor.item) is not None
    return False if is_there else None


def _anchor(row: Row) -> Anchor:
    return Anchor(int(row["pk"]), row.get("item"), str(row.get("date") or ""))


# --- our lines in the notes, and our tags, with which InvenTree itself shows a loan or a booking ---


_SENTENCES: dict[LoanLabel, str] = {
    LoanLabel.LENT: "Lent to {peer} until {day}",
    LoanLabel.BORROWED: "Borrowed from {peer} until {day}",
    LoanLabel.RETURNED: "Returned to {peer}",
    LoanLabel.GIVEN: "Given to {peer}, first as a loan",
    LoanLabel.GIFT: "A gift from {peer}, first a loan",
    LoanLabel.LOST_THERE: "Lost, lent to {peer}",
    LoanLabel.LOST_HERE: "Lost, borrowed from {peer}",
}
TAG = "fedbot: "
_TAGS: dict[LoanLabel, str] = {
    LoanLabel.LENT: f"{TAG}lent",
    LoanLabel.BORROWED: f"{TAG}borrowed",
    LoanLabel.LOST_THERE: f"{TAG}lost",
    LoanLabel.LOST_HERE: f"{TAG}lost",
}
_OPENINGS = "|".join(re.escape(sentence.partition("{peer}")[0]) for sentence in _SENTENCES.values())
_OURS = re.compile(rf"^(?:{_OPENINGS})[^\n]* – fedbot [0-9a-z]+[ ]*$", re.MULTILINE)
_BOOKED = re.compile(r"^Booked for [^\n]* – fedbot [0-9a-z]+[ ]*$", re.MULTILINE)
_BOOKED_TAG = f"{TAG}booked"
_MOST_TRIES = 3


def find_labelled(server: Server, step: Label) -> Labelled | None:
    """Probe of `Label`: our line and our tag are there, without older ones."""
    row = _item_row(server, step)
    is_there = _notes(row) == _noted(_notes(row), step) and tags_of(row) == _tagged(tags_of(row), step)
    return Labelled() if is_there else None


def label(server: Server, step: Label) -> Labelled:
    """Write our line and our tag, and read them back. Raises `OutcomeUnknown` if they are overwritten three times."""
    for _ in range(_MOST_TRIES):
        row = _item_row(server, step)
        written = {"notes": _noted(_notes(row), step), "tags": _tagged(tags_of(row), step)}
        server.api.patch(f"stock/{step.item}/", written)
        found = find_labelled(server, step)
        if found is not None:
            return found
    raise OutcomeUnknown(OfItem(ItemFault.NOTES_CHANGED, step.item))


def _item_row(server: Server, step: Label) -> Row:
    return with_tags(server.api, f"stock/{step.item}/")


def with_tags(api: InvenTreeTransport, url: str, **params: object) -> Row:
    """The row of a stock item or part with its tags, which newer versions return only on request.

    Raises `Unavailable` if the tags are missing: if that counted as no tags, the next write would remove them.
    """
    row = api.row(url, tags="true", **params)
    if "tags" not in row:
        raise errors.unreadable(api.host, reading=True)
    return row


def _notes(row: Row) -> str:
    return str(row.get("notes") or "")


def _noted(notes: str, step: Label) -> str:
    """The notes with our lines. Each replaces its older version, or else comes first."""
    if step.what is not LoanLabel.AS_IS:
        notes = _with(notes, _line(step), _OURS)
    if step.booked is not None:
        notes = _with(notes, "\n\n".join(_booking(each) for each in step.booked), _BOOKED)
    return notes


def _with(notes: str, line: str, ours: re.Pattern[str]) -> str:
    found = ours.search(notes)
    if not line:
        return _without(notes, ours)
    if found is None:
        return f"{line}\n\n{notes}" if notes.strip() else line
    behind = _without(notes[found.end() :], ours)
    return notes[: found.start()] + line + behind


def without_lines_of_ours(notes: str) -> str:
    """The notes without our lines."""
    return _without(_without(notes, _OURS), _BOOKED)


def by_others(line: str) -> str:
    """A peer's line for the notes. If it looks like one of our own, it gets a prefix that says that it is theirs."""
    return f"They write: {line}" if _OURS.match(line) or _BOOKED.match(line) else line


def is_ours(tag: str) -> bool:
    """Whether a tag has our prefix; upper and lower case are the same."""
    return tag.casefold().startswith(TAG.strip())


def _without(notes: str, ours: re.Pattern[str]) -> str:
    """The notes without these lines, and without the empty line that separates each from its neighbour."""
    while (found := ours.search(notes)) is not None:
        before, behind = notes[: found.start()], notes[found.end() :]
        is_last = not behind.strip()
        notes = before.removesuffix("\n").removesuffix("\n") if is_last else before + re.sub(r"^\n{1,2}", "", behind)
    return notes


def _tagged(tags: list[str], step: Label) -> list[str]:
    """The tags with ours added and removed as needed. Tags that stay keep InvenTree's order."""
    wanted = {_BOOKED_TAG} & set(tags) if step.booked is None else {_BOOKED_TAG} if step.booked else set()
    if step.what is LoanLabel.AS_IS:
        wanted |= {each for each in tags if each.startswith(TAG) and each != _BOOKED_TAG}
    elif tag := _TAGS.get(step.what, ""):
        wanted.add(tag)
    kept = [each for each in tags if not each.startswith(TAG) or each in wanted]
    return [*kept, *sorted(wanted - set(kept))]


def _line(step: Label) -> str:
    """Our line, such as 'Borrowed from Attraktor until 12 Dec 2026 – fedbot gp75'; '' for none."""
    sentence = _SENTENCES.get(step.what)
    if sentence is None:
        return ""
    return f"{sentence.format(peer=for_notes(step.peer_name), day=_day(step))} – fedbot {step.code}"


def _day(step: Label) -> str:
    return "?" if step.until is None else day_in_notes(step.until)


def _booking(booked: BookedFor) -> str:
    """A booking's line: 'Booked for Betaspace from 12 Dec 2026 until 19 Dec 2026 – fedbot gp75'."""
    days = f"from {day_in_notes(booked.first)} until {day_in_notes(booked.last)}"
    return f"Booked for {for_notes(booked.peer_name)} {days} – fedbot {booked.code}"


def tags_of(row: Row) -> list[str]:
    """The tags in a row; empty if it was read without them."""
    tags = row.get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, Sequence) and not isinstance(tags, str) else []
