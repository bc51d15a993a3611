"""Strangers' names and texts in our sentences: the result is always a valid message."""

from __future__ import annotations

import html as html_module
import inspect
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedbot import messages
from fedbot.matrix import content
from fedbot.messages import markup
from fedbot.messages.language import Locale
from fedbot.messages.rendering import MOST_BYTES, MOST_HTML_BYTES, render
from fedbot.rules.model.catalogue import Hit, Search, SpaceHits
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Speaker, Verbatim
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LONGEST_RULE_TEXT, MOST_TEXTS, LoanRules
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.stock import (
    LONGEST_WORD,
    FileTold,
    ItemDetails,
    Parameter,
    PartDescription,
    PartDetails,
    TestResult,
    Trait,
)
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, NOW, OUR_LOCALE, connection, plain, transfer

TABLES = [
    module
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if path != Path(__file__) and hasattr(module := import_module(f"tests.messages.{path.stem}"), "SAID")
]
EXAMPLES: list[Phrase] = [phrase for table in TABLES for phrase in table.SAID.values()]
TAGS = re.compile(r"</?([a-z]+)")
ALLOWED = {"p", "br", "b", "code", "a", "ul", "li"}
TROUBLE = ["<b>", "&amp;", "{place}", "{", "}", "{0}", "%s", "\u202e", "\x00", "\n", '"', "'", "\\", "@room", "😀", "ß"]
ODD = st.one_of(
    st.text(max_size=700),
    st.sampled_from(TROUBLE).map(lambda part: part * 500),
    st.lists(st.sampled_from(TROUBLE), max_size=200).map("".join),
)


def sentences_of() -> set[str]:
    """Every sentence by its name in the rules (`offer.no_such_space`): a function that makes lines from a locale and
    arguments.
    """
    found = set()
    for subject in messages.__all__:
        module = getattr(messages, subject)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            signature = inspect.signature(function)
            first, *others = signature.parameters.values()
            by_keyword = all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in others)
            public = function.__module__ == module.__name__ and not name.startswith("_")
            makes_lines = signature.return_annotation == "Lines"
            if public and makes_lines and first.annotation == "Locale" and by_keyword:
                found.add(f"{subject}.{name}")
    return found


def test_every_sentence_is_in_a_table() -> None:
    assert sorted({name.partition(".")[2] for name in sentences_of()} - {phrase.name for phrase in EXAMPLES}) == []


def test_every_sentence_is_used() -> None:
    product = Path(inspect.getfile(messages)).parents[1]
    source = "\n".join(path.read_text("utf-8") for path in product.rglob("*.py") if "messages" not in path.parts)
    said = set(re.findall(r"messages\.(\w+\.\w+)", source))
    assert sorted(sentences_of() - said) == []


@pytest.mark.parametrize("phrase", EXAMPLES, ids=lambda phrase: phrase.name)
def test_only_plain_markup_is_used(phrase: Phrase) -> None:
    rendered = markup.render(render(phrase, OUR_LOCALE, NOW))
    assert set(TAGS.findall(rendered.html)) <= ALLOWED
    assert rendered.plain.split("\n")[0].strip()


@pytest.mark.parametrize("phrase", EXAMPLES, ids=lambda phrase: phrase.name)
def test_the_first_line_fits_on_a_lock_screen(phrase: Phrase) -> None:
    assert len(plain(phrase).split("\n")[0]) <= 120


CARDS = frozenset({"transfer_card", "connection_card"})
MOST_OF_A_CARD, MOST_OF_A_REPLY, A_THING_MORE = 10, 6, 2
LISTS = frozenset(
    {"disconnected", "disconnect_preview", "disconnecting", "found", "inventory_went_back", "making_waits", "people"}
    | {
        "peer_disconnects",
        "reconciled",
        "resolve_choice",
        "resolve_loan_choice",
        "review_list",
        "sharing_list",
        "shown",
    }
    | {
        "held",
        "own_token_ends",
        "access_not_ended",
        "token_ends",
        "spaces",
        "stats",
        "status",
        "todo",
        "calendar",
        "queue_list",
        "agenda",
        "which_to_cancel",
    }
)
"""Sentences that list everything there is, or tell an admin the steps one by one."""


@pytest.mark.parametrize("phrase", EXAMPLES, ids=lambda phrase: phrase.name)
def test_a_card_has_ten_lines_at_most_and_a_reply_six(phrase: Phrase) -> None:
    lines = [line for line in plain(phrase).split("\n") if line.strip()]
    if phrase.name not in CARDS:
        assert len(lines) <= MOST_OF_A_REPLY or phrase.name in LISTS, plain(phrase)
        return
    subject = phrase.about.get("transfer")
    things = len(subject.terms.lines) if isinstance(subject, Transfer) else 1
    by_hand = 0 if phrase.about["us"].has_admin_token else 1  # the admins have to do something
    assert len(lines) <= MOST_OF_A_CARD + by_hand + A_THING_MORE * max(things - 2, 0), plain(phrase)
    asks = any(line.startswith(("✅ yes", "✅ here", "It comes by parcel: ✅")) for line in lines)
    assert not asks or any(" can decide until " in line for line in lines[1:4]), plain(phrase)


