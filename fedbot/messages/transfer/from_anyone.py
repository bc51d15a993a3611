"""The message of a request from anyone: the spaces that were asked, their answers, and the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.reason_codes import KNOWN, why_not_given
from fedbot.rules.model.catalogue import SEARCH_SILENT_AFTER, Hit
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.from_anyone import AskedInTurn, Passed, Rota, Why
from fedbot.rules.model.lifecycles import RotaState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer, total

MOST_SPACES = 8
"""So many spaces are told of in one message; of the others it is said how many."""
Names = Mapping[str, str]
Asked = tuple[tuple[AskedInTurn, Transfer], ...]

_FIRST: dict[RotaState, str] = {
    RotaState.SEARCHING: marked("Who has {what}, {terms}? I ask our friends. {code}"),
    RotaState.ASKING: marked("Asking for {what}, {terms}: one space after the other. {code}"),
    RotaState.FILLED: marked("✅ {what} found, {terms}. {code}"),
    RotaState.NOBODY: marked("Nobody can give {what} now. {code}"),
    RotaState.STOPPED: marked("Stopped: I don't ask for {what} any more. {code}"),
}
_TAKEN_BACK: dict[Why, str] = {
    Why.SILENT: marked("{space}: didn't decide within {wait}, so I took it back ({code})."),
    Why.NOTHING_CAME: marked("{space}: agreed, but nothing came within {wait}, so I took it back ({code})."),
    Why.GIVEN_UP: marked("{space}: agreed, but nothing came. If it still comes, it goes back ({code})."),
    Why.NOT_NEEDED: marked("{space}: not needed any more, so I took it back ({code})."),
    Why.LESS: marked("{space}: can give only {quantity}, so I took it back ({code})."),
    Why.TOO_LATE: marked("{space}: didn't decide in time, so I took it back ({code})."),
    Why.STOPPED: marked("{space}: I took it back ({code})."),
}
_ENDS: dict[TransferState, str] = {
    TransferState.SENT: marked("{space}: gives {quantity}; it is on its way ({code})."),
    TransferState.CREDITING: marked("{space}: gives {quantity}; it is on its way ({code})."),
    TransferState.RECEIVED: marked("{space}: gave {quantity} ({code})."),
    TransferState.DONE: marked("{space}: gave {quantity} ({code})."),
    TransferState.DECLINED: marked("{space}: declined by {who} ({code})."),
    TransferState.EXPIRED: marked("{space}: nobody decided in time ({code})."),
    TransferState.DISPUTED: marked("{space}: nobody can tell what happened to it; people settle it ({code})."),
}
_PASSED: dict[Why, str] = {
    Why.SILENT_SEARCH: marked("{space}: its bot did not answer the search within {time}."),
    Why.INVENTORY: marked("{space}: not searched, because its InvenTree does not answer."),
    Why.HIDDEN: marked("{space}: doesn't show its items in shared rooms, so I don't ask it here."),
    Why.TOO_LITTLE: marked("{space}: has only {quantity}."),
    Why.NOT_FRIENDS: marked("{space}: isn't a friend at the moment."),
    Why.TOO_LATE: marked("{space}: not asked, because the day is over."),
}


def rota_page(locale: Locale, *, rota: Rota, us: PartyConfig, asked: Asked, names: Names) -> Lines:
    """The message of a rota, in its present state."""
    entries = [_entry(locale, ask, transfer, us, names, rota.unit) for ask, transfer in asked]
    entries += [
        _waits(locale, each.party, locale.quantity(each.quantity, rota.unit), names)
        for each in rota.waiting
        if rota.is_living
    ]
    entries += [_passed(locale, each, names, rota.unit) for each in rota.passed]
    lines: Lines = [_first(locale, rota, asked)]
    if len(entries) > MOST_SPACES:
        entries = [
            *entries[:MOST_SPACES],
            locale.some("and {number} more space", "and {number} more spaces", len(entries) - MOST_SPACES),
        ]
    if entries:
        lines.append(Items(tuple(entries)))
    if not (asked or rota.waiting):
        lines.append(locale.say("None of the spaces that answered has that much of it free under this name."))
    return [*lines, *_what_next(locale, rota, us)]


def _first(locale: Locale, rota: Rota, asked: Asked) -> tuple[Inline, ...]:
    sentence = _FIRST[rota.state]
    if rota.state is RotaState.ASKING and rota.at_once:
        sentence = marked("Asking for {what}, {terms}: all spaces that have it, at once. {code}")
    came = sum((_coming(rota, transfer) for _, transfer in asked), start=Decimal(0))
    if rota.state is RotaState.FILLED and came < rota.wanted:
        sentence = marked("✅ In part: {came} of {what} found, {terms}. {code}")
    return locale.say(
        sentence,
        what=_what(locale, rota),
        terms=_terms(locale, rota),
        code=rota.code,
        came=locale.quantity(came, rota.unit),
    )


def _coming(rota: Rota, transfer: Transfer) -> Decimal:
    here = transfer.approved_hash and transfer.state in {TransferState.RECEIVED, TransferState.DONE}
    return total(transfer.lines_come if here else (), rota.unit)


def _what(locale: Locale, rota: Rota) -> Bold:
    return Bold(naming.amount(locale, rota.wanted, rota.unit, locale.short(rota.word)))


def _terms(locale: Locale, rota: Rota) -> str:
    if rota.loan_until is None:
        return locale.word("to keep")
    return locale.word("on loan until {day}").format(day=locale.day(rota.loan_until))


def _entry(
    locale: Locale, ask: AskedInTurn, transfer: Transfer, us: PartyConfig, names: Names, unit: str
) -> tuple[Inline, ...]:
    """'Attraktor: asked for 20, its approvers decide until Tue 1 Dec, 20:14 (k7m2).'."""
    space = naming.space(locale, names[ask.party])
    words: dict[str, Words] = {
        "space": Bold(space),
        "quantity": locale.quantity(total(transfer.terms.lines, unit), unit),
        "until": locale.when(transfer.due),
        "who": naming.signed(locale, transfer.decided or transfer.granted),
        "code": transfer.code,
        "wait": locale.span(us.rota.wait),
    }
    has_come = (
        ask.why is Why.NOTHING_CAME and transfer.state is not TransferState.CANCELLED
    )  # it gave it, or it may still come
    if ask.why is not None and not has_come:
        return locale.say(_TAKEN_BACK[ask.why], **words)
    if transfer.problem in KNOWN and transfer.state is not TransferState.DONE:
        why = why_not_given(locale, transfer.problem, space, naming.space(locale, us.name))
        named = () if why[0] == space else locale.say("{space}: ", **words)  # "Attraktor has …" names it already
        return (*named, *why, *locale.say(" ({code})", **words))
    return locale.say(_said(transfer), **words)


def _said(transfer: Transfer) -> str:
    """The other space's decision, and its result."""
    if transfer.state is TransferState.OPEN:
        return _open(transfer)
    return _ENDS.get(transfer.state, marked("{space}: nothing came ({code})."))


