"""Which emoji a reaction means: clients send the same sign in several spellings (facts/matrix.md §2)."""

from __future__ import annotations

from fedbot.rules.model.decision import Choice

_VARIATION_SELECTORS = {"\ufe0e", "\ufe0f"}
_SKIN_TONES = range(0x1F3FB, 0x1F3FF + 1)

APPROVE_KEY = "✅"
DECLINE_KEY = "❌"
PARCEL_KEY = "📦"
DAMAGED_KEY = "🔧"
KEY_OF = {
    Choice.APPROVE: APPROVE_KEY,
    Choice.DECLINE: DECLINE_KEY,
    Choice.PARCEL: PARCEL_KEY,
    Choice.DAMAGED: DAMAGED_KEY,
}
CARD_KEYS = {key: choice for choice, key in KEY_OF.items()} | {"✔": Choice.APPROVE, "❎": Choice.DECLINE}


def normalised(key: str) -> str:
    """The key without variation selectors and skin tones: '✔️' is '✔', '👍🏽' is '👍' (DESIGN §5).

    Any string may come in, also an empty one or one that is no emoji; it is only compared, never shown.
    """
    return "".join(sign for sign in key if sign not in _VARIATION_SELECTORS and ord(sign) not in _SKIN_TONES)