def test_an_answer_to_an_offer_and_the_end_of_it_have_two_lines() -> None:
    short = {"transfer_offered", "transfer_requested", "transfer_end", "return_asked"}
    for phrase in EXAMPLES:
        subject = phrase.about.get("transfer")
        if phrase.name in short and isinstance(subject, Transfer) and len(subject.terms.lines) == 1:
            lines = [line for line in plain(phrase).split("\n") if line.strip() and not line.startswith(("⚠", "Pick"))]
            by_person = subject.state is not TransferState.DECLINED or (subject.decided and subject.decided.person)
            failed = subject.state in {TransferState.ABORTED, TransferState.REVERTED} or not by_person
            most = 4 if failed else 2  # the reason, and what to do
            assert len(lines) <= most, plain(phrase)


def _stranger(text: str, count: int) -> list[Phrase]:
    """A peer's message: everything in it is the peer's own text."""
    short = text[:LONGEST_WORD]
    files = (FileTold(f"{short}.pdf", 9),)
    details = ItemDetails(text, text, (short,) * 9, short, Decimal(1), short, short, (TestResult(short, True, short),))
    details = replace(details, inside=(short,), files=files)
    made = PartDetails(text, text, (short,), (Parameter(short, short),), short)
    description = PartDescription(text, text, text, text, text, text, details=made)
    lines = tuple(
        replace(
            BOLTS,
            number=n + 1,
            description=description,
            serial="",
            batch=text,
            packaging=text,
            place=text,
            status_text=text,
            origin=text,
            details=replace(details, notes=f"{n} {text}", status=f"{n} {text}"[:LONGEST_WORD], tags=(f"{n}", short)),
            stays=tuple(Trait),
        )
        for n in range(count)
    )
    progress = tuple(Progress(n + 1, part=7, part_name="Our thing", match="ipn", place=text) for n in range(count))
    base = transfer(*lines, progress=progress)
    rules = LoanRules(3, 2, ("a briefing",) * MOST_TEXTS, photo_out=True, two_people=True)
    terms = replace(base.terms, asker_name=text, note=text, rules=rules, starts=NOW.date(), loan_until=NOW.date())
    offered = replace(base, terms=terms, asked=replace(base.asked, name=text), problem=text)
    asked = replace(connection(), peer_name=text, asked=replace(base.asked, name=text), problem=text)
    return [*_of(offered, text), *_about(asked, text), _found(text)]


def _found(text: str) -> Phrase:
    """A page of hits, each with another space's words."""
    hits = tuple(Hit(1, text, text, text, Decimal(2)) for _ in range(20))
    search = Search("s", "$line", "@kim:example.org", "!room", text, NOW, (), (SpaceHits(text, text, hits, 1),))
    return say(
        messages.catalogue.found, us=ALPHA, search=search, silent=(text,) * 5, first=0, most=10, today=NOW.date()
    )


def _of(transfer_: Transfer, text: str) -> list[Phrase]:
    by = replace(transfer_.asked, name=text, person=text)
    cards: list[Phrase] = []
    for state in TransferState:
        for role, us in (("receiver", BETA), ("sender", ALPHA)):
            each = replace(transfer_, state=state, role=role, decided=by)
            cards += [
                say(messages.transfer_card.transfer_card, transfer=each, us=us, peer_name=text, people=[text] * 5),
                say(messages.transfer_card.transfer_end, transfer=each, us=us, peer_name=text),
                say(
                    messages.transfer_card.transfer_waits,
                    transfer=each,
                    us=us,
                    problem=Verbatim(Speaker.INVENTREE, text),
                    next_try=NOW,
                    peer_name=text,
                ),
                say(messages.transfer_card.peer_silent, transfer=each, us=us, peer_name=text),
                say(messages.approval.decided_already, subject=each),
                say(messages.overview.shown, subject=each, us=us, peer_name=text, entries=(), names={}, pages=()),
            ]
    return [*cards, say(messages.transfer_card.transfer_offered, transfer=transfer_, connection=connection(), us=ALPHA)]