def _open(transfer: Transfer) -> str:
    if transfer.approved_hash and transfer.wanted == "cancel":
        return marked("{space}: agreed to {quantity}, but nothing came yet. I asked to take it back ({code}).")
    if transfer.approved_hash:
        return marked("{space}: gives {quantity}. I confirmed it, and it continues by itself now ({code}).")
    if transfer.granted is not None:
        return marked("{space}: would give {quantity} ({code}).")
    if transfer.wanted:
        return marked("{space}: I took it back ({code}).")
    return marked("{space}: asked for {quantity}. Its approvers decide until {until} ({code}).")


def _waits(locale: Locale, party: str, quantity: str, names: Names) -> tuple[Inline, ...]:
    name = Bold(naming.space(locale, names[party]))
    return locale.say("{space}: has {quantity}; I'll ask there next.", space=name, quantity=quantity)


def _passed(locale: Locale, passed: Passed, names: Names, unit: str) -> tuple[Inline, ...]:
    return locale.say(
        _PASSED[passed.why],
        space=Bold(naming.space(locale, names[passed.party])),
        quantity=locale.quantity(passed.quantity, unit),
        time=locale.span(SEARCH_SILENT_AFTER),
    )


def _what_next(locale: Locale, rota: Rota, us: PartyConfig) -> Lines:
    if rota.is_living:
        cancel = command(f"cancel {rota.code}")
        if rota.stuck:
            go_on = command(f"cancel {rota.stuck}")
            return [
                locale.say("It may still come, so I ask nobody else. To continue without it: {go_on}", go_on=go_on),
                locale.say("To stop: {cancel}", cancel=cancel),
            ]
        if rota.waiting and not rota.at_once:
            wait = locale.span(us.rota.wait)
            return [
                locale.say(
                    "If they decline, or don't answer for {wait}, I ask the next. To stop: {cancel}",
                    wait=wait,
                    cancel=cancel,
                )
            ]
        return [locale.say("To stop: {cancel}", cancel=cancel)]
    if rota.state is RotaState.NOBODY:
        return [
            locale.say(
                "Nothing has moved. To see who has what: {find}", find=command(f"find {locale.short(rota.word)}")
            )
        ]
    return []


