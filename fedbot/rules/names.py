"""The names of spaces and people for readers, and text from strangers without misleading characters.

Anybody can choose any display name. A name is shown alone only if it equals the identity: the party id, or the local
part of an account on the bot's own homeserver, ignoring case. Otherwise the identity follows: 'Attraktor (gammaspace)',
'Piet (@kim:example.org)'. So most cards stay short. The label is made where a name comes in, so no later code
handles an unlabelled name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

LONGEST_NAME = 40
LONGEST_LABEL = 300
"""Characters of a display name and the longest Matrix id after it. The id is never cut in favour of the name."""
LONGEST_DECORATED = 100
"""The longest Matrix id beside which an entry of InvenTree's history has room for a name."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BRACKETS = str.maketrans(dict.fromkeys("()[]{}<>（）［］｛｝⁽⁾₍₎❨❩❪❫⟨⟩‹›«»﹙﹚❬❭"))
ARTICLES = frozenset(
    {
        *("a", "an", "the", "my", "our", "your", "ein", "eine", "einen", "der", "die", "das", "den"),
        *("mein", "meine", "meinen", "unser", "unsere", "unseren"),
    }
)
"""Words that people type before an item and that are no part of its name."""
_SHORTEST_BEGINNING = 3


def begins_words_of(said: str, names: Iterable[str]) -> bool:
    """Whether each word said, or the singular of its English plural, begins a word of these names."""
    wanted = [each for each in without_end(said).casefold().split() if each not in ARTICLES]
    words = [word for name in names for word in name.casefold().split()]
    if not any(len(each) >= _SHORTEST_BEGINNING for each in wanted):
        return False
    forms = [(each, each.removesuffix("s") if len(each) > _SHORTEST_BEGINNING else each) for each in wanted]
    return all(any(word.startswith(form) for word in words) for form in forms)


def bare(name: str) -> str:
    """Return a display name on one line, without invisible or bidirectional characters and our brackets."""
    spaced = "".join(" " if each.isspace() else each for each in unicodedata.normalize("NFC", name))
    visible = "".join(each for each in spaced if unicodedata.category(each) not in _UNSEEN)
    return " ".join(visible.translate(_BRACKETS).split())[:LONGEST_NAME].strip()


def display_name(label: str, identity: str) -> str:
    """Return the display name of a label, without the identity after it."""
    name, bracket, behind = label.rpartition(" (")
    return bare(name if bracket and behind.removesuffix(")").partition(" of ")[0] == identity else label)


def of_party(name: str, party: str) -> str:
    """Return the label of a space: 'Attraktor' if the id is the same name, else 'Attraktor (gammaspace)'."""
    shown = display_name(name, party)
    if not shown or shown.lower() == party:
        return shown or party
    return f"{shown} ({party})"


_AT_AN_END = " .!?…,;:"
"""Characters that phones and people put after the last word."""
_AROUND = f"{_AT_AN_END}()[]#`'\""
"""Characters that people put around an id or a code."""


def without_end(text: str) -> str:
    """Return the text without the punctuation after its last word."""
    return text.strip().rstrip(_AT_AN_END)


def bare_word(text: str) -> str:
    """Return the id or code in this text, without brackets, quotes and punctuation around it."""
    return text.strip(_AROUND)


def is_called(party: str, label: str, word: str) -> bool:
    """Whether a typed word means the space: its id, label or display name, in any case.

    Punctuation at its end is ignored, unless it belongs to a name (`e.V.`).
    """
    names, wanted = {party.casefold(), label.casefold(), display_name(label, party).casefold()}, word.strip().casefold()
    return bool({wanted, without_end(wanted)} & names)


def of_person(name: str, person: str, server: str) -> str:
    """Return the label of a person: with the id, unless the name equals the account on the bot's own `server`."""
    local, _, home = person.removeprefix("@").partition(":")
    shown = display_name(name, person)
    if home == server and (not shown or shown.lower() == local.lower()):
        return shown or local
    return f"{shown} ({person})" if shown and shown != person else person


def of_ours(name: str, person: str, says: str) -> str:
    """Return the label of one of our people in a peer's words: 'Piet (@piet:… of betaspace)'. `says` is that peer."""
    shown = display_name(name, person)
    who = f"{person} of {says}"
    return f"{shown} ({who})" if shown else who


def in_history(name: str, person: str, username: str, party: str) -> str:
    """Return a person's label for InvenTree's history, which lasts, with who vouches for them.

    'Piet (@piet:example.org, InvenTree user piet)' for our own, 'Bea (@bea:example.net of betaspace)' for a peer's.
    """
    who = f"{person}, InvenTree user {username}" if username else " of ".join(filter(None, (person, party)))
    shown = display_name(name, person) if len(person) <= LONGEST_DECORATED else ""
    return f"{shown} ({who})" if shown and shown != person else who


def party_in_history(name: str, party: str) -> str:
    """Return a space's label for InvenTree's history, which lasts: always with its id, 'Attraktor (attraktor)'."""
    shown = display_name(name, party)
    return f"{shown} ({party})" if shown else party


# --- Text from strangers: controls and bidi overrides, which mislead readers or break a database, are removed.

# Controls (NUL among them, but not line feed and tab), and half surrogates, which no UTF-8 can hold.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
# Embeddings, overrides, isolates and marks can make a line read differently from its characters (Unicode TR 36).
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u200b\u2060\ufeff"
_REMOVED = re.compile(f"[{_CONTROLS}{_BIDI}{_INVISIBLE}]")
_LINE_BREAKS = str.maketrans({"\u0085": "\n", "\u2028": "\n", "\u2029": "\n", "\v": "\n", "\f": "\n"})
_NAME_LENGTH = 80


def clean_text(text: object) -> str:
    """Return a text of several lines with only line feeds and tabs; '' for anything but a string."""
    if not isinstance(text, str):
        return ""
    if text.isascii() and text.isprintable():
        return text
    unified = text.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_BREAKS)
    return _REMOVED.sub("", unified)


def clean_name(name: object) -> str:
    """Return a name on one line, white space folded, at most 80 characters; '' for anything but a string."""
    return " ".join(clean_text(name).split())[:_NAME_LENGTH].rstrip()


def can_be_stored(raw: dict[str, Any]) -> bool:
    """Whether the event is JSON that UTF-8 can hold: no half surrogates, NaN, infinity or endless nesting."""
    try:
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True
