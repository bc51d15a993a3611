"""Every sentence that a person reads: one function per sentence, in files by subject.

The rules and the verbs say `say(messages.SUBJECT.SENTENCE, …)`; `rendering.render` turns it into words later, in the
language and time zone of the space whose bot speaks.
"""

from fedbot.messages import (
    approval,
    catalogue,
    health,
    ledger,
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
from fedbot.messages.transfer import booking, card_lines, offer, resolve, rota
from fedbot.messages.transfer import card as transfer_card
from fedbot.messages.transfer import end as transfer_end

__all__ = [
    "approval",
    "booking",
    "card_lines",
    "catalogue",
    "connect",
    "disconnect",
    "health",
    "keys",
    "ledger",
    "lending",
    "line_errors",
    "loan",
    "offer",
    "outside",
    "overdue",
    "overview",
    "people",
    "provision",
    "resolve",
    "rooms",
    "rota",
    "transfer_card",
    "transfer_end",
    "web",
]
