"""Answers to people who decide, take a decision back, or are reminded of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words, lines_of
from fedbot.messages.markup import Code, Inline, Link, permalink
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import by_another_name, no_part_for, state_in_words
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import FAILED_AT_SENDER, Transfer, total
from fedbot.rules.who_decides import Subject


def noted_in_grace(locale: Locale, *, subject: Subject, choice: Choice, seconds: timedelta) -> Lines:
    """The answer to a typed decision. It counts after some seconds; until then it can be taken back."""
    case = naming.case(locale, subject)
    less = subject.decision.quantity if subject.decision else None
    came = dict(subject.decision.came) if subject.decision else {}
    if isinstance(subject, Transfer) and came and len({line.part for line in subject.terms.lines}) > 1:
        return _noted_in_part(locale, subject, came, seconds)
    less = sum(came.values(), Decimal(0)) if came else less
    if isinstance(subject, Transfer) and choice is not Choice.DECLINE and less is not None:
        lines = subject.terms.lines  # of one part, maybe from several places
        first = locale.say(
            "Noted: {amount} of {things} ({code}). It counts in {span}.",
            amount=locale.quantity(less),
            things=naming.thing(locale, replace(lines[0], quantity=total(lines))),
            code=subject.code,
            span=locale.span(seconds),
        )
    elif isinstance(subject, Transfer) and subject.awaits_parcel:
        first = locale.say("Noted: {case} is here. I book it in after {span}.", case=case, span=locale.span(seconds))
    elif choice is Choice.PARCEL:
        first = locale.say(
            "Noted: you approve {case}, by parcel. It counts in {span}.", case=case, span=locale.span(seconds)
        )
    elif choice is Choice.APPROVE:
        first = locale.say("Noted: you approve {case}. It counts in {span}.", case=case, span=locale.span(seconds))
    else:
        first = locale.say("Noted: you decline {case}. It counts in {span}.", case=case, span=locale.span(seconds))
    return [first, locale.say("To change your mind until then, reply: {cancel}", cancel=command("cancel"))]


def _noted_in_part(locale: Locale, transfer: Transfer, came: Mapping[int, Decimal], seconds: timedelta) -> Lines:
    """Only a part of a parcel is here: what I book in, and what then counts as missing."""
    sent = [line for line in transfer.terms.lines if transfer.at(line.number).failed != FAILED_AT_SENDER]
    here = [replace(line, quantity=came.get(line.number, Decimal(0))) for line in sent]
    missing = [replace(line, quantity=line.quantity - came.get(line.number, Decimal(0))) for line in sent]
    return [
        locale.say(
            "Noted: {what} came ({code}). I book it in after {span}.",
            what=naming.things(locale, [line for line in here if line.quantity]),
            code=transfer.code,
            span=locale.span(seconds),
        ),
        locale.say(
            "Then this is missing: {what}. A superuser of the other space settles that.",
            what=naming.things(locale, [line for line in missing if line.quantity]),
        ),
        locale.say("To change your mind until then, reply: {cancel}", cancel=command("cancel")),
    ]


def first_yes_noted(locale: Locale, *, transfer: Transfer, by: str, party: str) -> Lines:
    """The answer to the first of the two approvals that are needed."""
    return [
        locale.say("Noted: {who} approves {case}.", who=naming.person(locale, by), case=naming.case(locale, transfer)),
        locale.say("A second approver of {space} has to tap ✅, too.", space=naming.space(locale, party)),
        locale.say("To change your mind until then, reply: {cancel}", cancel=command("cancel")),
    ]


def needs_another_person(locale: Locale, *, subject: Transfer, by: str) -> Lines:
    """The refusal of a second approval by the same InvenTree user, also from another Matrix account."""
    return [
        locale.say(
            "Not counted: {who} has approved {case} already, as the same InvenTree user as you.",
            who=naming.person(locale, by),
            case=naming.case(locale, subject),
        ),
        locale.say("A second approver has to tap ✅."),
    ]


def not_the_same_yes(locale: Locale, *, transfer: Transfer, first: Vote, by: str) -> Lines:
    """The refusal of a second approval that differs from the first: by parcel, or of less."""
    less = f" {locale.quantity(first.quantity)}" if first.quantity is not None else ""
    parcel = " --parcel" if first.choice is Choice.PARCEL else ""
    return [
        locale.say(
            "Not counted: {who} has approved {case} on other terms.",
            who=naming.person(locale, by),
            case=naming.case(locale, transfer),
        ),
        locale.say("To approve the same terms: {approve}", approve=command(f"approve {transfer.code}{less}{parcel}")),
        locale.say("Or ask them to withdraw their approval first."),
    ]


def reacts_too_much(locale: Locale, *, most: int) -> Lines:
    """The answer to a person who reacts more often than the bot counts."""
    return [
        locale.say("Not counted: you reacted more than {most} times at once.", most=most),
        locale.say("Please wait a minute, then react again. Until then none of your reactions counts."),
    ]


def tap_instead(locale: Locale, *, subject: Subject) -> Lines:
    """The answer to a 👍 or a 'yes' in reply to a card, which is no decision."""
    if isinstance(subject, Transfer) and subject.awaits_parcel:
        return [locale.say("That doesn't count. Is the parcel here? Tap 📦 on the card.")]
    return [locale.say("That doesn't count. Tap ✅ or ❌ on the card to decide.")]


def tap_our_card(locale: Locale, *, subject: Subject, peer_name: str) -> Lines:
    """A ✅ or a 'yes' for the other bot's message: the card that counts is ours, and may not be here yet."""
    names: dict[str, Words] = {
        "peer": naming.space(locale, peer_name),
        "case": naming.case(locale, subject),
    }
    if not subject.own_card:
        return [
            locale.say("That doesn't count: the bot of {peer} wrote that message.", **names),
            locale.say("My own card for {case} follows. Tap there.", **names),
        ]
    card = Link(locale.word("our own card"), permalink(subject.room, subject.own_card))
    return [
        locale.say("That doesn't count: the bot of {peer} wrote that message.", **names),
        locale.say("Tap on {card} for {case}.", card=card, **names),
    ]


