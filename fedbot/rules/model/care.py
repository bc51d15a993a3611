"""Extra care: the stock for which one person's approval is not enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fedbot.rules.model.stock import Part, StockItem


@dataclass(frozen=True)
class ValuedLine:
    """So much of one part, from or to a place (a path). `price` is that of one, in `currency`; None: it has none."""

    part: Part
    place: str
    quantity: Decimal
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class NamedStock:
    """The things that a setting names.

    `parts` are IPNs, names or `part:12`; `categories` and `locations` are names or paths, with all below.
    """

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    @property
    def names_any(self) -> bool:
        """Whether it names anything."""
        return bool(self.parts or self.categories or self.locations)

    def naming(self, part: Part, place: str) -> str:
        """By what that part at that place (a path) is named: 'part LENS-2', 'category Laser'; '' if it isn't."""
        named = _named(part)
        if name := next((each for each in self.parts if _folded(each) in named), ""):
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
    """From which total value on, and of which parts, categories and locations, a decision needs two people.

    `from_value` is in `currency` (None: no value needs care). `is_dear_without_price` says how an item without a price
    in it counts. `taken_in`: what others offer us, too. `typed_code`: in an encrypted room one person is enough who
    types the code.
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
        """The reason that it needs care, for the audit; '' if nothing does."""
        things = tuple(moved)
        named = (self.naming(thing.part, thing.place) for thing in things)
        return next((why for why in named if why), "") or self._why_by_value(things)

    def _why_by_value(self, things: tuple[ValuedLine, ...]) -> str:
        if self.from_value is None:
            return ""
        value = Decimal(0)
        for thing in things:
            if thing.price is not None and thing.currency == self.currency:
                value += thing.price * thing.quantity
            elif self.is_dear_without_price:
                return "no price"
        return f"value {value:f} {self.currency}" if value >= self.from_value else ""


def taken_out(item: StockItem, quantity: Decimal) -> ValuedLine:
    """So much of a stock item of ours."""
    return ValuedLine(item.part, item.place, quantity, item.price, item.currency)


def _named(part: Part) -> set[str]:
    return {_folded(name) for name in (part.ipn, part.name, f"part:{part.pk}") if name}


def is_below(path: str, above: str) -> bool:
    """Whether that place or category is the other one, or is in it. `above` is a name, or an end or all of its path."""
    return f"/{_folded(above)}/" in f"/{_folded(path)}/"


def _folded(text: str) -> str:
    return "/".join(" ".join(piece.split()) for piece in text.split("/")).casefold()
