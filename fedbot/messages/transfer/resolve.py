"""Disputes: no bot can tell where stock is, and people settle it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import card_of, settled, state_in_words
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.ledger import STANDS, Truth
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import ItemSeen, ItemsSeen, Whereabouts
from fedbot.rules.model.transfer import Line, Transfer

MOST_ITEMS = 6


def transfer_disputed(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """Nobody can tell what happened to the stock: people have to look, and settle it."""
    own, peer = naming.space(locale, us.name), naming.space(locale, peer_name)
    number = transfer.dispute.line if transfer.dispute else 0
    concerned = [each for each in transfer.terms.lines if each.number == number] or list(transfer.terms.lines)
    ours = transfer.dispute is not None and us.party in transfer.dispute.by
    return [
        *_why_it_stopped(locale, transfer, naming.things(locale, concerned)),
        *_what_the_peer_says(locale, transfer, peer),
        _how_far(locale, transfer),
        locale.say(
            "Next: a superuser of {space} settles it: {resolve}",
            space=own if ours else peer,
            resolve=command(f"resolve {transfer.code}"),
        ),
        locale.say(
            "In InvenTree, search the stock history for {mark}. Everything that I know about it: {show}",
            mark=Code(f"fed:{transfer.id}"),
            show=command(f"show {transfer.code}"),
        ),
    ]


def _why_it_stopped(locale: Locale, transfer: Transfer, what: str) -> Lines:
    missing = transfer.parcel.missing if transfer.parcel else None
    if missing is not None:
        who = naming.signed(locale, missing)
        return [locale.say("⚠ {code}: {what} did not arrive, says {who}.", code=transfer.code, what=what, who=who)]
    return [
        locale.say("⚠ {code} stopped: I can't tell what happened to {what}.", code=transfer.code, what=what),
        locale.say("Why: {text}", text=diagnosis(locale, transfer.obstacle)),
    ]


def _how_far(locale: Locale, transfer: Transfer) -> tuple[Inline, ...]:
    if transfer.parcel is not None and transfer.parcel.missing is not None:
        if transfer.dispute is not None and transfer.dispute.said == "received":
            return locale.say("I do nothing more with it until that is settled.")
        return locale.say("Done: it had left by parcel. Not done: it isn't booked in. I do nothing more with it.")
    return locale.say("Some of it may be done. I do nothing more with it, in either space.")


_PEERS_WORD: dict[str, str] = {
    "received": marked("{peer} says now that it has booked it in."),
    "refused": marked("{peer} says now that it doesn't have it, and won't book it in."),
    "done": marked("{peer} says now that it is done."),
    "reverted": marked("{peer} says now that it took it back."),
    "aborted": marked("{peer} says now that it was not given."),
}


def _what_the_peer_says(locale: Locale, transfer: Transfer, peer: str) -> Lines:
    dispute = transfer.dispute
    if dispute is not None and dispute.lacking:
        lacking = dict(dispute.lacking)
        lines = [replace(line, quantity=lacking.get(line.number, Decimal(0))) for line in transfer.terms.lines]
        what = naming.things(locale, [line for line in lines if line.quantity])
        return [locale.say("{peer} says now that it has booked it in, except {what}.", peer=peer, what=what)]
    sentence = _PEERS_WORD.get(dispute.said) if dispute else None
    return [locale.say(sentence, peer=peer)] if sentence else []


def dispute_settled(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The new text of the message about a dispute, once it is settled."""
    first = locale.say(
        "▶ {code} is settled: {what}.", code=transfer.code, what=naming.things(locale, transfer.lines_told)
    )
    return [first, *settled(locale, card_of(locale, transfer, us, peer_name)), state_in_words(locale, transfer)]


# --- the choice ----------------------------------------------------------------------------------------------


def resolve_choice(
    locale: Locale,
    *,
    transfer: Transfer,
    us: PartyConfig,
    peer_name: str,
    seen: dict[int, ItemsSeen],
    truths: tuple[Truth, ...],
    said: str,
) -> Lines:
    """The stock items that InvenTree shows now, and a numbered list of possible answers with their effects."""
    peer = naming.space(locale, peer_name)
    lines: Lines = [
        locale.say(
            "{code}: what happened to {what}? I have done nothing yet.",
            code=transfer.code,
            what=naming.moved(locale, transfer),
        )
    ]
    if said:
        lines.append(locale.say('"{said}" doesn\'t match InvenTree.', said=locale.short(said, 40)))
    lines += _what_the_peer_says(locale, transfer, peer)
    lines += _shown(locale, transfer, seen, us)
    if transfer.dispute is not None and us.party not in transfer.dispute.by:
        lines.append(
            locale.say(
                "The superusers of {peer} can tell for sure, so ask them first. Here I can only go by your answer.",
                peer=peer,
            )
        )
    lines += _numbered(locale, transfer, truths, peer)
    if Truth(STANDS) in truths:
        own = naming.space(locale, us.name)
        return [
            *lines,
            locale.say(
                "If {peer} is right, first delete it from the stock of {own}, then ask again.", peer=peer, own=own
            ),
        ]
    return [*lines, *_by_another_number(locale, transfer)]