def reason_noted(locale: Locale, *, subject: Transfer, peer_name: str) -> Lines:
    """The answer to a reply to a card in the person's own words."""
    return [
        locale.say(
            "If you tap ❌, {peer} gets that as your reason. {code}",
            peer=naming.space(locale, peer_name),
            code=subject.code,
        )
    ]


def no_reason_here(locale: Locale, *, subject: Subject, choice: Choice = Choice.DECLINE) -> Lines:
    """A note with a decision on a friendship, which has no place for one."""
    first = locale.say("Not counted: I can pass on a note about items, not about a friendship.")
    if choice is not Choice.DECLINE:
        return [first, locale.say("To approve without a note: {approve}", approve=command(f"approve {subject.code}"))]
    return [first, locale.say("To decline without a note: {decline}", decline=command(f"decline {subject.code}"))]


def not_yours_to_decide(locale: Locale, *, subject: Subject, party: str) -> Lines:
    """The answer to a decision by somebody of another space, or of none."""
    return [
        locale.say(
            "Not counted: only people of {party} decide on {case}.",
            party=naming.space(locale, party),
            case=naming.case(locale, subject),
        ),
        locale.say(
            "I don't know you as one of them. An admin of {party} can add you to its bot's configuration.",
            party=naming.space(locale, party),
        ),
    ]


def for_the_other_space_to_decide(locale: Locale, *, subject: Subject, party: str, own: str, asked: bool) -> Lines:
    """The answer to a friend's person, maybe the asker, who decides on our card. `own` is that person's space."""
    names: dict[str, Words] = {
        "case": naming.case(locale, subject),
        "party": naming.space(locale, party),
        "own": naming.space(locale, own),
    }
    lines: Lines = [
        locale.say("Not counted: you belong to {own}, and {party} decides on {case}.", **names),
        locale.say("Their decision will appear here. You don't need to do anything."),
    ]
    if asked:
        lines.append(locale.say("You can take it back: {cancel}", cancel=command(f"cancel {subject.code}")))
    return lines


def decided_already(locale: Locale, *, subject: Subject) -> Lines:
    """The answer to a decision on a closed card."""
    return [
        locale.say("Not counted: the card of {case} is closed.", case=naming.case(locale, subject)),
        _how_it_ended(locale, subject),
        locale.say("Who did what: {show}", show=command(f"show {subject.code}")),
    ]


