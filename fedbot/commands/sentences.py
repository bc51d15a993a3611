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
    r"(?:hi|hello|hey|hallo|moin(?: moin)?|servus|good (?:morning|evening|day)|guten (?:morgen|tag|abend)|ping|"
    r"are you (?:there|alive|up|online)|bist du (?:da|wach|online))"
    r"(?: there| all| bot| zusammen)?[\s!.?]*",
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
    if line := _line_of(text, _ALL_SAME_AS):
        return line
    asked = _QUESTION.match(text.strip())
    if space := _WHAT_HAS.fullmatch(without_end(text)):
        return f"find in {next(filter(None, space.groups()))}"
    return f"find {without_end(text.strip()[asked.end() :])}" if asked else text


def small_talk(text: str) -> Phrase | None:
    """The answer to a greeting or to thanks alone; None if the text is neither."""
    if _GREETING.fullmatch(text.strip()):
        return say(messages.people.greeted)
    return say(messages.people.thanked) if _THANKS.fullmatch(text.strip()) else None


# --- What people of a makerspace say, and the line that means it. The words of both languages count everywhere.

_ITEM = r"(?P<item>\S.*?)"
_PRONOUNS = frozenset({"it", "that", "this", "them", "they", "es", "das", "die", "der", "sie", "ihn"})
_SAME_AS = (
    # what waits, and what is out
    ("todo", r"what(?:'s| is| do i have| have i(?: got)?)?(?: still)? (?:open|pending|outstanding|due|to do)"),
    ("todo", r"what(?:'s| is) (?:new|next|up|waiting(?: for me)?|on loan|borrowed|lent(?: out)?)"),
    ("todo", r"what (?:do i have to|should i|must i) do(?: now| next)?"),
    ("todo", r"(?:is there )?anything (?:to do|open|new|due)(?: for me)?"),
    ("todo", r"what (?:have|did|do) (?:we|i) (?:still )?(?:have )?(?:borrow(?:ed)?|lend|lent(?: out)?|on loan)"),
    ("todo", r"my (?:loans|requests|offers|items|stuff|things|tasks|cards)"),
    ("todo", r"was (?:hab|habe|haben) (?:ich|wir)(?: noch| alles| gerade)* (?:offen|zu tun)"),
    (
        "todo",
        r"was (?:hab|habe|haben) (?:ich|wir)(?: noch| alles| gerade)* (?:aus|ver)?(?:ge)?(?:liehen|borgt)",
    ),
    ("todo", r"was (?:ist|steht|liegt)(?: noch| alles| gerade)* (?:offen|fällig|an|zu tun|neu|verliehen|ausgeliehen)"),
    ("todo", r"was (?:gibt'?s|gibt es) neues|was (?:soll|muss) ich(?: noch| jetzt)* (?:tun|machen)"),
    ("todo", r"meine (?:ausleihen|leihen|leihgaben|anfragen|angebote|sachen|aufgaben|karten)"),
    ("todo", r"(?:(?:gibt es|gibt'?s|ist) )?(?:noch )?(?:etwas|was) (?:zu tun|offen|fällig|neues)"),
    ("overdue", r"(?:what(?:'s| is)|who(?:'s| is)|(?:is )?(?:there )?anything) (?:overdue|late)"),
    ("overdue", r"(?:was|wer) ist (?:überfällig|zu spät)|(?:ist|gibt es) (?:etwas|was) überfällig(?:es)?"),
    # who has what
    ("find", r"what can (?:i|we) (?:borrow|get|have|request|ask for)|what do you(?: guys| all)? have(?: there)?"),
    ("find", r"what(?:'s| is) (?:available|there|free|shared|on offer)"),
    ("find", r"(?:show|list|zeige?) (?:me |us |mir |uns )?(?:everything|all|alles)"),
    (
        "find",
        r"was (?:kann|können|darf|dürfen) (?:ich|wir|man)(?: alles)? (?:aus)?(?:leihen|borgen|haben|bekommen|kriegen)",
    ),
    ("find", r"was (?:gibt'?s|gibt es|habt ihr)(?: hier| da| so| alles)*|was ist(?: alles)? (?:verfügbar|frei)"),
    ("find {item}", rf"(?:has|have) (?:any|some)(?:one|body)(?: got)? {_ITEM}"),
    ("find {item}", rf"(?:does|do) (?:any(?:one|body)|some(?:one|body)|you|we)(?: guys| all)? have {_ITEM}"),
    ("find {item}", rf"(?:is|are) there {_ITEM}(?: (?:somewhere|anywhere|left|available))?"),
    ("find {item}", rf"how (?:many|much) {_ITEM} (?:do|does|are|is|have) .+"),
    ("find {item}", rf"when (?:is|are|does|do|will) {_ITEM} (?:be |come |get )?(?:back|due|free|available|returned)"),
    ("find {item}", rf"(?:is|are) {_ITEM} (?:still )?(?:free|available|in stock|on loan)"),
    ("find {item}", rf"(?:i'm |i am |we're |we are )?looking for {_ITEM}"),
    (
        "find {item}",
        rf"(?:hat|habt|haben|hätte) (?:jemand|irgendwer|wer|ihr|wir)(?: von euch| noch| zufällig)* {_ITEM}",
    ),
    ("find {item}", rf"(?:gibt es|gibt'?s)(?: noch| irgendwo| hier)* {_ITEM}"),
    ("find {item}", rf"wie ?viele? {_ITEM} (?:haben|hat|gibt|sind|ist)\b.*"),
    ("find {item}", rf"wann (?:ist|kommt|kommen|sind|wird) {_ITEM} (?:wieder )?(?:zurück|da|frei|fällig|verfügbar)"),
    ("find {item}", rf"(?:ist|sind) {_ITEM} (?:noch |gerade )?(?:frei|verfügbar|vorrätig|verliehen)"),
    ("find {item}", rf"(?:ich|wir) (?:suche|suchen) {_ITEM}"),
    # one item or transfer
    (
        "show {item}",
        r"(?:what(?:'s| is)(?: up)?(?: with)?|what happened (?:to|with)|status(?: of| von)?) (?P<item>\S*\d\S*)",
    ),
    ("show {item}", r"(?:was ist (?:mit|aus)|wie steht es um|stand von) (?P<item>\S*\d\S*)"),
    ("show {item}", rf"who (?:approved|declined|asked for|requested|borrowed|took|has borrowed) {_ITEM}"),
    ("show {item}", rf"wer hat {_ITEM} (?:genehmigt|abgelehnt|angefragt|ausgeliehen|geliehen|bekommen)"),
    ("history {item}", rf"(?:the )?(?:history|log) of {_ITEM}|verlauf von (?P<other>\S.*)"),
    # the rest
    ("share", r"what do (?:we|i) share|was teilen wir(?: alles)?"),
    ("spaces", r"(?:who are|list|show)(?: our| the| all)* friends|wer sind (?:unsere|die) freunde"),
    ("help", r"(?:how does (?:this|it|that) work|what can (?:you|i) do|what do you do|who are you|commands?|\?+)"),
    ("help", r"(?:wie (?:geht|funktioniert) (?:das|es)|was kannst du(?: alles)?|wer bist du|befehle|anleitung)"),
)
"""Lines that change nothing, with the sentences that are read as them."""
_MAY_MEAN = (
    ("extend {item} {time}", rf"(?:(?:can|could|may) (?:we|i) )?keep {_ITEM} (?P<time>(?:until|till|for) .+)"),
    ("extend {item} 2 weeks", rf"(?:can|could|may) (?:we|i) keep {_ITEM}(?: for)?(?: a (?:bit|little|while))? longer"),
    ("extend {item} 2 weeks", rf"(?:some )?more time (?:for|with) {_ITEM}"),
    (
        "extend {item} 2 weeks",
        rf"(?:kann|können|darf|dürfen) (?:ich|wir) {_ITEM}(?: noch| etwas)* länger (?:behalten|haben)",
    ),
    ("extend {item} 2 weeks", rf"(?:mehr|noch) zeit für {_ITEM}|länger"),
    ("return {item}", rf"(?:bring|take|give|hand|send)(?:ing)? back {_ITEM}"),
    ("return {item}", rf"(?:bring|take|give|hand|send)(?:ing)? {_ITEM} back"),
    ("return {item}", rf"(?:i|we)(?:'ve| have)? (?:brought|returned|gave|sent|handed)(?: back)? {_ITEM}(?: back)?"),
    ("return {item}", rf"(?:(?:ich|wir) )?(?:bringe?|gib|gebe|geben|bringen|schicke?) {_ITEM} zurück"),
    ("return {item}", rf"(?:ich|wir) (?:habe?|haben) {_ITEM} zurück(?:gebracht|gegeben)"),
    ("return", r"(?:ist )?wieder da"),
    ("missing", r"(?:it|(?:the |our |my )?parcel) (?:never|has(?:n't| not)|did(?:n't| not)) (?:arrived?|come|came)"),
    ("missing", r"(?:never|not) arrived(?: yet)?|nothing (?:came|arrived)"),
    ("missing", r"(?:(?:es|das paket) )?(?:ist )?(?:nicht|nie) (?:angekommen|gekommen)"),
    ("missing", r"(?:es |das paket )?kam (?:nicht|nie) an"),
    ("cancel", r"never ?mind|forget (?:it|that|about it)|stop(?: it| that)?|(?:i )?changed my mind"),
    ("cancel", r"vergiss (?:es|das)|(?:lieber |dann )?doch nicht|stopp|halt|egal|lass (?:es|gut sein)"),
    ("unshare {item}", rf"(?:stop|don't|do not) shar(?:ing|e) {_ITEM}"),
    ("unshare {item}", rf"teile {_ITEM} nicht mehr|nicht mehr teilen (?P<other>\S.*)"),
)
_MAY_MEAN_OF_AN_ITEM = (
    ("extend {item} 2 weeks", rf"{_ITEM} (?:bitte )?verlängern"),
    ("return {item}", rf"{_ITEM} (?:is|are|came) back(?: again| here| home)?|it's back(?: again| here| home)?"),
    ("return {item}", rf"{_ITEM} (?:ist|sind) (?:wieder )?(?:zurück|wieder da)"),
    ("return {item}", rf"{_ITEM} zurück(?:geben|bringen)"),
    ("unshare {item}", rf"{_ITEM} nicht mehr teilen"),
)
"""Lines that people may mean by these sentences. The bot only asks whether they do."""
_FOUND = re.compile(
    rf"(?:(?:i|we)(?:'ve| have)? )?found(?: (?:it|{_ITEM}))?(?: again)?"
    r"|(?P<other>\S.*?) (?:has |have )?(?:turned up|was found|were found|been found|found)(?: again)?"
    r"|(?:(?:ich|wir) (?:habe?|haben) )?(?P<third>\S.*? )?(?:wieder)?gefunden(?: (?P<fourth>\S.*))?"
    r"|(?P<fifth>\S.*? )?(?:ist |sind )?(?:wieder )?aufgetaucht",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"(?P<item>\S.*? )?(?:is |are |'s |ist |sind |ging |came back )?"
    r"(?:broken|damaged|defective|kaputt|defekt|beschädigt)(?: (?P<other>\S.*))?",
    re.IGNORECASE,
)


