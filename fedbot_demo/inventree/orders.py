"""/api/order/…: the calls that fedbot needs: reading orders, and creating a return order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.records import ZERO, ReturnOrder, SalesOrder
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import SALES_ORDERS_OPEN, label_of
from fedbot_demo.inventree.stock_json import THUMBNAIL, day, minute
from fedbot_demo.inventree.users import user_brief

Order = SalesOrder | ReturnOrder
AnyOrder = TypeVar("AnyOrder", SalesOrder, ReturnOrder)


def _order_json(state: State, order: Order, kind: str) -> JsonObject:
    author = state.users.get(order.created_by)
    content: JsonObject = {
        "pk": order.pk,
        "created_by": None if author is None else user_brief(author),
        "creation_date": day(order.creation_date),
        "start_date": None,
        "target_date": None,
        "description": order.description,
        "link": "",
        "project_code": None,
        "reference": order.reference,
        "responsible": None,
        "contact": None,
        "address": None,
        "status": order.status,
        "status_text": label_of(kind, order.status),
        "status_custom_key": state.version.order_custom_key(order.status),
        "barcode_hash": "",
        "address_detail": None,
        "contact_detail": None,
        "project_code_detail": None,
        "project_code_label": None,
        "responsible_detail": None,
        "customer": order.customer,
        "customer_reference": "",
        "total_price": state.version.price(ZERO),
        "order_currency": None,
        "updated_at": minute(order.updated_at),
    }
    if state.version.lists_notes_of_orders:
        content["notes"] = None
    return state.version.told("order", content)


def sales_order_json(state: State, order: SalesOrder) -> JsonObject:
    """A sales order with its number of lines, here one for each allocation."""
    lines = len([claim for claim in state.allocations if claim.sales_order == order.pk])
    extra: JsonObject = {
        "issue_date": day(order.issue_date),
        "line_items": lines,
        "completed_lines": 0,
        "overdue": False,
        "shipment_date": None,
        "shipments_count": 1,
        "completed_shipments_count": 0,
        "allocated_lines": lines,
    }
    return _order_json(state, order, "SalesOrderStatus") | state.version.told("sales order", extra)


def return_order_json(state: State, order: ReturnOrder, *, counted: bool = True) -> JsonObject:
    """A return order; the counts are null in the reply to a create."""
    extra: JsonObject = {"issue_date": None, "complete_date": None}
    counts: JsonObject = {"line_items": 0, "completed_lines": 0, "overdue": False}
    if counted:
        extra |= counts
    elif state.version.tells_counts_as_null:
        extra |= dict.fromkeys(counts)
    return _order_json(state, order, "ReturnOrderStatus") | state.version.told("return order", extra)


def sales_orders(state: State, query: Query) -> list[SalesOrder]:
    """The sales orders that match the filters."""
    return _fitting(state, query, list(state.sales_orders))


def return_orders(state: State, query: Query) -> list[ReturnOrder]:
    """The return orders that match the filters."""
    return _fitting(state, query, list(state.return_orders))


def _fitting(state: State, query: Query, orders: list[AnyOrder]) -> list[AnyOrder]:
    customer = query.row("customer", state.companies)
    status = query.number("status")
    query.check()
    outstanding = query.flag("outstanding")
    if customer is not None:
        orders = [order for order in orders if order.customer == customer.pk]
    if status is not None:
        orders = [order for order in orders if order.status == status]
    if outstanding is not None:
        orders = [order for order in orders if (order.status in SALES_ORDERS_OPEN) == outstanding]
    found = search(orders, query, lambda order: (order.reference, order.description))
    keys: dict[str, Callable[[AnyOrder], object]] = {
        "reference": lambda order: order.reference,
        "creation_date": lambda order: order.creation_date,
    }
    return ordered(found, query, keys, ("-reference",))


def list_sales_orders(call: Call) -> Reply:
    """The sales orders."""
    rows = sales_orders(call.state, call.query)
    return page(call.request, call.query, rows, lambda order: sales_order_json(call.state, order))


def read_sales_order(call: Call) -> Reply:
    """One sales order."""
    order = call.state.sales_orders.get(call.pk)
    if order is None:
        raise NotFoundError.of_row("SalesOrder")
    return Reply(sales_order_json(call.state, order))


def list_return_orders(call: Call) -> Reply:
    """The return orders."""
    rows = return_orders(call.state, call.query)
    return page(call.request, call.query, rows, lambda order: return_order_json(call.state, order))


def read_return_order(call: Call) -> Reply:
    """One return order."""
    order = call.state.return_orders.get(call.pk)
    if order is None:
        raise NotFoundError.of_row("ReturnOrder")
    return Reply(return_order_json(call.state, order))


def create_return_order(call: Call) -> Reply:
    """Create a return order, numbered RMA-0001 and so on."""
    state = call.state
    form = Form(call.row_fields())
    customer = form.row("customer", state.companies, null=True)
    if customer is not None and not customer.is_customer:
        form.fail("customer", "Company is not a customer")
    form.text("description", longest=250)
    values = form.check()
    pk = state.return_orders.next_pk
    order = state.return_orders.put(
        ReturnOrder(
            pk=pk,
            reference=f"RMA-{pk:04}",
            customer=values.get("customer"),
            description=values.get("description", ""),
            creation_date=state.today,
            created_by=call.user.pk,
            updated_at=state.now,
        )
    )
    detail = None
    if customer is not None:
        detail = {
            "pk": customer.pk,
            "active": customer.active,
            "name": customer.name,
            "description": customer.description,
            "image": None,
            "thumbnail": THUMBNAIL,
            "currency": customer.currency,
            "tax_id": customer.tax_id,
        }
    extra: JsonObject = {"notes": None, "customer_detail": detail, "tags": [], "parameters": []}
    return Reply(
        return_order_json(state, order, counted=False) | state.version.told("return order.written", extra), 201
    )


def list_transfer_orders(call: Call) -> Reply:
    """The transfer orders (API 492): always an empty list."""
    nothing: list[JsonObject] = []
    return page(call.request, call.query, nothing, lambda order: order)


def endpoints() -> list[Endpoint]:
    """Sales orders, return orders, transfer orders."""
    return [
        Endpoint("order/so/", {"GET": list_sales_orders}, on_model("salesorder"), also="POST"),
        Endpoint("order/so/#/", {"GET": read_sales_order}, on_model("salesorder"), also="PUT PATCH DELETE"),
        Endpoint(
            "order/ro/",
            {"GET": list_return_orders, "POST": create_return_order},
            on_model("returnorder"),
        ),
        Endpoint("order/ro/#/", {"GET": read_return_order}, on_model("returnorder"), also="PUT PATCH DELETE"),
        Endpoint(
            "order/transfer-order/",
            {"GET": list_transfer_orders},
            on_model("transferorder"),
            also="POST",
            when="has_transfer_orders",
        ),
    ]
