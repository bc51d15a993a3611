"""What InvenTree has of a stock item and its part beside what every card shows: what of it travels, and what doesn't.

A transfer's line carries the same records, cut to what a message takes; `Trait` names what stays where it is. Both are
part of the terms, so a decision is for them, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

MOST_TAGS = 10
LONGEST_TAG = 50
MOST_TESTS = 10
MOST_PARAMETERS = 20
MOST_INSIDE = 5
LONGEST_WORD = 100
LONGEST_NOTES = 500
LONGEST_LINK = 200
MOST_FILES = 5
LARGEST_FILE = 20_000_000
"""Bytes: no file that is larger travels, whatever is configured."""
HIGHEST_PRICE = Decimal(10) ** 9
PRICE_PLACES = 6
_LINK = re.compile(r"https?://[^\s/?#\"'<>\\]+[^\s\"'<>\\]*", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_FILE_NAME = re.compile(
    r"[^/\\<>&\"'\x00-\x1f.][^/\\<>&\"'\x00-\x1f]*\.(jpe?g|png|gif|webp|heic|pdf|txt)", re.IGNORECASE
)


class Trait(StrEnum):
    """What stays where it is, in the order in which a card names it. `PART_…`: of the part, where a new one is made."""

    STATUS = "status"
    NOTES = "notes"
    LINK = "link"
    TAGS = "tags"
    PRICE = "price"
    SUPPLIER_PART = "supplier-part"
    TESTS = "tests"
    FILES = "files"
    PART_NOTES = "part-notes"
    PART_LINK = "part-link"
    PART_TAGS = "part-tags"
    PARAMETERS = "parameters"
    PICTURE = "picture"
    PART_FILES = "part-files"
    MINIMUM_STOCK = "minimum-stock"


@dataclass(frozen=True)
class TestResult:
    """The newest result of a test: its name, whether it passed, the value measured."""

    name: str
    passed: bool
    value: str = ""

    __test__ = False  # to pytest it is no test


@dataclass(frozen=True)
class Parameter:
    """A parameter of a part: its template's name, and the value with its unit."""

    name: str
    value: str


@dataclass(frozen=True)
class FileTold:
    """A file: its name, and its length in bytes (0: InvenTree doesn't tell it)."""

    name: str
    size: int = 0


@dataclass(frozen=True)
class ItemDetails:
    """Of a stock item. `status` is the name of a custom status, `inside` what is installed in it, by name.

    `price` is what one was bought for, in `currency` (three letters). `files` are attached to it.
    """

    notes: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    status: str = ""
    price: Decimal | None = None
    currency: str = ""
    supplier_part: str = ""
    tests: tuple[TestResult, ...] = ()
    inside: tuple[str, ...] = ()
    files: tuple[FileTold, ...] = ()


@dataclass(frozen=True)
class PartDetails:
    """Of a part, for a part that is made from it. `picture` is the name of its image."""

    notes: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    picture: str = ""


NO_ITEM_DETAILS = ItemDetails()
NO_PART_DETAILS = PartDetails()


@dataclass(frozen=True)
class ItemSeen:
    """A stock item's details as InvenTree tells them. `untold` is what this answer doesn't tell of.

    `has_more_files`: something is attached to it that is no file, or more than is listed.
    """

    details: ItemDetails = NO_ITEM_DETAILS
    untold: tuple[Trait, ...] = ()
    has_more_files: bool = False


@dataclass(frozen=True)
class PartSeen:
    """A part's details as InvenTree tells them. `untold` as of an item."""

    details: PartDetails = NO_PART_DETAILS
    untold: tuple[Trait, ...] = ()
    has_minimum: bool = False


NOTHING_SEEN = ItemSeen()


