"""A valid body of each kind of protocol message, with all its fields. A new kind gets one here."""

from __future__ import annotations

from typing import Any

BY = {"by": "@anna:attraktor", "by_name": "Anna", "event": "$tap"}
SETTLED = {"settled": {**BY, "truth": "back", "alone": True}}
HEX = "ab" * 32
AGAIN = "2026-11-24T21:00:00+00:00"
SAMPLES: dict[str, dict[str, Any]] = {
    "announce": {"parties": [{"id": "attraktor", "key": HEX, "name": "Attraktor", "people": ["@a:b"], "at": 7}]},
    "connect": {
        "generation": 2,
        "name": "Attraktor",
        "access": "direct",
        "asker": "@a:b",
        "asker_name": "A",
        "commitment": HEX,
        "asked_key": HEX,
        "due": AGAIN,
    },
    "reveal": {"nonce": HEX},
    "check": {"commitment": HEX, "nonce": HEX},
    "accepted": {**BY, "access": "direct", "nonce": HEX},
    "declined": {**BY, **SETTLED, "reason": "generation", "generation": 2},
    "credentials": {"url": "https://inventree.example", "token": "AAAA"},
    "ready": {"items": 5},
    "renewed": {"problem": "no-token"},
    "cancelled": {**BY, **SETTLED, "reason": "x"},
    "disconnecting": {**BY, "at_once": True},
    "noted": {},
    "stats-ask": {"days": 30},
    "stats": {"days": 30, "problem": "later", "in_room": True, "again": AGAIN},
    "find-ask": {"search": "abc"},
    "find": {"search": "abc", "problem": "", "in_room": True, "again": AGAIN},
    "wait": {"wait": "k7m2abcdefghjkmnpqrs-wait", "over": False},
    "place": {"wait": "k7m2abcdefghjkmnpqrs", "place": 1, "item": 42, "until": "2026-12-02T23:00:00+00:00", "over": ""},
    "want": {"want": "k7m2abcdefghjkmnpqrs", "until": "2026-12-31", "over": False},
    "books-ask": {"after": ""},
    "books": {"after": "", "last": "x", "problem": "", "more": True},
    "ask": {"seen": 1},
    "seen": {"seen": 1},
    "offer": {"due": AGAIN},
    "request": {"due": AGAIN, **BY, "damaged": True},
    "granted": {**BY},
    "approve": {**BY, "parcel": True, "damaged": True},
    "decline": {**BY, "reason": "x"},
    "cancel": {**BY, "reason": "x"},
    "expired": {"reason": ""},
    "aborted": {**SETTLED, "reason": "x"},
    "booked": {**BY, "until": AGAIN, "parcel": True},
    "sent": {
        **BY,
        **SETTLED,
        "lines": [{"number": 1, "item": 9}],
        "failed": [{"number": 1, "reason": "x"}],
        "parcel": True,
    },
    "received": {
        **BY,
        **SETTLED,
        "refused": [{"number": 1, "reason": "x"}],
        "items": [{"number": 1, "item": 9, "part": 4, "place": "Shelf", "serial": "7"}],
    },
    "file": {"number": 1, "file": 2, "problem": "x"},
    "refused": {"reason": "x", "refused": [{"number": 1, "reason": "x"}], **SETTLED},
    "reverted": {**SETTLED},
    "done": {**SETTLED},
    "extended": {**BY, "until": "2027-01-01"},
    "closed": {**BY, "how": "gift", "lines": [1]},
    "disputed": {"reason": "missing", "missing": BY},
}
"""A valid body of each kind with all its fields; terms and opening are those of the subject."""
