"""Lines typed as if to a person: questions, `lend me …`, `it arrived`, a space without its keyword."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from fedbot import messages
from fedbot.commands.dates import MOST_IN_A_DAY, is_day
from fedbot.commands.grammar import parse, render
from fedbot.commands.items import Token, in_quotes, tidied, tokens_in
from fedbot.commands.spec import Kind, Verb
from fedbot.rules.model.decision import says_it_is_here
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.names import without_end


def with_the_space(spec: Verb, text: str, names: Iterable[str]) -> str:
    """The whole line with the keyword before a space that is named without it; '' if that doesn't parse."""
    argument = next((each for each in spec.arguments if each.kind is Kind.SPACE and each.keyword), None)
    known = tuple(dict.fromkeys(names))
    text = tidied(text)
    tokens = tokens_in(text) if argument is not None else []
    for at, token in enumerate(tokens):
        name = _name_meant(token, known)
        if argument is None or not name:
            continue
        keyword = at > 0 and tokens[at - 1].means_any({*argument.keywords, *_OTHER_KEYWORDS})  # `for betaspace`
        said = f"{argument.keyword} {in_quotes(name) if ' ' in name else name}"
        before, behind = text[: tokens[at - keyword].start], without_fillers(spec, text[token.end :])
        for way in (f"{before}{said}{behind}", f"{before}{behind} {said}"):
            parsed = parse(spec, way)
            if not isinstance(parsed, Phrase) and str(parsed.get(argument.name, "")) == name:
                return render(spec, parsed)
    return ""


_ARROWS = frozenset({"->", ">", "→", "=>"})
_OTHER_KEYWORDS = _ARROWS | {"an", "at", "aus", "bei", "for", "für", "in", "nach", "of", "von", "with"}
_SHORTEST_BEGINNING = 3


def beginning_with(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that begin like the word, in any case; none if the word is too short."""
    begun = word.casefold() if len(word) >= _SHORTEST_BEGINNING else ""
    return tuple(name for name in names if begun and name.casefold().startswith(begun))


def _name_meant(token: Token, names: Sequence[str]) -> str:
    """The name that the word is or begins; '' if there is none, or several fit."""
    if token.quoted:
        return ""
    word = token.text.strip("@:,")
    named = [name for name in names if name.casefold() == word.casefold()]
    begun = {name.casefold(): name for name in beginning_with(word, names)}
    return word if named else next(iter(begun.values())) if len(begun) == 1 else ""


_QUESTION = re.compile(
    r"(?:who(?:'s| has| have)(?: got)?|wer hat|where(?:'s| is| are| can i find)|wo (?:ist|sind|gibt es|gibt's)) +",
    re.IGNORECASE,
)
_WHAT_HAS = re.compile(
    r"(?:(?:show|zeig|zeige) (?:me|us|mir|uns),? )?(?:"
    r"what(?: all)? (?:has|does|do|can i (?:get|borrow) (?:from|at)|is there (?:at|in)) +(?P<asked>.+?)"
    r"(?: (?:have|has|share|shares|got))*|what +(?P<told>.+?) (?:has|have|shares|shares)|"
    r"was (?:alles )?(?:hat|gibt es bei|gibt es in) +(?P<gefragt>.+?)|was (?P<gesagt>.+?) (?:alles )?(?:hat|teilt))",
    re.IGNORECASE,
)
_WHO_AM_I = re.compile(r"(?:who am i|wer bin ich)[\s?!.]*", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:hi|hello|hey|hallo|moin(?: moin)?|servus|good (?:morning|evening|day)|guten (?:morgen|tag|abend))"
    r"(?: there| all| bot| zusammen)?[\s!.]*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:many )?(?:thanks|thank you|thx|cheers|danke|vielen dank|danke ?(?:schön|dir|euch))"
    r"(?: a lot| so much| very much| bot)?[\s!.]*",
    re.IGNORECASE,
)
_PLEASE = re.compile(r"(?:please|pls|bitte)[\s,]+", re.IGNORECASE)
_LOOKS_FOR_A_VERB = 4
"""The number of words at the beginning of a sentence that may be the verb."""


def without_fillers(spec: Verb, text: str) -> str:
    """The text without words that join a verb to its item: `wait for LENS-2`, `find me a nut`."""
    first, _, rest = text.lstrip().partition(" ")
    is_one = first.casefold() in spec.fillers and rest.strip() and not _begins_with_a_day(rest)
    return without_fillers(spec, rest) if is_one else text


def _begins_with_a_day(text: str) -> bool:
    words = text.split()
    return any(is_day(" ".join(words[:size])) for size in range(1, MOST_IN_A_DAY + 1))


def as_typed_line(text: str) -> str:
    """A tidied line without `please`, and sentences as their verb: `who has …?`, `it arrived`."""
    text = _PLEASE.sub("", text.strip(), count=1) if _PLEASE.match(text.strip()) else text
    if says_it_is_here(text):
        return "received"
    if _WHO_AM_I.fullmatch(text.strip()):
        return "whoami"
    asked = _QUESTION.match(text.strip())
    if space := _WHAT_HAS.fullmatch(without_end(text)):
        return f"find in {next(filter(None, space.groups()))}"
    return f"find {without_end(text.strip()[asked.end() :])}" if asked else text


def small_talk(text: str) -> Phrase | None:
    """The answer to a greeting or to thanks alone; None if the text is neither."""
    if _GREETING.fullmatch(text.strip()):
        return say(messages.people.greeted)
    return say(messages.people.thanked) if _THANKS.fullmatch(text.strip()) else None


_TO_ME = re.compile(r"(lend|loan|give|send|leih|leihe|gib|schick) (?:me|us|mir|uns) +", re.IGNORECASE)


def asked_for(text: str) -> str:
    """The line that asks a friend, for `lend me …` and `give us …`; '' if it is neither."""
    found = _TO_ME.match(text.strip())
    verb = "borrow" if found is not None and found[1][:2].casefold() in {"le", "lo"} else "request"
    return f"{verb} {text.strip()[found.end() :]}" if found else ""


def verb_in_sentence(text: str, names: Collection[str]) -> str:
    """The line from its first verb on: `borrow …` for `can I borrow …`; '' if none of the first words is a verb."""
    tokens = [token for token in tokens_in(tidied(text)) if not token.separator][:_LOOKS_FOR_A_VERB]
    found = next((token for token in tokens[1:] if token.means_any(names)), None)
    return without_end(tidied(text)[found.start :]) if found else ""