def of_item(seen: ItemSeen, *, with_price: bool, largest_file: int = 0) -> tuple[ItemDetails, tuple[Trait, ...]]:
    """What of an item travels, and what stays. No file travels that is larger (0: none does)."""
    told = seen.details
    travels = ItemDetails(
        notes=told.notes[:LONGEST_NOTES],
        link=told.link if is_link(told.link) else "",
        tags=_words(told.tags, MOST_TAGS, LONGEST_TAG),
        status=told.status[:LONGEST_WORD],
        price=told.price if with_price and is_price(told.price, told.currency) else None,
        currency=told.currency if with_price and is_price(told.price, told.currency) else "",
        supplier_part=told.supplier_part[:LONGEST_WORD],
        tests=tuple(_short(test) for test in told.tests[:MOST_TESTS]),
        inside=_words(told.inside, MOST_INSIDE, LONGEST_WORD),
        files=_files(told.files, largest_file),
    )
    pairs = (
        (Trait.NOTES, travels.notes != told.notes),
        (Trait.LINK, travels.link != told.link),
        (Trait.TAGS, travels.tags != told.tags),
        (Trait.PRICE, travels.price != told.price),
        (Trait.TESTS, len(told.tests) > len(travels.tests)),
        (Trait.FILES, seen.has_more_files or travels.files != told.files),
    )
    return travels, _in_order({*seen.untold, *(trait for trait, stays in pairs if stays)})


def of_part(seen: PartSeen, *, largest_file: int = 0) -> tuple[PartDetails, tuple[Trait, ...]]:
    """What of a part travels, where a new one is made from it, and what stays."""
    told = seen.details
    fitting = [each for each in told.parameters if max(len(each.name), len(each.value)) <= LONGEST_WORD]
    travels = PartDetails(
        notes=told.notes[:LONGEST_NOTES],
        link=told.link if is_link(told.link) else "",
        tags=_words(told.tags, MOST_TAGS, LONGEST_TAG),
        parameters=tuple(fitting[:MOST_PARAMETERS]),
        picture=told.picture if largest_file and is_picture(told.picture) else "",
    )
    pairs = (
        (Trait.PART_NOTES, travels.notes != told.notes),
        (Trait.PART_LINK, travels.link != told.link),
        (Trait.PART_TAGS, travels.tags != told.tags),
        (Trait.PARAMETERS, travels.parameters != told.parameters),
        (Trait.PICTURE, travels.picture != told.picture),
        (Trait.MINIMUM_STOCK, seen.has_minimum),
    )
    return travels, _in_order({*seen.untold, *(trait for trait, stays in pairs if stays)})


def left_out_of_item(details: ItemDetails) -> tuple[Trait, ...]:
    """What stays if a message has no room for any of that."""
    pairs = (
        (Trait.STATUS, details.status),
        (Trait.NOTES, details.notes),
        (Trait.LINK, details.link),
        (Trait.TAGS, details.tags),
        (Trait.PRICE, details.price is not None),
        (Trait.SUPPLIER_PART, details.supplier_part),
        (Trait.TESTS, details.tests),
        (Trait.FILES, details.files),
    )
    return tuple(trait for trait, there in pairs if there)


def left_out_of_part(details: PartDetails) -> tuple[Trait, ...]:
    """The same of a part."""
    pairs = (
        (Trait.PART_NOTES, details.notes),
        (Trait.PART_LINK, details.link),
        (Trait.PART_TAGS, details.tags),
        (Trait.PARAMETERS, details.parameters),
        (Trait.PICTURE, details.picture),
    )
    return tuple(trait for trait, there in pairs if there)


def with_traits(known: Sequence[Trait], more: Sequence[Trait]) -> tuple[Trait, ...]:
    """All of these, each once, in order."""
    return _in_order({*known, *more})


def is_link(link: str) -> bool:
    """Whether it is an address of the web that may travel: nothing else ever becomes a link at the other space."""
    return len(link) <= LONGEST_LINK and bool(_LINK.fullmatch(link))


def is_price(price: Decimal | None, currency: str) -> bool:
    """Whether InvenTree would take it."""
    if price is None or not price.is_finite() or not 0 <= price < HIGHEST_PRICE:
        return False
    return -int(price.as_tuple().exponent) <= PRICE_PLACES and bool(_CURRENCY.fullmatch(currency))


def is_file_name(name: str) -> bool:
    """Whether a file of that name may travel: no path, and an ending that its content can be held against."""
    return len(name) <= LONGEST_WORD and bool(_FILE_NAME.fullmatch(name))


def is_picture(name: str) -> bool:
    """Whether a part may have a file of that name as its image."""
    return is_file_name(name) and name.rpartition(".")[2].lower() not in {"pdf", "txt", "heic"}


