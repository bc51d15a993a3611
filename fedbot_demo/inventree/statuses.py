"""InvenTree's status codes and history codes, with their labels and colours."""

from __future__ import annotations

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.state import State

# The logical statuses of stock.
OK = 10
ATTENTION = 50
DAMAGED = 55
DESTROYED = 60
REJECTED = 65
LOST = 70
QUARANTINED = 75
RETURNED = 85

#: Stock with one of these statuses counts as in stock (facts: 'Status matters').
AVAILABLE = frozenset({OK, ATTENTION, DAMAGED, RETURNED})

# The kinds of history entries.
CREATED = 1
EDITED = 5
COUNTED = 10
ADDED = 11
REMOVED = 12
RETURNED_TO_STOCK = 15
MOVED = 20
UPDATED = 25
SPLIT_FROM_PARENT = 40
SPLIT_CHILD = 42
MERGED = 45
SENT_TO_CUSTOMER = 100
RETURNED_FROM_CUSTOMER = 105

# Sales orders.
SALES_ORDER_IN_PROGRESS = 15
SALES_ORDERS_OPEN = frozenset({10, 15, 25})

_Codes = dict[int, tuple[str, str, str]]

_STOCK: _Codes = {
    OK: ("OK", "OK", "success"),
    ATTENTION: ("ATTENTION", "Attention needed", "warning"),
    DAMAGED: ("DAMAGED", "Damaged", "warning"),
    DESTROYED: ("DESTROYED", "Destroyed", "danger"),
    REJECTED: ("REJECTED", "Rejected", "danger"),
    LOST: ("LOST", "Lost", "dark"),
    QUARANTINED: ("QUARANTINED", "Quarantined", "info"),
    RETURNED: ("RETURNED", "Returned", "warning"),
}

_GREY = "secondary"

_HISTORY: _Codes = {
    0: ("LEGACY", "Legacy stock tracking entry", _GREY),
    CREATED: ("CREATED", "Stock item created", _GREY),
    EDITED: ("EDITED", "Edited stock item", _GREY),
    6: ("ASSIGNED_SERIAL", "Assigned serial number", _GREY),
    COUNTED: ("STOCK_COUNT", "Stock counted", _GREY),
    ADDED: ("STOCK_ADD", "Stock manually added", _GREY),
    REMOVED: ("STOCK_REMOVE", "Stock manually removed", _GREY),
    13: ("STOCK_SERIALIZED", "Serialized stock items", _GREY),
    RETURNED_TO_STOCK: ("RETURNED_TO_STOCK", "Returned to stock", _GREY),
    MOVED: ("STOCK_MOVE", "Location changed", _GREY),
    UPDATED: ("STOCK_UPDATE", "Stock updated", _GREY),
    30: ("INSTALLED_INTO_ASSEMBLY", "Installed into assembly", _GREY),
    31: ("REMOVED_FROM_ASSEMBLY", "Removed from assembly", _GREY),
    35: ("INSTALLED_CHILD_ITEM", "Installed component item", _GREY),
    36: ("REMOVED_CHILD_ITEM", "Removed component item", _GREY),
    SPLIT_FROM_PARENT: ("SPLIT_FROM_PARENT", "Split from parent item", _GREY),
    SPLIT_CHILD: ("SPLIT_CHILD_ITEM", "Split child item", _GREY),
    MERGED: ("MERGED_STOCK_ITEMS", "Merged stock items", _GREY),
    46: ("DISASSEMBLED", "Disassembled into components", _GREY),
    47: ("CREATED_FROM_DISASSEMBLY", "Created from disassembly", _GREY),
    48: ("CONVERTED_TO_VARIANT", "Converted to variant", _GREY),
    50: ("BUILD_OUTPUT_CREATED", "Build order output created", _GREY),
    55: ("BUILD_OUTPUT_COMPLETED", "Build order output completed", _GREY),
    56: ("BUILD_OUTPUT_REJECTED", "Build order output rejected", _GREY),
    57: ("BUILD_CONSUMED", "Consumed by build order", _GREY),
    60: ("SHIPPED_AGAINST_SALES_ORDER", "Shipped against Sales Order", _GREY),
    70: ("RECEIVED_AGAINST_PURCHASE_ORDER", "Received against Purchase Order", _GREY),
    80: ("RETURNED_AGAINST_RETURN_ORDER", "Returned against Return Order", _GREY),
    SENT_TO_CUSTOMER: ("SENT_TO_CUSTOMER", "Sent to customer", _GREY),
    RETURNED_FROM_CUSTOMER: ("RETURNED_FROM_CUSTOMER", "Returned from customer", _GREY),
}