def _how_it_ended(locale: Locale, subject: Subject) -> tuple[Inline, ...]:
    signature = subject.decided
    refused = {TransferState.DECLINED, ConnectionState.DECLINED}
    cancelled = {TransferState.CANCELLED, ConnectionState.CANCELLED}
    if subject.state in {TransferState.EXPIRED, ConnectionState.EXPIRED}:
        return locale.say("It expired, {when}.", when=naming.open_until(locale, subject))
    if isinstance(subject, Transfer) and subject.wanted == "cancel":
        return locale.say("It is being cancelled.")
    if signature is None:
        return locale.say("It was cancelled.") if subject.state in cancelled else locale.say("It is decided.")
    names: dict[str, Words] = {"who": naming.signed(locale, signature), "when": locale.when(signature.at)}
    if subject.state in cancelled and not (signature.name or signature.person):
        return locale.say("A bot cancelled it, {when}. Its card says why.", **names)
    if subject.state in cancelled:
        return locale.say("{who} cancelled it, {when}.", **names)
    if subject.state in refused or (isinstance(subject, Transfer) and subject.wanted == "decline"):
        return locale.say("{who} declined it, {when}.", **names)
    return locale.say("{who} approved it, {when}.", **names)


def too_late(locale: Locale, *, subject: Subject) -> Lines:
    """The answer to a decision after the deadline; the message about the end follows."""
    return [
        locale.say(
            "Too late: {case} was open until {when}.",
            case=naming.case(locale, subject),
            when=naming.open_until(locale, subject),
        ),
        locale.say("Nothing has moved. {who} can start it again.", who=naming.signed(locale, subject.asked)),
    ]