_PICKED_UP = re.compile(
    r"(?:(?:i|we|they|ich|wir|sie)(?:'ve| have| has| habe?n?)? )?(?:(?:just|now|jetzt|gerade|eben) )?"
    r"(?:(?P<before>\S.*?) )?(?:(?:was|were|has been|have been|is|are|wurden?|ist|sind) )?"
    r"(?:(?:just|now|jetzt|gerade) )?"
    r"(?:picked up|collected|handed over|abgeholt|übergeben|ausgehändigt)(?: (?P<behind>\S.*))?",
    re.IGNORECASE,
)


def _compiled(table: Iterable[tuple[str, str]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((line, re.compile(sentence, re.IGNORECASE)) for line, sentence in table)


_ALL_SAME_AS, _ALL_MAY_MEAN, _ALL_OF_AN_ITEM = map(_compiled, (_SAME_AS, _MAY_MEAN, _MAY_MEAN_OF_AN_ITEM))
_LONGEST_SENTENCE = 120
"""No sentence of a person to a bot is longer, and the time for looking grows with it."""


def _item_in(found: re.Match[str]) -> str:
    """The item that the sentence names; '' if it names none, or only a pronoun."""
    named = next((text.strip() for name, text in found.groupdict().items() if text and name != "time"), "")
    return "" if named.casefold() in _PRONOUNS else named


def _line_of(text: str, table: Iterable[tuple[str, re.Pattern[str]]]) -> str:
    """The line of the first sentence in the table that this text is; '' if it is none of them."""
    said = without_end(text.strip()) or text.strip()
    if len(said) > _LONGEST_SENTENCE:
        return ""
    for line, sentence in table:
        if found := sentence.fullmatch(said):
            time = found.groupdict().get("time") or ""
            return " ".join(line.format(item=_item_in(found), time=time).split())
    return ""


def may_mean(text: str, *, is_verb: bool) -> str:
    """The line that a sentence may mean, although it would change something; '' if it is no such sentence.

    `is_verb`: its first word is a verb, so it is no item's name.
    """
    return _line_of(text, (*_ALL_MAY_MEAN, *(() if is_verb else _ALL_OF_AN_ITEM)))


def picked_up(text: str) -> str | None:
    """The item or id that was picked up, says the text; '' if it names none, None if it says no such thing."""
    said = without_end(text.strip())
    found = _PICKED_UP.fullmatch(said) if len(said) <= _LONGEST_SENTENCE else None
    return None if found is None else _item_in(found)


def advice(text: str) -> Phrase | None:
    """What to type if something was found, or is broken; None if the text says neither."""
    said = without_end(text.strip())
    if len(said) > _LONGEST_SENTENCE:
        return None
    if found := _FOUND.fullmatch(said):
        return say(messages.line_errors.found_something, item=_item_in(found))
    broken = _BROKEN.fullmatch(said)
    return say(messages.line_errors.something_is_broken, item=_item_in(broken)) if broken else None


_TO_ME = re.compile(r"(lend|loan|give|send|leih|leihe|gib|schick) (?:me|us|mir|uns) +", re.IGNORECASE)


def line_to_a_friend(text: str) -> str:
    """The line that asks a friend, for `lend me …` and `give us …`; '' if it is neither."""
    found = _TO_ME.match(text.strip())
    verb = "borrow" if found is not None and found[1][:2].casefold() in {"le", "lo"} else "request"
    return f"{verb} {text.strip()[found.end() :]}" if found else ""


def verb_in_sentence(text: str, names: Collection[str]) -> str:
    """The line from its first verb on: `borrow …` for `can I borrow …`; '' if none of the first words is a verb."""
    tokens = [token for token in tokens_in(tidied(text)) if not token.separator][:_LOOKS_FOR_A_VERB]
    found = next((token for token in tokens[1:] if token.means_any(names)), None)
    return without_end(tidied(text)[found.start :]) if found else ""
