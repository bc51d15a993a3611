"""What is said to somebody who decides on a card: noted, or why it doesn't count (DESIGN §5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fedbot.chat.content import Code, Inline
from fedbot.chat.words import naming
from fedbot.chat.words.diagnoses import diagnosis
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.federation.documents import Choice, Connection, ConnectionState, Transfer, TransferState
from fedbot.federation.stock import Right, Rights
from fedbot.federation.terms import total

Subject = Connection | Transfer


def noted_in_grace(tongue: Tongue, *, subject: Subject, choice: Choice, seconds: timedelta) -> Lines:
    """A typed decision is taken up; it can be taken back for some seconds."""
    case = naming.case(tongue, subject)
    less = subject.verdict.quantity if subject.verdict else None
    if isinstance(subject, Transfer) and choice is not Choice.DECLINE and less is not None:
        lines = subject.terms.lines  # of one part, maybe from several places
        first = tongue.say(
            "Noted: {amount} of {things} ({code}). It counts in {span}.",
            amount=tongue.quantity(less),
            things=naming.thing(tongue, replace(lines[0], quantity=total(lines))),
            code=subject.code,
            span=tongue.span(seconds),
        )
    elif isinstance(subject, Transfer) and subject.awaits_parcel:
        first = tongue.say("Noted: {case} is here. It is booked in after {span}.", case=case, span=tongue.span(seconds))
    elif choice is Choice.PARCEL:
        first = tongue.say(
            "Noted: yes to {case}, by parcel. It counts in {span}.", case=case, span=tongue.span(seconds)
        )
    elif choice is Choice.APPROVE:
        first = tongue.say("Noted: yes to {case}. It counts in {span}.", case=case, span=tongue.span(seconds))
    else:
        first = tongue.say("Noted: no to {case}. It counts in {span}.", case=case, span=tongue.span(seconds))
    return [first, tongue.say("To take it back until then, reply: {cancel}", cancel=command("cancel"))]


def not_yours_to_decide(tongue: Tongue, *, subject: Subject, party: str) -> Lines:
    """Somebody of another space, or of none, tapped on the card."""
    return [
        tongue.say(
            "Not counted: only people of {party} decide on {case}.",
            party=naming.space(tongue, party),
            case=naming.case(tongue, subject),
        ),
        tongue.say(
            "I don't know you as one of them. An admin of {party} can enter you in its bot's configuration.",
            party=naming.space(tongue, party),
        ),
    ]


def for_the_other_space_to_decide(tongue: Tongue, *, subject: Subject, party: str, own: str, asked: bool) -> Lines:
    """Somebody of a friend, who may even have asked for it, tapped on our card. `own` is that person's space."""
    names: dict[str, Words] = {
        "case": naming.case(tongue, subject),
        "party": naming.space(tongue, party),
        "own": naming.space(tongue, own),
    }
    lines: Lines = [
        tongue.say("Not counted: you are of {own}, and {case} is for {party} to decide.", **names),
        tongue.say("What its people say, you will read here; nothing to do for you."),
    ]
    if asked:
        lines.append(tongue.say("You can take it back: {cancel}", cancel=command(f"cancel {subject.code}")))
    return lines


def decided_already(tongue: Tongue, *, subject: Subject) -> Lines:
    """The card is no longer open."""
    return [
        tongue.say("Not counted: {case} isn't open any more.", case=naming.case(tongue, subject)),
        _how_it_ended(tongue, subject),
        tongue.say("Who did what: {show}", show=command(f"show {subject.code}")),
    ]


def _how_it_ended(tongue: Tongue, subject: Subject) -> tuple[Inline, ...]:
    signature = subject.decided
    refused = {TransferState.DECLINED, ConnectionState.DECLINED}
    cancelled = {TransferState.CANCELLED, ConnectionState.CANCELLED}
    if subject.state in {TransferState.EXPIRED, ConnectionState.EXPIRED}:
        return tongue.say("Its time was over, {when}.", when=tongue.when(subject.due))
    if isinstance(subject, Transfer) and subject.wanted == "cancel":
        return tongue.say("It is being cancelled.")
    if signature is None:
        return tongue.say("It was cancelled.") if subject.state in cancelled else tongue.say("It is decided.")
    names: dict[str, Words] = {"who": naming.signed(tongue, signature), "when": tongue.when(signature.at)}
    if subject.state in cancelled and not (signature.name or signature.person):
        return tongue.say("A bot cancelled it, {when}; its card says why.", **names)
    if subject.state in cancelled:
        return tongue.say("{who} cancelled it, {when}.", **names)
    if subject.state in refused or (isinstance(subject, Transfer) and subject.wanted == "decline"):
        return tongue.say("{who} said no, {when}.", **names)
    return tongue.say("{who} said yes, {when}.", **names)


