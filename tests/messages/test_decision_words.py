"""What is said to decisions and lines that don't count, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    ASKED_AT,
    BEA,
    BY_ANNA,
    BY_BEA,
    KIM,
    NOW,
    ROOM,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

KIMS = Rights("kim", known=True, active=True)
PUSH = Command("push", {}, ROOM, "$line", KIM, ASKED_AT, "push 10 M3-BOLT to beta", "kim")


def decided(subject: Transfer | Connection) -> Phrase:
    return say(messages.approval.decided_already, subject=subject)


SAID: dict[str, tuple[Phrase, str]] = {
    "a typed yes": (
        say(messages.approval.noted_in_grace, subject=transfer(), choice=Choice.APPROVE, seconds=timedelta(seconds=5)),
        """
        Noted: yes to 1 × Laser lens 2.0″ (k7m2). It counts in 5 seconds.
        To take it back until then, reply: !fed cancel
        """,
    ),
    "a typed no": (
        say(
            messages.approval.noted_in_grace, subject=connection(), choice=Choice.DECLINE, seconds=timedelta(seconds=1)
        ),
        """
        Noted: no to the friendship with attraktor (c9x4). It counts in 1 second.
        To take it back until then, reply: !fed cancel
        """,
    ),
    "a reason for declining a friendship": (
        say(messages.approval.no_reason_here, subject=connection()),
        f"""
        Not counted: I can pass a reason on for things, not for a friendship.
        Decline without it: !fed decline {connection().code}
        """,
    ),
    "a thumb, or a yes in words": (
        say(messages.approval.tap_instead, subject=transfer()),
        """
        That doesn't count. Tap ✅ or ❌ on the card to decide.
        """,
    ),
    "the first of two yeses": (
        say(messages.approval.first_yes_noted, transfer=transfer(), by="Bea", party="betaspace"),
        """
        Noted: Bea says yes to 1 × Laser lens 2.0″ (k7m2).
        It is of high value: another approver of betaspace has to tap ✅, too.
        To take it back until then, reply: !fed cancel
        """,
    ),
    "both yeses by one person": (
        say(messages.approval.needs_another_person, subject=transfer(), by="Bea"),
        """
        Not counted: Bea said yes to 1 × Laser lens 2.0″ (k7m2) already, as the same InvenTree user as you.
        It is of high value: another approver has to tap ✅.
        """,
    ),
    "two yeses to different things": (
        say(
            messages.approval.not_the_same_yes,
            transfer=transfer(),
            first=Vote(Choice.PARCEL, BEA, "bea", "$tap", NOW),
            by="Bea",
        ),
        """
        Not counted: Bea said yes to 1 × Laser lens 2.0″ (k7m2) otherwise.
        The same as they said: !fed approve k7m2 --parcel
        Or ask them to take theirs back first.
        """,
    ),
    "somebody of another space": (
        say(messages.approval.not_yours_to_decide, subject=transfer(), party="betaspace"),
        """
        Not counted: only people of betaspace decide on 1 × Laser lens 2.0″ (k7m2).
        I don't know you as one of them. An admin of betaspace can enter you in its bot's configuration.
        """,
    ),
    "whoever is addressed, as nothing else shows it": (
        replace(say(messages.approval.too_late, subject=transfer()), to="@kim:attraktor.example"),
        """
        @kim:attraktor.example: Too late: 1 × Laser lens 2.0″ (k7m2) was open until Tue 1 Dec, 20:14.
        Nothing has moved. Anna can start it again.
        """,
    ),
    "somebody of a friend": (
        say(
            messages.approval.for_the_other_space_to_decide,
            subject=transfer(),
            party="betaspace",
            own="attraktor",
            asked=False,
        ),
        """
        Not counted: you are of attraktor, and 1 × Laser lens 2.0″ (k7m2) is for betaspace to decide.
        Their decision will appear here. You don't need to do anything.
        """,
    ),
    "somebody of a friend, who asked for it": (
        say(
            messages.approval.for_the_other_space_to_decide,
            subject=transfer(),
            party="betaspace",
            own="attraktor",
            asked=True,
        ),
        """
        Not counted: you are of attraktor, and 1 × Laser lens 2.0″ (k7m2) is for betaspace to decide.
        Their decision will appear here. You don't need to do anything.
        You can take it back: !fed cancel k7m2
        """,
    ),
    "decided: yes": (
        decided(transfer(state=TransferState.DONE, decided=BY_BEA)),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        Bea said yes, Tue 24 Nov, 20:31.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: no": (
        decided(transfer(state=TransferState.DECLINED, decided=BY_BEA)),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        Bea said no, Tue 24 Nov, 20:31.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: yes, but not yet confirmed": (
        decided(transfer(wanted="approve", decided=BY_BEA)),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        Bea said yes, Tue 24 Nov, 20:31.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: being cancelled": (
        decided(transfer(wanted="cancel")),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        It is being cancelled.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: cancelled": (
        decided(transfer(state=TransferState.CANCELLED, decided=BY_ANNA)),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        Anna cancelled it, Tue 24 Nov, 20:14.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: cancelled by a bot, as there is no place for it": (
        decided(transfer(state=TransferState.CANCELLED, decided=replace(BY_BEA, person="", name=""))),
        """
        Not counted: the card of 1 × Laser lens 2.0″ (k7m2) is closed.
        A bot cancelled it, Tue 24 Nov, 20:31; its card says why.
        Who did what: !fed show k7m2
        """,
    ),
    "decided: expired": (
        decided(connection(ConnectionState.EXPIRED)),
        """
        Not counted: the card of the friendship with attraktor (c9x4) is closed.
        Its time was over, Tue 1 Dec, 20:14.
        Who did what: !fed show c9x4
        """,
    ),
    "too late": (
        say(messages.approval.too_late, subject=transfer()),
        """
        Too late: 1 × Laser lens 2.0″ (k7m2) was open until Tue 1 Dec, 20:14.
        Nothing has moved. Anna can start it again.
        """,
    ),
    "the friendship is paused": (
        say(messages.approval.connection_not_active, connection=connection(ConnectionState.SUSPENDED)),
        """
        Not done: the friendship with attraktor isn't active at the moment.
        The key or account of attraktor's bot has changed; nothing has moved.
        A superuser looks at it, then it works again: !fed review
        """,
    ),
    "a key is to be compared after a rebuild": (
        say(
            messages.approval.connection_not_active,
            connection=to_be_compared(connection(ConnectionState.SUSPENDED)),
        ),
        """
        Not done: the friendship with attraktor isn't active at the moment.
        Nobody has compared attraktor's key since the journal was rebuilt; nothing has moved.
        A superuser looks at it, then it works again: !fed review
        """,
    ),
    "the friendship is being set up": (
        say(messages.approval.connection_not_active, connection=connection(ConnectionState.MAKING)),
        """
        Not done: the friendship with attraktor isn't active at the moment.
        Nothing has moved. Look with !fed spaces.
        """,
    ),
    "one's own": (
        say(messages.approval.not_your_own, subject=transfer()),
        """
        Not counted: you asked for 1 × Laser lens 2.0″ (k7m2) yourself, so somebody else has to decide.
        You can take it back: !fed cancel k7m2
        """,
    ),
    "somebody was first": (
        say(messages.approval.being_decided, subject=transfer(), by="Cem"),
        """
        Not counted: Cem is deciding on 1 × Laser lens 2.0″ (k7m2) this very moment.
        Should it be open again afterwards, you can tap then.
        """,
    ),
    "one's own other tap was first": (
        say(messages.approval.decided_by_yourself, subject=transfer(), key="✅"),
        """
        Not counted: your own ✅ on 1 × Laser lens 2.0″ (k7m2) came first, and counts in a moment.
        If you didn't mean it: take that ✅ off at once, then tap again.
        """,
    ),
    "who was first has taken it back": (
        say(messages.approval.open_again, subject=transfer()),
        """
        1 × Laser lens 2.0″ (k7m2) is open again: nothing was decided.
        Who tapped meanwhile and means it: take your tap off, and tap again.
        """,
    ),
    "no approver": (
        say(
            messages.approval.not_entitled_to_decide,
            subject=transfer(),
            rights=KIMS,
            right=Right.APPROVER,
            party="attraktor",
            able=["Bea", "Cem"],
        ),
        """
        Not counted: 1 × Laser lens 2.0″ (k7m2) is for an approver of attraktor.
        Your user kim isn't an approver there.
        Bea and Cem may. The card stays open.
        """,
    ),
    "no superuser, and nobody is": (
        say(
            messages.approval.not_entitled_to_decide,
            subject=connection(),
            rights=KIMS,
            right=Right.SUPERUSER,
            party="attraktor",
            able=[],
        ),
        """
        Not counted: the friendship with attraktor (c9x4) is for a superuser of attraktor's InvenTree.
        Your user kim isn't a superuser there.
        The card stays open for those who may.
        """,
    ),
    "rights can't be read": (
        say(messages.approval.rights_unreadable, subject=transfer(), problem=SILENT),
        """
        Not counted: I can't read your rights, as our InvenTree does not answer.
        Nothing has changed; the card stays open: 1 × Laser lens 2.0″ (k7m2).
        Why: InvenTree at inventree.example can't be reached: no connection.
        Please tap again later.
        """,
    ),
    "an edited line": (
        say(messages.line_errors.edits_never_execute),
        """
        Edited lines do nothing. Please send it as a new message.
        """,
    ),
    "a stranger": (
        say(messages.line_errors.stranger, person="@eve:example.org", us=ALPHA),
        """
        I don't know you yet, so I did nothing.
        If you belong to attraktor: one of its superusers says in its admin room:
        !fed people add @eve:example.org as your-inventree-user
        If you belong to another space, its bot needs the same.
        """,
    ),
    "more reactions at once than count": (
        say(messages.approval.reacts_too_much, most=30),
        """
        Not counted: you reacted more than 30 times at once.
        Please wait a minute, then react anew. Until then none of your reactions counts.
        """,
    ),
    "more lines at once than are read": (
        say(messages.line_errors.says_too_much, person="Piet", most=30),
        """
        Not done: Piet, you sent more than 30 commands at once.
        Please wait a minute, then send this one again. Until then I read none of yours.
        """,
    ),
    "an old line": (
        say(messages.line_errors.line_too_old, text="!fed push 10 M3-BOLT to beta", at=ASKED_AT),
        """
        Not done: your line is from Tue 24 Nov, 20:14, and I read it only now.
        If you still want it, send it again: !fed push 10 M3-BOLT to beta
        """,
    ),
    "two spaces list the same person": (
        say(messages.line_errors.is_it_for_us, us=ALPHA, others=("beta", "gamma")),
        """
        Is this for attraktor? 1) Yes
        I did nothing yet, as you are also on the list of beta and gamma.
        Reply with 1 within 10 minutes, or begin with !fed as attraktor.
        """,
    ),
    "for a space of others": (
        say(messages.line_errors.not_of_that_space, party="beta", us=ALPHA),
        """
        Not done: you belong to attraktor, not to beta.
        Without as beta it is for attraktor.
        """,
    ),
    "not entitled": (
        say(
            messages.line_errors.not_entitled,
            command=PUSH,
            rights=KIMS,
            right=Right.APPROVER,
            us=ALPHA,
            able=["Anna", "Piet"],
        ),
        """
        Not done: !fed push needs an approver of attraktor.
        Your user kim isn't an approver there.
        Anna or Piet may; they can copy this: !fed push 10 M3-BOLT to beta
        What you can do: !fed whoami
        """,
    ),
    "not entitled, inactive, and nobody is": (
        say(
            messages.line_errors.not_entitled,
            command=PUSH,
            rights=replace(KIMS, active=False),
            right=Right.SUPERUSER,
            us=ALPHA,
            able=[],
        ),
        """
        Not done: !fed push needs a superuser of attraktor's InvenTree.
        Your user kim is inactive in attraktor's InvenTree.
        None of the configured people is a superuser in attraktor's InvenTree.
        What you can do: !fed whoami
        """,
    ),
    "not entitled, as the configuration doesn't name the user": (
        say(
            messages.line_errors.not_entitled,
            command=PUSH,
            rights=Rights("kim", known=True, active=True, unpinned=True),
            right=Right.APPROVER,
            us=ALPHA,
            able=["Anna"],
        ),
        """
        Not done: !fed push needs an approver of attraktor.
        Your user kim has to be in rules.pinned_approvers of my configuration, too.
        Anna may; they can copy this: !fed push 10 M3-BOLT to beta
        What you can do: !fed whoami
        """,
    ),
    "an inactive user": (
        say(
            messages.line_errors.not_entitled,
            command=PUSH,
            rights=replace(KIMS, active=False),
            right=Right.MAPPED,
            us=ALPHA,
            able=[],
        ),
        """
        Not done: !fed push needs an active user of attraktor's InvenTree.
        Your user kim is inactive in attraktor's InvenTree.
        An admin there can make one or switch it on. More: !fed whoami
        """,
    ),
    "not entitled, unknown to InvenTree": (
        say(
            messages.line_errors.not_entitled,
            command=PUSH,
            rights=Rights("kim"),
            right=Right.APPROVER,
            us=ALPHA,
            able=[],
        ),
        """
        Not done: !fed push needs an approver of attraktor.
        attraktor's InvenTree has no user kim.
        None of the configured people is an approver in attraktor's InvenTree.
        What you can do: !fed whoami
        """,
    ),
    "a line waits for InvenTree": (
        say(messages.line_errors.line_waits, us=ALPHA, problem=SILENT, wait=timedelta(minutes=15)),
        """
        ⏸ attraktor's InvenTree does not answer yet. Your line waits for it.
        Why: InvenTree at inventree.example can't be reached: no connection.
        I'll keep trying for up to 15 minutes and answer here.
        """,
    ),
    "a line waits for a slow InvenTree": (
        say(messages.line_errors.line_waits, us=ALPHA, problem=None, wait=timedelta(minutes=15)),
        """
        ⏸ attraktor's InvenTree does not answer yet. Your line waits for it.
        I'll keep trying for up to 15 minutes and answer here.
        """,
    ),
    "no superuser when InvenTree was last read": (
        say(messages.line_errors.not_last_seen_as_superuser, command=PUSH, us=ALPHA),
        """
        Not done: !fed push needs a superuser of attraktor's InvenTree.
        It does not answer now, and you weren't a superuser when I last read it.
        Once it answers, send it again: !fed push 10 M3-BOLT to beta
        """,
    ),
    "an answer to a card in own words": (
        say(messages.approval.reason_noted, subject=transfer(), peer_name="attraktor"),
        """
        If you tap ❌, attraktor reads that as your reason. k7m2
        """,
    ),
    "a line that InvenTree's admins have to fix": (
        say(
            messages.line_errors.inventory_silent,
            problem=SAYS_NO,
            text="push 10 M3-BOLT to beta",
            us=ALPHA,
            silent=False,
        ),
        """
        Not done: attraktor's InvenTree doesn't let me look.
        Why: InvenTree said: You do not have permission.
        Nothing was changed or sent. Once attraktor's admins have fixed that: !fed push 10 M3-BOLT to beta
        """,
    ),
    "InvenTree is silent": (
        say(messages.line_errors.inventory_silent, problem=SILENT, text="push 10 M3-BOLT to beta", us=ALPHA),
        """
        Not done: attraktor's InvenTree does not answer.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Nothing was changed or sent. Please try again later: !fed push 10 M3-BOLT to beta
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
