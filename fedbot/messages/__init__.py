"""Every sentence that a person reads: one function a sentence, in files by subject.

The rules and the verbs say `say(messages.SUBJECT.SENTENCE, …)`; `rendering.render` puts it into words later, in the
language and time zone of the space whose bot speaks.
"""

from fedbot.messages import (
    approval,
    changes,
    connection,
    disconnect,
    health,
    help_pages,
    history,
    keys,
    line_errors,
    loan,
    match,
    offer,
    overview,
    parcel,
    reconcile,
    resolve,
    rooms,
    rotate_tokens,
    search,
    share,
    show,
    stats,
    transfer,
    transfer_card,
)

__all__ = [
    "approval",
    "changes",
    "connection",
    "disconnect",
    "health",
    "help_pages",
    "history",
    "keys",
    "line_errors",
    "loan",
    "match",
    "offer",
    "overview",
    "parcel",
    "reconcile",
    "resolve",
    "rooms",
    "rotate_tokens",
    "search",
    "share",
    "show",
    "stats",
    "transfer",
    "transfer_card",
]