def too_late(tongue: Tongue, *, subject: Subject) -> Lines:
    """The card's time is over; the end itself follows."""
    return [
        tongue.say(
            "Too late: {case} was open until {when}.", case=naming.case(tongue, subject), when=tongue.when(subject.due)
        ),
        tongue.say("Nothing has moved. {who} can start it again.", who=naming.signed(tongue, subject.asked)),
    ]


def connection_not_active(tongue: Tongue, *, connection: Connection) -> Lines:
    """The two spaces aren't connected at the moment, so nothing may be decided."""
    peer = naming.space(tongue, connection.peer_name)
    first = tongue.say("Not done: the friendship with {peer} isn't active at the moment.", peer=peer)
    if connection.changed_room:
        return [
            first,
            tongue.say("Its room was replaced; nothing has moved."),
            tongue.say("A superuser says in the new room that it goes on: {review}", review=command("review --room")),
        ]
    if connection.state is ConnectionState.SUSPENDED:
        return [
            first,
            tongue.say("The key or account of {peer}'s bot has changed; nothing has moved.", peer=peer),
            tongue.say("A superuser looks at it, then it works again: {review}", review=command("review")),
        ]
    return [first, tongue.say("Nothing has moved. Look with {spaces}.", spaces=command("spaces"))]


def not_your_own(tongue: Tongue, *, subject: Subject) -> Lines:
    """Who asked can't approve."""
    return [
        tongue.say(
            "Not counted: you asked for {case} yourself, so somebody else has to decide.",
            case=naming.case(tongue, subject),
        ),
        tongue.say("You can take it back: {cancel}", cancel=command(f"cancel {subject.code}")),
    ]


def being_decided(tongue: Tongue, *, subject: Subject, by: str) -> Lines:
    """Somebody else was first, and the grace runs."""
    return [
        tongue.say(
            "Not counted: {who} is deciding on {case} this very moment.",
            who=naming.person(tongue, by),
            case=naming.case(tongue, subject),
        ),
        tongue.say("Should it be open again afterwards, you can tap then."),
    ]


def decided_by_yourself(tongue: Tongue, *, subject: Subject, key: str) -> Lines:
    """The person's own word on the card is about to count; `key` is its sign."""
    case = naming.case(tongue, subject)
    return [
        tongue.say("Not counted: your own {key} on {case} came first, and counts in a moment.", key=key, case=case),
        tongue.say("If you didn't mean it: take that {key} off at once, then tap again.", key=key),
    ]


def open_again(tongue: Tongue, *, subject: Subject) -> Lines:
    """To those whose tap came while somebody else was deciding, who has taken it back."""
    return [
        tongue.say("{case} is open again: nothing was decided.", case=naming.case(tongue, subject)),
        tongue.say("Who tapped meanwhile and means it: take your tap off, and tap again."),
    ]


def not_entitled_to_decide(
    tongue: Tongue, *, subject: Subject, rights: Rights, right: Right, party: str, able: list[str]
) -> Lines:
    """The person has not got the right in InvenTree now; who has."""
    space = naming.space(tongue, party)
    names: dict[str, Words] = {"case": naming.case(tongue, subject), "space": space}
    if right is Right.SUPERUSER:
        first = tongue.say("Not counted: {case} is for a superuser of {space}'s InvenTree.", **names)
    else:
        first = tongue.say("Not counted: {case} is for an approver of {space}.", **names)
    lines: Lines = [first, why_not_entitled(tongue, rights, right, space)]
    if able:
        lines.append(tongue.say("{people} may. The card stays open.", people=naming.people(tongue, able)))
    else:
        lines.append(tongue.say("The card stays open for those who may."))
    return lines


def why_not_entitled(tongue: Tongue, rights: Rights, right: Right, space: str) -> tuple[Inline, ...]:
    """What InvenTree says of the person's user, against the right that is needed."""
    names: dict[str, Words] = {"user": tongue.short(rights.username, 40), "space": space}
    if not rights.known:
        return tongue.say("{space}'s InvenTree has no user {user}.", **names)
    if not rights.active:
        return tongue.say("Your user {user} is inactive in {space}'s InvenTree.", **names)
    if rights.unpinned:
        names["setting"] = Code("rules.pinned_superusers" if right is Right.SUPERUSER else "rules.pinned_approvers")
        return tongue.say("Your user {user} has to be in {setting} of my configuration, too.", **names)
    if right is Right.SUPERUSER:
        return tongue.say("Your user {user} isn't a superuser there.", **names)
    return tongue.say("Your user {user} isn't an approver there.", **names)


def rights_unreadable(tongue: Tongue, *, subject: Subject, problem: str) -> Lines:
    """InvenTree doesn't answer, so nobody's right can be read: fail closed."""
    return [
        tongue.say("Not counted: I can't read your rights, as our InvenTree does not answer."),
        tongue.say("Nothing has changed; the card stays open: {case}.", case=naming.case(tongue, subject)),
        tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)),
        tongue.say("Please tap again later."),
    ]
