"""Every sentence that a person reads: one function a sentence, in files by subject.

The rules and the verbs say `say(messages.SUBJECT.SENTENCE, …)`; `rendering.render` puts it into words later, in the
language and time zone of the space whose bot speaks.
"""

from fedbot.messages import (
    approval,
    booking,
    catalogue,
    connection,
    disconnect,
    health,
    keys,
    ledger,
    lending,
    line_errors,
    loan,
    offer,
    overview,
    people,
    provision,
    resolve,
    rooms,
    rota,
    transfer,
    transfer_card,
    transfer_end,
    transfer_facts,
    web,
)

__all__ = [
    "approval",
    "booking",
    "catalogue",
    "connection",
    "disconnect",
    "health",
    "keys",
    "ledger",
    "lending",
    "line_errors",
    "loan",
    "offer",
    "overview",
    "people",
    "provision",
    "resolve",
    "rooms",
    "rota",
    "transfer",
    "transfer_card",
    "transfer_end",
    "transfer_facts",
    "web",
]
