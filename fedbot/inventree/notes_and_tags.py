"""Our lines in a stock item's notes, and our tags, with which InvenTree itself shows a loan or a booking.

Only lines and tags in our own form are changed. Everything else in the notes stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fedbot.inventree import errors
from fedbot.inventree.rows import Row, for_notes
from fedbot.inventree.server import Server
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.ports.inventory import OutcomeUnknown
from fedbot.rules.model.diagnosis import ItemFault, OfItem
from fedbot.rules.model.steps import BookedFor, Label, Labelled, LoanLabel, day_in_notes

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
