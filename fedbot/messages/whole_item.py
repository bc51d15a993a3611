"""What of an item comes along beside the item itself, and what doesn't: two lines of a card."""

from __future__ import annotations

from urllib.parse import urlsplit

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, marked
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.model.whole_item import FileTold, Trait

_STAYS: dict[Trait, str] = {
    Trait.STATUS: marked("its own status"),
    Trait.NOTES: marked("all of its notes"),
    Trait.LINK: marked("link"),
    Trait.TAGS: marked("tags"),
    Trait.PRICE: marked("price"),
    Trait.SUPPLIER_PART: marked("supplier part"),
    Trait.TESTS: marked("all test results"),
    Trait.FILES: marked("files"),
    Trait.PART_NOTES: marked("all notes of the part"),
    Trait.PART_LINK: marked("link of the part"),
    Trait.PART_TAGS: marked("tags of the part"),
    Trait.PARAMETERS: marked("all parameters"),
    Trait.PICTURE: marked("picture"),
    Trait.PART_FILES: marked("files of the part"),
    Trait.MINIMUM_STOCK: marked("minimum stock"),
}
_MOST_TAGS = _MOST_FILES = 3


def along(locale: Locale, transfer: Transfer) -> Lines:
    """'With it: notes "Handle with care", link to lens.example, tags optics, fragile.'; nothing if there is nothing."""
    words: list[str] = []
    for line in transfer.terms.lines:
        words += [word for word in _with_line(locale, transfer, line) if word not in words]
    inside = [name for line in transfer.terms.lines for name in line.details.inside]
    lines: Lines = [locale.say("With it: {words}.", words=", ".join(words))] if words else []
    if inside:
        names = ", ".join(locale.short(name, 40) for name in inside)
        told = "Inside it: {names}. It goes along, but the other InvenTree gets only a note of it."
        lines.append(locale.say(told, names=names))
    return lines


def not_along(locale: Locale, transfer: Transfer) -> Lines:
    """'Does not travel: price, files.'; nothing if all of it does."""
    traits = {trait for line in transfer.terms.lines for trait in line.stays}
    traits |= {trait for line in transfer.terms.lines if _is_new(transfer, line) for trait in line.description.stays}
    traits |= {trait for line in transfer.terms.lines for trait in _not_taken(transfer, line)}
    words = [locale.word(_STAYS[trait]) for trait in Trait if trait in traits]
    return [locale.say("Does not travel: {words}.", words=", ".join(words))] if words else []


def _not_taken(transfer: Transfer, line: Line) -> list[Trait]:
    """What would go along, and we don't take: the receiver's setting."""
    if transfer.role != "receiver":
        return []
    has_picture = _is_new(transfer, line) and line.description.details.picture
    pairs = (
        (Trait.FILES, len(_files(transfer, line)) < len(line.details.files)),
        (Trait.PICTURE, has_picture and not transfer.at(line.number).largest_file),
    )
    return [trait for trait, stays in pairs if stays]


def _files(transfer: Transfer, line: Line) -> list[FileTold]:
    """The files that go along: at the receiver only those that it takes."""
    if transfer.role != "receiver":
        return list(line.details.files)
    largest = transfer.at(line.number).largest_file
    return [file for file in line.details.files if largest and file.size <= largest]


def _is_new(transfer: Transfer, line: Line) -> bool:
    """Whether a part would be made from what is told of it."""
    progress = transfer.at(line.number)
    return progress.create_part and progress.part is None


def _with_line(locale: Locale, transfer: Transfer, line: Line) -> list[str]:
    told, words = line.details, []
    if told.notes:
        words.append(locale.word(marked('notes "{text}"')).format(text=locale.short(told.notes, 60)))
    if told.link:
        host = locale.short(urlsplit(told.link).netloc, 40)
        words.append(locale.word(marked("link to {host}")).format(host=host))
    if told.tags:
        words.append(locale.word(marked("tags {tags}")).format(tags=_some(locale, told.tags)))
    if told.status and transfer.role == "receiver":
        has_it = transfer.at(line.number).status_key is not None
        status = marked('status "{name}"') if has_it else marked('status "{name}" in its notes')
        words.append(locale.word(status).format(name=locale.short(told.status, 40)))
    if told.price is not None:
        price = f"{locale.quantity(told.price)} {told.currency}"
        words.append(locale.word(marked("price {price}")).format(price=price))
    if told.supplier_part:
        words.append(locale.word(marked("supplier part {name}")).format(name=locale.short(told.supplier_part, 40)))
    if told.tests:
        words.append("".join(map(str, locale.some("{number} test", "{number} tests", len(told.tests)))))
    if files := _files(transfer, line):
        shown = [locale.short(file.name, 40) for file in files[:_MOST_FILES]]
        more = ["…"] if len(files) > _MOST_FILES else []
        words.append(locale.word(marked("files {names}")).format(names=", ".join([*shown, *more])))
    return words + (_with_part(locale, transfer, line) if _is_new(transfer, line) else [])


def _with_part(locale: Locale, transfer: Transfer, line: Line) -> list[str]:
    told = line.description.details
    pairs = (
        (told.notes, marked("notes of the part")),
        (told.link, marked("link of the part")),
        (told.tags, marked("tags of the part")),
        (told.parameters, marked("parameters")),
        (told.picture and transfer.at(line.number).largest_file, marked("picture")),
    )
    return [locale.word(word) for there, word in pairs if there]


def _some(locale: Locale, tags: tuple[str, ...]) -> str:
    shown = [locale.short(tag, 20) for tag in tags[:_MOST_TAGS]]
    return ", ".join([*shown, *(["…"] if len(tags) > _MOST_TAGS else [])])


def not_furnished(locale: Locale, *, transfer: Transfer, line: int, problem: Diagnosis) -> Lines:
    """In the admin room: what came along with a line could not be added to it. Nothing waits for it."""
    what = naming.thing(locale, transfer.line(line))
    return [
        locale.say("Some of what came with {what} is not in InvenTree. {code}", what=what, code=transfer.code),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("The card says what came with it; please add it by hand."),
    ]


def file_not_here(locale: Locale, *, transfer: Transfer, line: int, name: str, problem: Diagnosis) -> Lines:
    """In the admin room: a file that came along with a line isn't in our InvenTree. Nothing waits for it."""
    what = naming.thing(locale, transfer.line(line))
    told = "The file {name}, which belongs to {what}, is not in InvenTree. {code}"
    return [
        locale.say(told, name=locale.short(name, 60), what=what, code=transfer.code),
        locale.say("Why: {text}", text=diagnosis(locale, problem, 300)),
        locale.say("Ask them for it, and attach it by hand."),
    ]
