"""What else travelled goes to the stock item that was booked in, or to the part that was made for it."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.inventree.rows import Row, address, for_notes, lines_for_notes, plain, same
from fedbot.inventree.server import Server
from fedbot.inventree.whole_items import parameters_of
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.steps import Furnish, Furnished
from fedbot.rules.model.whole_item import Parameter, words_of_part

_PART = "part"


def find_furnished(server: Server, step: Furnish) -> Furnished | None:
    """Probe of `Furnish`: a stock item has it all. A part is looked at by the step itself."""
    return Furnished() if step.model != _PART and not _missing(_row(server, step), step) else None


def furnish(server: Server, step: Furnish) -> Furnished:
    """Add what is missing, and read it back. Raises `OutcomeUnknown` if it isn't there then."""
    row = _row(server, step)
    if step.model == _PART and row.get("link") != address(step.link):  # made, or changed, by a person
        return Furnished()
    content = _missing(row, step)
    if step.model == _PART:
        notes = lines_for_notes(words_of_part(step.details, _with_a_field(server, row, step)))
        content |= {"notes": notes} if notes and not row.get("notes") else {}
    if content:
        server.api.patch(_url(step), content)
        if _missing(_row(server, step), step):
            raise OutcomeUnknown(Plain(Fault.DETAILS_CHANGED))
    return Furnished()


def _with_a_field(server: Server, row: Row, step: Furnish) -> tuple[str, ...]:
    """The names of the parameters that the part has, once those are made whose templates are there by name."""
    wanted = step.details.parameters
    if not wanted:
        return ()
    there = [each.name for each in parameters_of(server, row, step.pk)]
    templates = server.api.rows(server.version.parameter_templates)
    found = list(there)
    for each in wanted:
        named = [int(row["pk"]) for row in templates if same(str(row.get("name") or ""), each.name)]
        if named and not any(same(each.name, name) for name in there) and _made(server, step.pk, named[0], each):
            found.append(each.name)
    return tuple(each.name for each in wanted if any(same(each.name, name) for name in found))


def _made(server: Server, part: int, template: int, parameter: Parameter) -> bool:
    """Whether the template takes the value: its unit or its choices may be others."""
    url, fields = server.version.parameters_call(part)
    try:
        server.api.post(url, {**fields, "template": template, "data": plain(parameter.value)})
    except NotPermitted:
        raise
    except Refusal:
        return False
    return True


def _url(step: Furnish) -> str:
    return f"{'part' if step.model == _PART else 'stock'}/{step.pk}/"


def _row(server: Server, step: Furnish) -> Row:
    more = {"parameters": "true"} if step.model == _PART else {}
    return server.api.row(_url(step), tags="true", **more)


def _tags(row: Row) -> list[str]:
    tags = row.get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, Sequence) and not isinstance(tags, str) else []


def _missing(row: Row, step: Furnish) -> dict[str, object]:
    """Notes and tags with what they lack; nothing of those that lack nothing."""
    notes = str(row.get("notes") or "")
    lines = [line for each in step.notes if (line := for_notes(each)) and line not in notes.splitlines()]
    tags = _missing_tags(row, step)
    content: dict[str, object] = {"notes": "\n\n".join([*([notes] if notes else []), *lines])} if lines else {}
    return content | ({"tags": [*_tags(row), *tags]} if tags else {})


def _missing_tags(row: Row, step: Furnish) -> list[str]:
    """Tags have no commas here: InvenTree takes a text with one for several."""
    wanted = dict.fromkeys(tag for each in step.tags if (tag := plain(each).replace(",", " ").strip()))
    there = _tags(row)
    return [tag for tag in wanted if not any(same(tag, other) for other in there)]
