"""Every sentence that a person reads: one function per sentence, in files by subject.

The rules and the verbs say `say(messages.SUBJECT.SENTENCE, …)`; `rendering.render` turns it into words later, in the
language and time zone of the space whose bot speaks.
"""

from fedbot.messages import (
    approval,
    catalogue,
    health,
    lending,
    line_errors,
    loan,
    outside,
    overdue,
    overview,
    people,
    web,
)
from fedbot.messages.connection import connect, disconnect, keys, provision, rooms
from fedbot.messages.reports import history, reconcile, stats
from fedbot.messages.transfer import booking, calendar, card_lines, from_anyone, offer, parcel, resolve, waiting_list
from fedbot.messages.transfer import card as transfer_card
from fedbot.messages.transfer import end as transfer_end

__all__ = [
    "approval",
    "booking",
    "calendar",
    "card_lines",
    "catalogue",
    "connect",
    "disconnect",
    "from_anyone",
    "health",
    "history",
    "keys",
    "lending",
    "line_errors",
    "loan",
    "offer",
    "outside",
    "overdue",
    "overview",
    "parcel",
    "people",
    "provision",
    "reconcile",
    "resolve",
    "rooms",
    "stats",
    "transfer_card",
    "transfer_end",
    "waiting_list",
    "web",
]