def rota_in_short(locale: Locale, rota: Rota) -> tuple[Inline, ...]:
    """'k7m2 – 20 × M3-BOLT: 1 asked, 2 left to ask'."""
    if rota.stuck:
        return locale.say(
            "{code} – {what}: a space agreed, but nothing came. For details: {show}",
            code=rota.code,
            what=_what(locale, rota),
            show=command(f"show {rota.code}"),
        )
    return locale.say(
        "{code} – {what}: {asked} asked, {left} left to ask",
        code=rota.code,
        what=_what(locale, rota),
        asked=locale.count(len(rota.asked)),
        left=locale.count(len(rota.waiting)),
    )


def nobody_gives_it(locale: Locale, *, rota: Rota, us: PartyConfig) -> Lines:
    """Everybody was asked, and nobody can give it. Mentions the person who asked."""
    del us
    who = naming.pill(locale, rota.asker.person, rota.asker.name)
    first = locale.say("{who}: nobody can give {what} now. {code}", who=who, what=_what(locale, rota), code=rota.code)
    return [first, locale.say("My message above says who was asked, and their answers. Nothing has moved.")]


def nothing_came(
    locale: Locale, *, rota: Rota, us: PartyConfig, transfer: Transfer, peer_name: str, confirmed: datetime
) -> Lines:
    """A space agreed and was confirmed, but nothing came. Mentions the person who asked."""
    del us
    who, space = naming.pill(locale, rota.asker.person, rota.asker.name), naming.space(locale, peer_name)
    what = Bold(naming.amount(locale, total(transfer.terms.lines, rota.unit), rota.unit, locale.short(rota.word)))
    return [
        locale.say(
            "{who}: {space} agreed to give {what}, but nothing came. {code}",
            who=who,
            space=space,
            what=what,
            code=transfer.code,
        ),
        locale.say(
            "I confirmed on {when}. It may still come, so I ask nobody else for it.", when=locale.when(confirmed)
        ),
        locale.say(
            "Call {space}. To continue without it: {go_on} – if it still comes, I send it back.",
            space=space,
            go_on=command(f"cancel {transfer.code}"),
        ),
        locale.say("To stop asking altogether: {cancel}", cancel=command(f"cancel {rota.code}")),
    ]


def given_up(locale: Locale, *, rota: Rota, transfer: Transfer, peer_name: str) -> Lines:
    """The answer to continuing without a confirmed item that never came."""
    space = naming.space(locale, peer_name)
    lines: Lines = [
        locale.say("I continue without {case} from {space}.", case=naming.case(locale, transfer), space=space),
        locale.say("If it still leaves their stock, I refuse it, and their bot books it in again."),
    ]
    if not rota.is_living:
        return [*lines, locale.say("Nobody else is asked.")]
    return [*lines, locale.say("My message above says who is asked next.")]