_PENDING = ("PENDING", "Pending", "secondary")
_ON_HOLD = ("ON_HOLD", "On Hold", "warning")
_COMPLETE = ("COMPLETE", "Complete", "success")
_CANCELLED = ("CANCELLED", "Cancelled", "danger")
_LOST = ("LOST", "Lost", "warning")
_RETURNED = ("RETURNED", "Returned", "warning")

CLASSES: dict[str, _Codes] = {
    "StockHistoryCode": _HISTORY,
    "SalesOrderStatus": {
        10: _PENDING,
        15: ("IN_PROGRESS", "In Progress", "primary"),
        20: ("SHIPPED", "Shipped", "primary"),
        25: _ON_HOLD,
        30: _COMPLETE,
        40: _CANCELLED,
        50: _LOST,
        60: _RETURNED,
    },
    "TransferOrderStatus": {
        10: _PENDING,
        20: ("ISSUED", "Issued", "primary"),
        25: _ON_HOLD,
        30: _COMPLETE,
        40: _CANCELLED,
    },
    "ReturnOrderStatus": {
        10: _PENDING,
        20: ("IN_PROGRESS", "In Progress", "primary"),
        25: _ON_HOLD,
        30: _COMPLETE,
        40: _CANCELLED,
    },
    "BuildStatus": {
        10: _PENDING,
        20: ("PRODUCTION", "Production", "primary"),
        25: _ON_HOLD,
        30: _CANCELLED,
        40: _COMPLETE,
    },
    "PurchaseOrderStatus": {
        10: _PENDING,
        20: ("PLACED", "Placed", "primary"),
        25: _ON_HOLD,
        30: _COMPLETE,
        40: _CANCELLED,
        50: _LOST,
        60: _RETURNED,
    },
    "DataImportStatusCode": {
        0: ("INITIAL", "Initializing", "secondary"),
        10: ("MAPPING", "Mapping Columns", "primary"),
        20: ("IMPORTING", "Importing Data", "primary"),
        30: ("PROCESSING", "Processing Data", "primary"),
        40: _COMPLETE,
    },
    "StockStatus": _STOCK,
    "MachineStatus": {},
    "LabelPrinterStatus": {
        100: ("CONNECTED", "Connected", "success"),
        101: ("UNKNOWN", "Unknown", "secondary"),
        110: ("PRINTING", "Printing", "primary"),
        200: ("WARNING", "Warning", "warning"),
        301: ("NO_MEDIA", "No media", "warning"),
        302: ("PAPER_JAM", "Paper jam", "warning"),
        400: ("DISCONNECTED", "Disconnected", "danger"),
        500: ("ERROR", "Error", "danger"),
    },
    "ReturnOrderLineStatus": {
        10: _PENDING,
        20: ("RETURN", "Return", "success"),
        30: ("REPAIR", "Repair", "primary"),
        40: ("REPLACE", "Replace", "warning"),
        50: ("REFUND", "Refund", "info"),
        60: ("REJECT", "Reject", "danger"),
    },
}


def label_of(class_name: str, code: int) -> str:
    """InvenTree's label of a code."""
    return CLASSES[class_name][code][1]


def stock_status_text(state: State, status: int, custom_key: int | None) -> str:
    """The label of a stock item's status; that of the custom one if it has one."""
    rows = state.custom_statuses if state.version.labels_custom_status else ()
    custom = next((row for row in rows if row.key == custom_key), None)
    return custom.label if custom is not None else label_of("StockStatus", status)


def described(state: State, class_name: str) -> JsonObject:
    """A class of codes as /api/generic/status/<class>/ returns it, with its custom statuses."""
    values: JsonObject = {
        name: {"key": key, "name": name, "label": label, "color": state.version.color(name, color)}
        for key, (name, label, color) in state.version.codes(class_name, CLASSES[class_name]).items()
    }
    for row in state.custom_statuses:
        if row.reference_status == class_name:
            values[row.name] = {
                "key": row.key,
                "name": row.name,
                "label": row.label,
                "color": row.color,
                "logical_key": row.logical_key,
                "custom": True,
            }
    return {state.version.code_class(class_name)[1]: class_name, "values": values}