def resolve_loan_choice(
    locale: Locale,
    *,
    transfer: Transfer,
    us: PartyConfig,
    peer_name: str,
    seen: dict[int, ItemsSeen],
    truths: tuple[Truth, ...],
    said: str,
) -> Lines:
    """A superuser's choices for a loan that is over but not in our stock, or whose lender is gone."""
    peer = naming.space(locale, peer_name)
    names: dict[str, Words] = {"code": transfer.code, "what": naming.moved(locale, transfer)}
    lines: Lines = [locale.say("{code}: what about {what}? I have done nothing yet.", **names)]
    if said:
        lines.append(locale.say('"{said}" doesn\'t match what I know.', said=locale.short(said, 40)))
    if seen:
        lines += _shown(locale, transfer, seen, us)
    lines += _numbered(locale, transfer, truths, peer)
    if not seen:
        lines.append(locale.say("If {peer} becomes a friend again, it is on loan again.", peer=peer))
    return lines


def resolve_rest_choice(
    locale: Locale, *, transfer: Transfer, peer_name: str, truths: tuple[Truth, ...], said: str
) -> Lines:
    """A superuser's choices for the items of a parcel that did not arrive."""
    lines: Lines = [
        locale.say(
            "{code}: what happened to {what}? I have done nothing yet.",
            code=transfer.code,
            what=naming.things(locale, transfer.lines_missing),
        )
    ]
    if said:
        lines.append(locale.say('"{said}" is none of these.', said=locale.short(said, 40)))
    return [*lines, *_numbered(locale, transfer, truths, naming.space(locale, peer_name), _RESTS)]


def _numbered(
    locale: Locale, transfer: Transfer, truths: tuple[Truth, ...], peer: str, instead: dict[str, str] | None = None
) -> Lines:
    numbers = locale.names([str(number) for number in range(1, len(truths) + 1)], any_of=True, most=len(truths))
    return [
        *(
            locale.say("{number}) {truth}", number=number, truth=_truth(locale, transfer, truth, peer, instead))
            for number, truth in enumerate(truths, 1)
        ),
        locale.say(
            "Reply {numbers} within {time}. I record your name.",
            numbers=numbers,
            time=locale.span(NUMBER_WITHIN),
        ),
    ]


def _shown(locale: Locale, transfer: Transfer, seen: dict[int, ItemsSeen], us: PartyConfig) -> Lines:
    """Each stock item of the transfer, as InvenTree shows it now."""
    items = [
        _item(locale, transfer.line(number), item)
        for number, answer in sorted(seen.items())
        for item in answer.items[:MOST_ITEMS]
    ]
    space = naming.space(locale, us.name)
    if not items:
        return [locale.say("The InvenTree of {space} shows nothing of it now.", space=space)]
    return [locale.say("The InvenTree of {space} now shows:", space=space), Items(tuple(items))]


def _item(locale: Locale, line: Line, item: ItemSeen) -> tuple[Inline, ...]:
    names: dict[str, Words] = {
        "item": item.pk,
        "quantity": locale.quantity(item.quantity, line.description.units),
        "place": locale.short(item.place, 60) or locale.word("no location"),
    }
    sentences = {
        Whereabouts.CUSTOMER: marked("#{item}: {quantity}, with a customer"),
        Whereabouts.OUTGOING: marked("#{item}: {quantity}, in {place}, on its way out"),
        Whereabouts.STOCK: marked("#{item}: {quantity}, in stock, {place}"),
        Whereabouts.ELSEWHERE: marked("#{item}: {quantity}, no longer in stock"),
    }
    return locale.say(sentences[item.where], **names)