def connection_not_active(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of a decision while the two spaces aren't connected."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.say("Not done: the friendship with {peer} isn't active at the moment.", peer=peer)
    if connection.changed_room:
        return [
            first,
            locale.say("Its room was replaced. Nothing has moved."),
            locale.say("A superuser confirms it in the new room: {review}", review=command("review --room")),
        ]
    if connection.is_to_be_compared:
        return [
            first,
            locale.say(
                "Nobody has compared the key of {peer} since the journal was rebuilt. Nothing has moved.", peer=peer
            ),
            locale.say("Once a superuser has reviewed it, it works again: {review}", review=command("review")),
        ]
    if connection.state is ConnectionState.SUSPENDED:
        return [
            first,
            locale.say("The bot of {peer} has a new key or account. Nothing has moved.", peer=peer),
            locale.say("Once a superuser has reviewed it, it works again: {review}", review=command("review")),
        ]
    return [first, locale.say("Nothing has moved. For details: {spaces}", spaces=command("spaces"))]


def not_your_own(locale: Locale, *, subject: Subject) -> Lines:
    """The refusal of an approval by the person who asked."""
    return [
        locale.say(
            "Not counted: you asked for {case} yourself, so somebody else has to decide.",
            case=naming.case(locale, subject),
        ),
        locale.say("You can take it back: {cancel}", cancel=command(f"cancel {subject.code}")),
    ]


def no_card_yet(locale: Locale, *, subject: Subject) -> Lines:
    """The refusal of an approval that was typed before the person can have read our card."""
    return [
        locale.say("Not counted: my card for {case} wasn't here yet.", case=naming.case(locale, subject)),
        locale.say("Read it, then tap on it or reply to it."),
    ]


def being_decided(locale: Locale, *, subject: Subject, by: str) -> Lines:
    """The answer to a second decision during the grace of the first."""
    return [
        locale.say(
            "Not counted: {who} is deciding on {case} right now.",
            who=naming.person(locale, by),
            case=naming.case(locale, subject),
        ),
        locale.say("If it is open again afterwards, you can tap then."),
    ]


def decided_by_yourself(locale: Locale, *, subject: Subject, key: str) -> Lines:
    """The answer to a second decision by the same person; `key` is the emoji of the first."""
    case = naming.case(locale, subject)
    return [
        locale.say("Not counted: your own {key} on {case} came first, and counts in a moment.", key=key, case=case),
        locale.say("If you didn't mean it, remove that {key} at once, then tap again.", key=key),
    ]


def decided_so_already(locale: Locale, *, subject: Subject, key: str) -> Lines:
    """The answer to the same decision again by the same person, such as a tap after a typed line."""
    case = naming.case(locale, subject)
    return [locale.say("You have decided that already: your {key} on {case} counts in a moment.", key=key, case=case)]


def open_again(locale: Locale, *, subject: Subject) -> Lines:
    """Tells those who reacted during somebody else's decision that it was taken back."""
    return [
        locale.say("{case} is open again: nothing was decided.", case=naming.case(locale, subject)),
        locale.say("If you tapped in the meantime and still mean it, remove your reaction and tap again."),
    ]


def not_entitled_to_decide(
    locale: Locale, *, subject: Subject, permissions: Permissions, permission: Permission, party: str, able: list[str]
) -> Lines:
    """The refusal of a decision by a person without the permission; names the people who have it."""
    space = naming.space(locale, party)
    names: dict[str, Words] = {"case": naming.case(locale, subject), "space": space}
    if permission is Permission.SUPERUSER:
        first = locale.say("Not counted: only an InvenTree superuser of {space} can decide on {case}.", **names)
    else:
        first = locale.say("Not counted: only an approver of {space} can decide on {case}.", **names)
    lines: Lines = [first, why_not_entitled(locale, permissions, permission, space)]
    if able:
        lines.append(locale.say("{people} can decide. The card stays open.", people=naming.people(locale, able)))
    else:
        lines.append(locale.say("The card stays open for them."))
    return lines


def why_not_entitled(
    locale: Locale, permissions: Permissions, permission: Permission, space: str
) -> tuple[Inline, ...]:
    """The difference between the permissions of the person's InvenTree user and the required one."""
    names: dict[str, Words] = {"user": locale.short(permissions.username, 40), "space": space}
    if not permissions.known:
        return locale.say("The InvenTree of {space} has no user {user}.", **names)
    if not permissions.active:
        return locale.say("Your user {user} is inactive in the InvenTree of {space}.", **names)
    if permissions.unpinned:
        names["setting"] = Code(
            "rules.pinned_superusers" if permission is Permission.SUPERUSER else "rules.pinned_approvers"
        )
        return locale.say("Your user {user} has to be in {setting} of my configuration, too.", **names)
    if permission is Permission.SUPERUSER:
        return locale.say("Your user {user} isn't a superuser there.", **names)
    return locale.say("Your user {user} isn't an approver there.", **names)


def permissions_unreadable(locale: Locale, *, subject: Subject, problem: Diagnosis) -> Lines:
    """The refusal of a decision while InvenTree doesn't answer: nobody's permission can be read."""
    return [
        locale.say("Not counted: I can't read your permissions, because our InvenTree does not answer."),
        locale.say("Nothing has changed. The card stays open: {case}.", case=naming.case(locale, subject)),
        locale.say("Why: {problem}", problem=diagnosis(locale, problem)),
        locale.say("Please tap again later."),
    ]


def no_part_for_it_yet(locale: Locale, *, transfer: Transfer, numbers: tuple[int, ...], us: PartyConfig) -> Lines:
    """The refusal of an approval of an item that has no part at the receiver, and how to create one."""
    space = naming.space(locale, us.name)
    lines: Lines = [
        locale.say(
            "Not counted: {space} can't book in {what} yet ({code}).",
            space=space,
            what=naming.things(locale, [transfer.line(number) for number in numbers]),
            code=transfer.code,
        )
    ]
    lines += [no_part_for(locale, transfer, number, space) for number in numbers[: naming.MOST_IN_FIRST_LINE]]
    lines += by_another_name(locale, transfer)
    lines.append(locale.say("Nothing has moved. I'm looking again now. When the card shows a location, tap ✅ again."))
    return lines


def decided_elsewhere(locale: Locale, *, subject: Subject, party: str) -> Lines:
    """The answer to a typed decision that is the other space's."""
    space = naming.space(locale, party)
    return [
        locale.say("Not counted: {space} decides on {case}.", case=naming.case(locale, subject), space=space),
        locale.say(
            "You can take it back as long as nothing has moved: {cancel}", cancel=command(f"cancel {subject.code}")
        ),
    ]


def decision_stopped(locale: Locale, *, subject: Subject) -> Lines:
    """A decision was taken back within its grace."""
    return [
        locale.say("Stopped in time: {case} is not decided.", case=naming.case(locale, subject)),
        locale.say("Its card is open again."),
    ]


def cancelled(locale: Locale, *, subject: Subject, us: PartyConfig) -> Lines:
    """The answer to `cancel` if nothing had moved."""
    del us
    first = locale.say("Taken back: {case}.", case=naming.case(locale, subject))
    if isinstance(subject, Transfer):
        return [first, locale.say("Nothing has moved.")]
    if subject.company is not None:
        return [first, locale.say("I also remove the account that I created for it in our InvenTree.")]
    return [first, locale.say("Nothing was created.")]


def cancel_asked(locale: Locale, *, transfer: Transfer, peer_name: str) -> Lines:
    """The answer to `cancel` by the receiver. The sender decides until the stock has left it."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("I have asked {peer} to take it back: {case}.", peer=peer, case=naming.case(locale, transfer)),
        locale.say(
            "This counts once the bot of {peer} confirms it. The card will show that. If the stock has"
            " left {peer} already, it still comes.",
            peer=peer,
        ),
    ]


_MOVING = frozenset({TransferState.SENT, TransferState.CREDITING, TransferState.APPROVED, TransferState.DEBITING})


def too_late_to_cancel(locale: Locale, *, subject: Subject, peer_name: str) -> Lines:
    """The refusal of `cancel` once stock is moving, or both sides are set up."""
    peer, case = naming.space(locale, peer_name), naming.case(locale, subject)
    if isinstance(subject, Connection):
        return [
            locale.say("Too late: {case} is set up on our side, and {peer} may be using it.", case=case, peer=peer),
            locale.say("Nothing was changed."),
        ]
    if subject.state is TransferState.DISPUTED:
        return [
            locale.say(
                "Not taken back: nobody can tell what happened to {case}, so somebody has to look first.", case=case
            ),
            locale.say("Everything that I know about it: {show}", show=command(f"show {subject.code}")),
        ]
    if subject.state in _MOVING:
        first = locale.say("Too late: {case} is on its way.", case=case)
    else:
        first = locale.say("Too late: {case} is booked in, or on its way back.", case=case)
    if subject.is_loan:
        back = command(f"return {subject.code}")
        return [first, locale.say("Nothing was changed. Once it is there, this brings it back: {back}", back=back)]
    if subject.role == "sender":
        return [first, locale.say("Nothing was changed. {peer} can offer it back to you.", peer=peer)]
    return [first, locale.say("Nothing was changed. You can offer it back to {peer}.", peer=peer)]


def decline_instead(locale: Locale, *, subject: Subject) -> Lines:
    """The refusal of `cancel` for a transfer that our space can decline."""
    return [
        locale.say("Not taken back: we decide on {case}.", case=naming.case(locale, subject)),
        locale.say("Decline it with ❌ on its card, or: {decline}", decline=command(f"decline {subject.code}")),
    ]


def friends_stay(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of `cancel` for a friendship, which it doesn't end."""
    return [
        locale.say(
            "Nothing to take back: we are friends with {peer} already.", peer=naming.space(locale, connection.peer_name)
        ),
        locale.say(
            "{cancel} only takes back a request that isn't approved yet. I did nothing.", cancel=command("cancel")
        ),
    ]


def over_already(locale: Locale, *, subject: Subject) -> Lines:
    """The answer to `cancel` for something that has ended."""
    return [
        locale.say("Nothing to take back: {case} is over.", case=naming.case(locale, subject)),
        state_in_words(locale, subject),
    ]


def not_yours_to_cancel(
    locale: Locale,
    *,
    subject: Subject,
    permissions: Permissions,
    permission: Permission,
    us: PartyConfig,
    able: tuple[str, ...],
) -> Lines:
    """The refusal of `cancel` for somebody else's request, without the permission for it."""
    space = naming.space(locale, us.name)
    lines: Lines = [
        locale.say("Not taken back: {case} isn't yours.", case=naming.case(locale, subject)),
        why_not_entitled(locale, permissions, permission, space),
    ]
    if able:
        lines.append(
            locale.say(
                "{who}, who asked, can do it, or {people}.",
                who=naming.signed(locale, subject.asked),
                people=naming.people(locale, able, any_of=True),
            )
        )
    else:
        lines.append(locale.say("Only {who}, who asked, can do it.", who=naming.signed(locale, subject.asked)))
    return lines


def but_note_unread(locale: Locale, *, told: Phrase) -> Lines:
    """The answer to `cancel` with a reason that nobody would read. `told`: the answer without it."""
    unread = locale.say("The others only learn that it is over: please write them the reason yourself.")
    return [*lines_of(locale, told), unread]


def reminder(
    locale: Locale, *, subject: Connection | Transfer, us: PartyConfig, people: dict[str, str], others: int
) -> Lines:
    """The reminder in the card's thread for the people who can decide (names by id; it mentions the first three)."""
    del us
    pills = naming.pills(locale, people, others)
    by = naming.capital(naming.opened_by(locale, subject))
    return [
        (*pills, *locale.say("⏰ {case} is still waiting for your decision.", case=naming.case(locale, subject))),
        locale.say("{by}. Open until {when}, then it expires.", by=by, when=naming.open_until(locale, subject)),
        locale.say(
            "Nothing has moved. Tap ✅ or ❌ on the card, or reply: {approve} · {decline}",
            approve=command(f"approve {subject.code}"),
            decline=command(f"decline {subject.code}"),
        ),
    ]
