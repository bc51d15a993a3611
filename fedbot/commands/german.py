"""The verbs, options and keywords in German, for a space whose bot speaks German. The English ones work there too."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from fedbot.commands.items import first_word
from fedbot.commands.spec import Argument, Option, Verb

LANGUAGE = "de"

_VERBS = {
    "approve": ("ja", "annehmen", "zustimmen", "genehmigen", "genehmige"),
    "borrow": ("leih", "leihe", "leihen", "borge", "borgen", "ausleihen", "buche", "buchen", "reserviere"),
    "calendar": ("kalender",),
    "cancel": ("abbrechen", "abbruch", "zurückziehen", "zurücknehmen", "rückgängig", "storniere", "stornieren"),
    "connect": ("verbinde", "verbinden"),
    "decline": ("nein", "ablehnen"),
    "disconnect": ("trenne", "trennen"),
    "extend": ("verlängere", "verlängern", "verlaengern"),
    "find": ("such", "suche", "suchen", "finde", "finden", "liste"),
    "gift": ("schenke", "schenken"),
    "here": ("hier", "schonda"),
    "history": ("verlauf",),
    "lend": ("verleih", "verleihe", "verleihen"),
    "lost": ("verloren",),
    "match": ("zuordnen",),
    "missing": ("fehlt",),
    "outside": ("außerhalb", "ausserhalb", "nachbarn"),
    "overdue": ("überfällig",),
    "people": ("leute",),
    "push": ("gib", "geben", "gebe", "biete", "anbieten", "schick", "schicke", "schicken", "verschenke", "verschenken"),
    "qr": ("etikett",),
    "received": ("angekommen", "erhalten"),
    "reconcile": ("abgleichen",),
    "request": ("erbitte", "anfrage", "anfragen", "frage"),
    "resolve": ("kläre", "klären"),
    "return": ("zurück", "zurueck", "zurückgeben", "rückgabe"),
    "review": ("prüfe", "prüfen"),
    "share": ("teile", "teilen", "freigeben"),
    "show": ("zeige", "zeig", "zeigen"),
    "spaces": ("freunde",),
    "stats": ("statistik", "zahlen"),
    "todo": ("offen", "fällig", "übersicht", "aufgaben"),
    "wait": ("warte", "warten", "warteliste"),
    "want": ("wünsche", "wunsch", "brauche", "brauchen", "benötige"),
    "whoami": ("werbinich",),
}
_OPTIONS_IN_WORDS = {
    "parcel": ("per paket", "als paket", "mit post", "mit der post"),
    "damaged": ("kaputt", "defekt", "beschädigt", "beschaedigt"),
}
_OPTIONS = {
    "note": ("notiz",),
    "parcel": ("paket",),
    "damaged": ("beschädigt", "beschaedigt"),
    "since": ("seit",),
    "chart": ("diagramm", "bild"),
    "loan": ("leihweise",),
    "sure": ("sicher",),
    "page": ("seite",),
    "category": ("kategorie",),
    "all": ("alle",),
    "join": ("gemeinsam",),
    "stop": ("stopp",),
    "resume": ("aufheben",),
    "forget": ("vergessen",),
}
_EXAMPLES = {
    "borrow": "leih 1 LENS-2 von betaspace für 2 Wochen",
    "find": "such 0.4 nozzle",
    "lend": "verleih LENS-2 an betaspace für 3 Wochen",
    "push": "gib 200 M3-BOLT an betaspace",
    "request": "erbitte 50 M3-BOLT von betaspace",
    "return": "zurück",
    "spaces": "freunde",
    "todo": "offen",
}
"""Lines of German words, for the help."""
MORE = ("mehr", "weiteres")
"""The word for the help's second page."""
_KEYWORDS = {"to": ("an", "nach"), "from": ("von", "aus"), "by": ("spätestens",), "is": ("ist",)}


_SAID_FOR = {"to": "an", "from": "von", "for": "für", "until": "bis", "by": "spätestens", "in": "in", "is": "ist"}
_PLACEHOLDERS = {
    "ITEM": "ARTIKEL",
    "THING": "ARTIKEL",
    "QUANTITY": "MENGE",
    "TIME": "DAUER",
    "DAY": "TAG",
    "WORDS": "WORTE",
    "REASON": "GRUND",
}


def as_said(spec: Verb, text: str) -> Verb:
    """The verb for usage and suggested lines: in German if the line `text` begins with a German word for it."""
    word, _ = first_word(text)
    return in_german(spec, word) if word in _VERBS.get(spec.name, ()) else spec


def in_german(spec: Verb, word: str = "") -> Verb:
    """The verb with German words in its usage and in suggested lines: `word`, or the first one for it."""
    both, word = in_language(spec, LANGUAGE), word or word_for(spec, LANGUAGE) or spec.name
    others = dict.fromkeys((spec.name, *both.aliases))
    others.pop(word, None)
    return replace(both, name=word, aliases=tuple(others), arguments=tuple(map(_said, both.arguments)))


def _said(argument: Argument) -> Argument:
    keyword = _SAID_FOR.get(argument.keyword, argument.keyword)
    shown = re.sub("[A-Z]+", lambda found: _PLACEHOLDERS.get(found[0], found[0]), argument.shown)
    others = (argument.keyword, *(each for each in argument.or_keywords if each != keyword))
    return replace(argument, shown=shown, keyword=keyword, or_keywords=others if argument.keyword else ())


def word_for(spec: Verb, language: str) -> str:
    """The verb's name in that language; '' if it has none of its own there."""
    return next(iter(_VERBS.get(spec.name, ())), "") if language == LANGUAGE else ""


def examples(spec: Verb, language: str) -> tuple[str, ...]:
    """The verb's examples, with the one in that language first, if there is one."""
    own = _EXAMPLES.get(spec.name, "") if language == LANGUAGE else ""
    return (own, *spec.examples) if own else spec.examples


@cache
def in_language(spec: Verb, language: str) -> Verb:
    """The verb with the additional words for it in that language."""
    if language != LANGUAGE:
        return spec
    return replace(
        spec,
        aliases=(*spec.aliases, *_VERBS.get(spec.name, ())),
        arguments=tuple(_argument(argument) for argument in spec.arguments),
        options=tuple(_option(option) for option in spec.options),
    )


def _argument(argument: Argument) -> Argument:
    return replace(argument, or_keywords=(*argument.or_keywords, *_KEYWORDS.get(argument.keyword, ())))


def _option(option: Option) -> Option:
    return replace(
        option,
        or_names=(*option.or_names, *_OPTIONS.get(option.name, ())),
        in_words=(*option.in_words, *_OPTIONS_IN_WORDS.get(option.name, ())),
    )
