"""Extra care: the stock for which one person's approval is not enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fedbot.rules.model.stock import Part, StockItem


@dataclass(frozen=True)
class ValuedLine:
    """A quantity of one part, from or to a place (a path). `price` is for one, in `currency`; None if there is none."""

    part: Part
    place: str
    quantity: Decimal
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class NamedStock:
    """The stock that a setting names.

    `parts` are IPNs, names or `part:12`; `categories` and `locations` are names or paths, and include all below.
    """

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    @property
    def names_any(self) -> bool:
        """Whether it names anything."""
        return bool(self.parts or self.categories or self.locations)

    def naming(self, part: Part, place: str) -> str:
        """Return the entry that covers that part at that place (a path), as 'part LENS-2'; '' if none does."""
        names = _names_of(part)
        if name := next((each for each in self.parts if _folded(each) in names), ""):
            return f"part {name}"
        for kind, path, listed in (
            ("category", part.category_path, self.categories),
            ("location", place, self.locations),
        ):
            if above := next((each for each in listed if is_below(path, each)), ""):
                return f"{kind} {above}"
        return ""


@dataclass(frozen=True)
class Care(NamedStock):
    """The total value, and the parts, categories and locations, for which a decision needs two people.

    `from_value` is in `currency` (None: no value needs care). `is_dear_without_price` says how an item without a price
    in that currency counts. `taken_in`: offers of others need it too. `typed_code`: in an encrypted room, one person
    who types the code is enough.
    """

    from_value: Decimal | None = None
    currency: str = ""
    is_dear_without_price: bool = True
    taken_in: bool = False
    typed_code: bool = True

    @property
    def is_on(self) -> bool:
        """Whether anything needs it."""
        return self.from_value is not None or self.names_any

    def why(self, moved: Iterable[ValuedLine]) -> str:
        """Return the reason why these lines need care, for the audit; '' if they don't."""
        lines = tuple(moved)
        named = (self.naming(line.part, line.place) for line in lines)
        return next((why for why in named if why), "") or self._why_by_value(lines)

    def _why_by_value(self, lines: tuple[ValuedLine, ...]) -> str:
        if self.from_value is None:
            return ""
        value = Decimal(0)
        for line in lines:
            if line.price is not None and line.currency == self.currency:
                value += line.price * line.quantity
            elif self.is_dear_without_price:
                return "no price"
        return f"value {value:f} {self.currency}" if value >= self.from_value else ""


def taken_out(item: StockItem, quantity: Decimal) -> ValuedLine:
    """Return a quantity of a stock item of ours as a line with its price."""
    return ValuedLine(item.part, item.place, quantity, item.price, item.currency)


def _names_of(part: Part) -> set[str]:
    return {_folded(name) for name in (part.ipn, part.name, f"part:{part.pk}") if name}


def is_below(path: str, above: str) -> bool:
    """Whether that place or category is `above`, or below it. `above` is a name, or the end or all of a path."""
    return f"/{_folded(above)}/" in f"/{_folded(path)}/"


def _folded(text: str) -> str:
    return "/".join(" ".join(piece.split()) for piece in text.split("/")).casefold()
