"""Parts and categories as JSON (API 530), with the sums of their stock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.records import ZERO, Category, Parameter, Part
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import day, full_name, minute, thumbnail_of
from fedbot_demo.inventree.stock_rows import allocated, is_in_stock
from fedbot_demo.inventree.trees import category_branch, variants


@dataclass(frozen=True, slots=True)
class PartStock:
    """A part's stock: the number of items, the quantity in stock, with variants, and allocated to orders."""

    items: int
    here: Decimal
    total: Decimal
    claimed: Decimal
    external: Decimal

    @property
    def free(self) -> Decimal:
        """The quantity that isn't allocated."""
        return max(self.total - self.claimed, ZERO)

    @classmethod
    def of(cls, state: State, part: Part) -> PartStock:
        """The sums for `part`."""
        items = state.stock.find("part", part.pk)
        here = sum((item.quantity for item in items if is_in_stock(item)), ZERO)
        of_variants = sum(
            (
                item.quantity
                for variant in variants(state, part)
                if variant.pk != part.pk
                for item in state.stock.find("part", variant.pk)
                if is_in_stock(item)
            ),
            ZERO,
        )
        outside = {place.pk for place in state.locations if place.external}
        return cls(
            items=len(items),
            here=here,
            total=here + of_variants,
            claimed=sum((allocated(state, item) for item in items), ZERO),
            external=sum((item.quantity for item in items if item.location in outside and is_in_stock(item)), ZERO),
        )


def _stock_counts(state: State, part: Part) -> JsonObject:
    stock = PartStock.of(state, part)
    return {
        "allocated_to_build_orders": 0.0,
        "allocated_to_sales_orders": float(stock.claimed),
        "building": 0.0,
        "scheduled_to_build": 0.0,
        "in_stock": float(stock.here),
        "ordering": 0.0,
        "required_for_build_orders": 0,
        "required_for_sales_orders": int(stock.claimed),
        "revision_count": 0,
        "stock_item_count": stock.items,
        "total_in_stock": float(stock.total),
        "external_stock": float(stock.external),
        "unallocated_stock": float(stock.free),
        "variant_stock": float(stock.total - stock.here),
        "suppliers": 0,
    }


def part_full(state: State, part: Part, *, counted: bool = True) -> JsonObject:
    """A part; the counts are null in the reply to a create."""
    category = state.categories.get(part.category)
    counts = _stock_counts(state, part)
    version = state.version
    content: JsonObject = {
        "active": part.active,
        "assembly": part.assembly,
        "barcode_hash": part.barcode_hash,
        "category": part.category,
        "component": part.component,
        "creation_date": day(part.creation_date),
        "creation_user": part.creation_user,
        "default_expiry": 0,
        "default_location": part.default_location,
        "default_supplier": None,
        "description": part.description,
        "full_name": full_name(part),
        "image": part.image or None,
        "IPN": version.text_or_null(part.IPN),
        "is_template": part.is_template,
        "keywords": part.keywords,
        "last_stocktake": None,
        "link": part.link,
        "locked": part.locked,
        "minimum_stock": float(part.minimum_stock),
        "maximum_stock": float(part.maximum_stock),
        "name": part.name,
        "pk": part.pk,
        "purchaseable": part.purchaseable,
        "revision": version.text_or_null(part.revision),
        "revision_of": None,
        "salable": part.salable,
        "starred": False,
        "tags": list(part.tags),
        "thumbnail": thumbnail_of(part),
        "testable": part.testable,
        "trackable": part.trackable,
        "units": part.units,
        "variant_of": part.variant_of,
        "virtual": part.virtual,
        "consumable": part.consumable,
        "pricing_min": None,
        "pricing_max": None,
        "pricing_updated": minute(part.pricing_updated),
        "responsible": None,
        "category_default_location": None if category is None else category.default_location,
    }
    if category is not None:
        content["category_name"] = category.name
    if counted:
        content |= counts
    elif version.tells_counts_as_null:
        content |= dict.fromkeys(counts)
    else:
        del content["category_default_location"]
    return version.told("part", content)


def parameter_json(state: State, row: Parameter) -> JsonObject:
    """A part's parameter, with its template."""
    template = state.parameter_templates[row.template]
    content: JsonObject = {
        "pk": row.pk,
        "template": row.template,
        "part": row.part,
        "model_type": "part.part",
        "model_id": row.part,
        "data": row.data,
        "template_detail": {"pk": template.pk, "name": template.name, "units": template.units},
    }
    return state.version.told("parameter", content)


def part_listed(state: State, part: Part) -> JsonObject:
    """A part in lists."""
    content = part_full(state, part)
    if state.version.lists_notes_of_parts:
        content["notes"] = part.notes
    if state.version.tells_copied_parameters:
        content["copy_category_parameters"] = True
    return content


def part_written(state: State, part: Part, *, counted: bool = True) -> JsonObject:
    """A part in the reply to a write, with every detail."""
    category = state.categories.get(part.category)
    place = state.locations.get(part.default_location)
    detail = None
    if category is not None:
        detail = category_json(state, category) | {"part_count": None, "subcategories": None}
    extra = {
        "category_detail": detail,
        "tags": list(part.tags),
        "price_breaks": [],
        "parameters": [],
        "default_location_detail": None if place is None else {"pk": place.pk, "name": place.name},
        "category_path": category_path(state, part),
    }
    content = part_full(state, part, counted=counted) | state.version.told("part.written", extra)
    if counted or state.version.keeps_notes_of_new_parts:
        content["notes"] = part.notes
    if not counted and state.version.tells_copied_parameters:
        content["copy_category_parameters"] = True
    return content


def category_chain(state: State, category: Category | None) -> list[Category]:
    """A category and its ancestors, outermost first."""
    chain: list[Category] = []
    while category is not None:
        chain.insert(0, category)
        category = state.categories.get(category.parent)
    return chain


def category_path(state: State, part: Part) -> list[JsonObject] | None:
    """The categories of a part, outermost first; None if it has none."""
    chain = category_chain(state, state.categories.get(part.category))
    return [{"pk": each.pk, "name": each.name} for each in chain] or None


def category_json(state: State, category: Category) -> JsonObject:
    """A category with the number of parts and categories in it, at all depths."""
    branch = category_branch(state, category)
    chain = category_chain(state, category)
    above = chain[-2] if len(chain) > 1 else None
    content: JsonObject = {
        "pk": category.pk,
        "url": f"/part/category/{category.pk}/",
        "name": category.name,
        "description": category.description,
        "default_location": category.default_location,
        "default_keywords": category.default_keywords,
        "level": len(chain) - 1,
        "parent": category.parent,
        "part_count": sum(len(state.parts.find("category", pk)) for pk in branch),
        "subcategories": len(branch) - 1,
        "pathstring": "/".join(each.name for each in chain),
        "starred": False,
        "structural": category.structural,
        "icon": "",
        "parent_default_location": None if above is None else above.default_location,
    }
    return state.version.told("category", content)
