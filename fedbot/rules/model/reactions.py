"""Which emoji a reaction means: clients send the same sign in several spellings."""

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
_CHECK_MARKS = dict.fromkeys("✔☑✓", Choice.APPROVE)
CARD_KEYS = {key: choice for choice, key in KEY_OF.items()} | _CHECK_MARKS | {"❎": Choice.DECLINE}
_AS_IF_DECIDED = frozenset(
    [
        "👍",
        "👎",
        "👌",
        "🆗",
        "🙆",
        "🚫",
        "⛔",
        "✖",
        "✗",
        "✘",
        "yes",
        "no",
        "ok",
        "okay",
        "yep",
        "nope",
        "sure",
        "y",
        "n",
        "accept",
        "accepted",
        "approve",
        "approved",
        "agreed",
        "reject",
        "rejected",
        "decline",
        "declined",
        "ja",
        "nein",
        "jo",
        "klar",
        "passt",
        "+1",
        "-1",
    ]
)


def looks_like_a_decision(text: str) -> bool:
    """Whether people mean a decision by that reaction or word, though it isn't one: '👍', 'yes', 'No thanks!'."""
    words = normalised(text).casefold().strip(" .,!?")
    bare = words.removesuffix(" please").removesuffix(" thanks").removesuffix(" danke").removesuffix(" bitte")
    return bare.strip(" ,") in _AS_IF_DECIDED or words in CARD_KEYS


def normalised(key: str) -> str:
    """The key without variation selectors and skin tones: '✔️' is '✔', '👍🏽' is '👍'.

    Any string may come in, also an empty one or one that is no emoji; it is only compared, never shown.
    """
    return "".join(sign for sign in key if sign not in _VARIATION_SELECTORS and ord(sign) not in _SKIN_TONES)