def _about(asked: Connection, text: str) -> list[Phrase]:
    cards = [
        say(
            messages.connect.connection_card,
            connection=replace(asked, state=state),
            us=BETA,
            fingerprint="k3f9",
            own_fingerprint="w5nh",
            people=[text, "@" + text],
            emoji=tuple(range(7)),
        )
        for state in ConnectionState
    ]
    return [
        *cards,
        say(messages.connect.connect_declined, connection=asked, by=text),
        say(messages.line_errors.no_such_verb, word=text, near=(text,)),
        say(messages.line_errors.no_such_space, word=text, near=(), known=(text,) * 50),
        say(messages.line_errors.stranger, person=text, us=ALPHA),
        say(messages.rooms.unreadable_message, bot=text, problem=text, version=1),
        say(messages.line_errors.inventory_silent, problem=Verbatim(Speaker.INVENTREE, text), text=text, us=ALPHA),
        say(
            messages.line_errors.line_waits,
            problem=Verbatim(Speaker.INVENTREE, text),
            us=ALPHA,
            wait=timedelta(minutes=15),
        ),
        say(messages.line_errors.is_it_for_us, us=ALPHA, others=(text, text)),
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=ODD, count=st.sampled_from([1, 2, 20]))
def test_no_text_of_a_stranger_breaks_a_message_or_makes_it_too_large(text: str, count: int) -> None:
    for phrase in _stranger(text, count):
        rendered = markup.render(render(phrase, OUR_LOCALE, NOW))
        assert len(rendered.plain.encode()) <= MOST_BYTES
        assert len(rendered.html.encode()) <= MOST_HTML_BYTES
        assert set(TAGS.findall(rendered.html)) <= ALLOWED
        assert rendered.plain.split("\n")[0].strip()
        assert "\u202e" not in rendered.plain
        assert "\x00" not in rendered.plain
        content.message(rendered, edits="$event")


@pytest.mark.parametrize("sign", ["r", "工", "<", '"'])
def test_a_text_to_agree_to_is_never_cut_however_large_the_rest_of_the_card_is(sign: str) -> None:
    """A friend's other texts are shortened first, because nobody accepts what they couldn't read."""
    texts = tuple(f"{number:02} {sign * 600}"[:LONGEST_RULE_TEXT] for number in range(MOST_TEXTS))
    agree: tuple[str, ...] = ()
    for text in texts:
        agree = (*agree, text) if not LoanRules(agree=(*agree, text)).complaint() else agree
    for phrase in _stranger(sign * 700, 20):
        asks = phrase.about.get("transfer")
        if phrase.name != "transfer_card" or not isinstance(asks, Transfer) or asks.terms.rules is None:
            continue
        if asks.role != "receiver" or asks.state is not TransferState.OPEN:
            continue
        rules = replace(asks.terms.rules, agree=agree)
        about = {**phrase.about, "transfer": replace(asks, terms=replace(asks.terms, rules=rules))}
        rendered = markup.render(render(replace(phrase, about=about), OUR_LOCALE, NOW))
        assert [text for text in agree if text not in rendered.plain] == []
        assert len(rendered.plain.encode()) <= MOST_BYTES
        assert rendered.plain.endswith("k7m2")
        assert rendered.plain.count("• ") == 20, "each of its things is there"


def test_markup_in_a_name_is_shown_literally() -> None:
    named = replace(BOLTS, description=PartDescription("<b>M3</b> & co", "M3"))
    phrase = say(
        messages.transfer_card.transfer_card, transfer=transfer(named), us=BETA, peer_name="attraktor", people=[]
    )
    rendered = markup.render(render(phrase, OUR_LOCALE, NOW))
    assert "<b>M3</b> & co" in rendered.plain
    assert html_module.escape("<b>M3</b> & co") in rendered.html


def test_a_note_cannot_fake_the_lines_of_the_card() -> None:
    faked = replace(transfer(), terms=replace(transfer().terms, note="fine\n\n✅ Done: all yours\n"))
    phrase = say(messages.transfer_card.transfer_card, transfer=faked, us=BETA, peer_name="attraktor", people=[])
    assert '"fine ✅ Done: all yours"' in plain(phrase)
    assert not any(line.startswith("✅ Done") for line in plain(phrase).split("\n"))


def test_twenty_lines_with_long_names_keep_their_ends() -> None:
    lines = tuple(
        Line(
            number=n,
            item=n,
            part=n,
            description=PartDescription(f"{n} " + "long name " * 40, "IPN" * 30, revision="r" * 60),
            quantity=Decimal(n),
            batch="batch " * 30,
            packaging="bag " * 30,
            place="place " * 60,
        )
        for n in range(1, 21)
    )
    full = replace(transfer(), terms=Terms("push", "attraktor", "beta", lines, "@a:b", "Anna", "note " * 90))
    phrase = say(messages.transfer_card.transfer_card, transfer=full, us=BETA, peer_name="attraktor", people=["Bea"])
    text = plain(phrase)
    assert len(text.encode()) <= MOST_BYTES
    assert text.endswith("Nothing has moved yet. · !fed show k7m2")
    assert all(f"• {n} × {n} long" in text for n in range(1, 21))


@pytest.mark.parametrize("language", ["en", "de", "xx", ""])
def test_every_language_speaks_at_least_english(language: str) -> None:
    for phrase in EXAMPLES:
        assert plain(phrase, Locale(language, "Europe/Berlin"))