def complaint_about_item(details: ItemDetails, stays: Sequence[Trait]) -> str:
    """Which field of a peer's line isn't as `of_item` makes it; '' if all are."""
    pairs = (
        ("notes", len(details.notes) <= LONGEST_NOTES),
        ("link", not details.link or is_link(details.link)),
        ("tags", _are_words(details.tags, MOST_TAGS, LONGEST_TAG)),
        ("status", len(details.status) <= LONGEST_WORD),
        ("price", details.price is None or is_price(details.price, details.currency)),
        ("currency", bool(details.currency) == (details.price is not None)),
        ("supplier_part", len(details.supplier_part) <= LONGEST_WORD),
        ("tests", len(details.tests) <= MOST_TESTS and all(test == _short(test) for test in details.tests)),
        ("inside", _are_words(details.inside, MOST_INSIDE, LONGEST_WORD)),
        ("files", details.files == _files(details.files, LARGEST_FILE)),
        ("stays", tuple(stays) == _in_order(set(stays))),
    )
    return next((field for field, good in pairs if not good), "")


def complaint_about_part(details: PartDetails, stays: Sequence[Trait]) -> str:
    """The same of a part."""
    names = [each.name for each in details.parameters]
    values = [each.value for each in details.parameters]
    pairs = (
        ("notes", len(details.notes) <= LONGEST_NOTES),
        ("link", not details.link or is_link(details.link)),
        ("tags", _are_words(details.tags, MOST_TAGS, LONGEST_TAG)),
        ("parameters", len(names) <= MOST_PARAMETERS and all(len(word) <= LONGEST_WORD for word in (*names, *values))),
        ("picture", not details.picture or is_picture(details.picture)),
        ("stays", tuple(stays) == _in_order(set(stays))),
    )
    return next((field for field, good in pairs if not good), "")


def words_for_notes(details: ItemDetails, *, without_status: bool = False) -> tuple[str, ...]:
    """What has no safe field of its own at the receiver, as lines for a stock item's notes.

    `without_status`: the receiver has that status, too.
    In English, like all that we write into InvenTree. The field `link` there holds our own mark.
    """
    lines = [line for line in details.notes.splitlines() if line.strip()]
    lines += [f"Status there: {details.status}"] if details.status and not without_status else []
    lines += [f"Link: {details.link}"] if details.link else []
    lines += [f"Supplier part: {details.supplier_part}"] if details.supplier_part else []
    lines += [f"Price there: {details.price.normalize():f} {details.currency}"] if details.price is not None else []
    lines += [f"Test there: {_test_in_words(test)}" for test in details.tests]
    lines += [f"Inside: {', '.join(details.inside)}"] if details.inside else []
    return tuple(lines)


def words_of_part(details: PartDetails, without: Sequence[str] = ()) -> tuple[str, ...]:
    """The same for the notes of a new part; `without` the parameters of these names, which got a field."""
    lines = [line for line in details.notes.splitlines() if line.strip()]
    lines += [f"Link: {details.link}"] if details.link else []
    return (*lines, *(f"{each.name}: {each.value}" for each in details.parameters if each.name not in without))


def _test_in_words(test: TestResult) -> str:
    value = f" ({test.value})" if test.value else ""
    return f"{test.name} {'passed' if test.passed else 'failed'}{value}"


def _short(test: TestResult) -> TestResult:
    return replace(test, name=test.name[:LONGEST_WORD], value=test.value[:LONGEST_WORD])


def _files(files: Sequence[FileTold], largest: int) -> tuple[FileTold, ...]:
    fitting = [each for each in files if is_file_name(each.name) and 0 <= each.size <= largest] if largest else []
    return tuple(fitting[:MOST_FILES])


def _words(words: Sequence[str], most: int, longest: int) -> tuple[str, ...]:
    return tuple([word for word in words if len(word) <= longest][:most])


def _are_words(words: Sequence[str], most: int, longest: int) -> bool:
    return tuple(words) == _words(words, most, longest)


def _in_order(traits: set[Trait]) -> tuple[Trait, ...]:
    return tuple(trait for trait in Trait if trait in traits)