_TRUTHS: dict[str, str] = {
    "left": marked("it left: #{item} is with customer {peer}. Then I tell {peer}, which books it in"),
    "out": marked("it is ready in Outgoing, #{item}. Then I hand it over to {peer} now"),
    "stays": marked("it was not given, nothing is with {peer}. Then it ends, and stock in Outgoing goes back"),
    "arrived": marked("{peer} has it. Then it is done, because you say so"),
    "back": marked("{peer} doesn't have it, and we take it back. Then it is in our stock again, because you say so"),
    "lost": marked("nobody has it. Then it is written off, because you say so"),
    "come": marked("it came after all. Then it is booked in now"),
    "booked": marked("it was booked in as #{item}. Then {peer} is told, and it is done"),
    "stands": marked("it is booked in here, and stays in our stock. Then I tell {peer}"),
    "never": marked("it is not in our stock, and never will be. Then {peer} takes it back"),
    "off": marked("it still counts in our stock. Then I give it the status 'lost', and it doesn't count any more"),
    "by-hand": marked("somebody has taken it out of our stock by hand, or will. Then I only note that"),
    "kept": marked("{peer} is gone for good. Then the loan ends, and it stays in our stock as property of {peer}"),
}


_PARCELS: dict[str, str] = {
    "back": marked("the parcel came back to us. Then it is in our stock again, because you say so"),
    "lost": marked("the parcel is lost. Then it belongs to us again, with the status 'lost', because you say so"),
    "never": marked("it has not come. Then {peer} says whether it came back, or is lost"),
}


_RESTS: dict[str, str] = {
    "back": marked("it came back to us, or never left. Then it is in our stock again"),
    "found": marked("{peer} has found it. Then it is in our stock again, and you can offer it again"),
    "lost": marked("it is lost. Then it keeps the status 'lost'"),
}


def _truth(
    locale: Locale, transfer: Transfer, truth: Truth, peer: str, instead: dict[str, str] | None = None
) -> tuple[Inline, ...]:
    sentences = instead or ({**_TRUTHS, **_PARCELS} if transfer.parcel is not None else _TRUTHS)
    return locale.say(sentences[truth.name], item=truth.item or 0, peer=peer)


def _by_another_number(locale: Locale, transfer: Transfer) -> Lines:
    """Explains how to name a stock item that somebody created by hand, whose number the bot can't know."""
    was = transfer.dispute.was.value if transfer.dispute else ""
    words = {"debiting": "left", "reverted": "arrived"} if transfer.role == "sender" else {}
    word = words.get(was, "" if transfer.role == "sender" or was == "sent" else "booked")
    if not word:
        return []
    line = command(f"resolve {transfer.code} {word} #NUMBER")
    return [locale.say("Done by hand, under another number? {line}", line=line)]


# --- afterwards ----------------------------------------------------------------------------------------------


def resolved(locale: Locale, *, transfer: Transfer, truth: Truth, us: PartyConfig, peer_name: str) -> Lines:
    """The answer to the line that settled the dispute."""
    del truth
    return [
        locale.say(
            "Settled: {code}, {what}.", code=Bold(transfer.code), what=naming.things(locale, transfer.lines_told)
        ),
        *settled(locale, card_of(locale, transfer, us, peer_name)),
        state_in_words(locale, transfer),
    ]


def loan_settled(locale: Locale, *, loan: Transfer, truth: Truth, peer_name: str) -> Lines:
    """The answer to the line that settled a loan in our own books."""
    names: dict[str, Words] = {"case": naming.case(locale, loan), "peer": naming.space(locale, peer_name)}
    if truth.name == "kept":
        return [
            locale.say("Settled: {case} stays in our stock as property of {peer}.", **names),
            locale.say("I don't remind anybody of it any more. It may not go on to a third space."),
        ]
    if truth.name == "off":
        return [
            locale.say("Settled: {case} leaves our stock now.", **names),
            locale.say("In InvenTree it gets the status 'lost', with your name in its history."),
        ]
    return [locale.say("Noted: {case} is out of our stock.", **names)]


def nothing_to_settle(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """The answer to `resolve` if nothing is disputed."""
    lines: Lines = [
        locale.say("Nothing to settle: {case}. I did nothing.", case=naming.case(locale, subject)),
        state_in_words(locale, subject),
    ]
    if isinstance(subject, Transfer) and subject.role == "receiver" and subject.is_on_loan:
        end = command(f"disconnect {subject.peer} --now")
        lines.append(locale.say("Is the lender gone for good? Then first end the friendship: {end}", end=end))
    return lines


def still_being_tried(locale: Locale, *, transfer: Transfer, us: PartyConfig) -> Lines:
    """The refusal of `resolve` while one of our steps is still running."""
    return [
        locale.say(
            "Not yet: the InvenTree of {space} has not reported the result of the last step of {code}.",
            space=naming.space(locale, us.name),
            code=transfer.code,
        ),
        locale.say("I'll keep checking for up to 15 minutes. I did nothing else. Please type it again then."),
    ]