def rota_lost(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """After a loss of the journal: this request from anyone is taken back, because the other requests are unknown."""
    del us
    who = naming.pill(locale, transfer.terms.asker, transfer.terms.asker_name)
    what, space = naming.moved(locale, transfer), naming.space(locale, peer_name)
    return [
        locale.say(
            "{who}: I take back your request to {space} for {what}. {code}",
            who=who,
            space=space,
            what=what,
            code=transfer.code,
        ),
        locale.say(
            "You asked anyone for it. My journal was lost, so I don't know who else was asked, and it could come twice."
        ),
        locale.say("Nothing has moved. Ask again: {line}", line=command("request … from anyone")),
    ]


def from_anyone_needs_a_name(locale: Locale, *, word: str) -> Lines:
    """The refusal of a word that names one item of one space, which others can't have."""
    return [
        locale.say('Not asked: "{word}" is one specific item of one space.', word=locale.short(word, 40)),
        locale.say(
            "With 'from anyone', I can only ask by IPN or part name: {line}",
            line=command("request 20 M3-BOLT from anyone"),
        ),
    ]


def nobody_has_that_name(locale: Locale, *, rota: Rota, hits: tuple[Hit, ...]) -> Lines:
    """No space has a part of exactly that name, but they have these: a numbered list."""
    return [
        locale.say(
            'Not asked yet: no space has "{word}" under exactly this name. Did you mean:', word=locale.short(rota.word)
        ),
        *(locale.say("{number}) {what}", number=number, what=_part(locale, hit)) for number, hit in enumerate(hits, 1)),
        locale.say("Reply with the number within {time}. I then ask for it.", time=locale.span(NUMBER_WITHIN)),
    ]


def _part(locale: Locale, hit: Hit) -> str:
    name = locale.short(hit.name or hit.ipn, 60)
    return f"{name} ({locale.short(hit.ipn, 40)})" if hit.ipn and hit.name else name


def one_item_from_anyone(locale: Locale, *, count: int) -> Lines:
    """The refusal of several items: each could come from another space."""
    return [
        locale.say(
            "Not asked: those are {number} items. With 'from anyone', I ask for one item at a time.",
            number=locale.count(count),
        ),
        locale.say("Write a line for each: {line}", line=command("request 20 M3-BOLT from anyone")),
    ]


def only_from_anyone(locale: Locale, *, word: str) -> Lines:
    """The refusal of an option that only goes with `from anyone`."""
    return [
        locale.say("Not asked: {word} only goes with 'from anyone'.", word=word),
        locale.say("For example: {line}", line=command(f"request 20 M3-BOLT from anyone {word}")),
    ]


def no_friends_to_ask(locale: Locale) -> Lines:
    """The answer if there is nobody to ask in this room."""
    return [
        locale.say("Not asked: we have no friends in this room."),
        locale.say("A superuser can change that: {connect}", connect=command("connect SPACE")),
    ]


def too_many_rotas(locale: Locale, *, count: int) -> Lines:
    """The refusal of one more rota: the limit is reached."""
    return [
        locale.say("Not asked: {number} requests from anyone are running already.", number=locale.count(count)),
        locale.say("Stop one that you don't need any more: {cancel}", cancel=command("cancel ID")),
    ]


def rota_stopped(locale: Locale, *, rota: Rota, coming: tuple[str, ...]) -> Lines:
    """The answer to stopping a rota. `coming`: the spaces that had agreed already."""
    lines: Lines = [
        locale.say("Stopped: {what}. I take my requests back. {code}", what=_what(locale, rota), code=rota.code)
    ]
    if coming:
        spaces = locale.names([naming.space(locale, name) for name in coming])
        lines.append(
            locale.say("{spaces} had agreed already: if it has left their stock, it still comes.", spaces=spaces)
        )
    return lines


def rota_is_over(locale: Locale, *, rota: Rota) -> Lines:
    """The answer if there is nothing to stop any more."""
    return [
        locale.say("Nothing to stop: I don't ask for {what} any more. {code}", what=_what(locale, rota), code=rota.code)
    ]
