"""Connecting, reviewing, taking back and the history of a case, as people read it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.audit import (
    Asked,
    Asking,
    AuditEntry,
    Decided,
    Fact,
    Happened,
    PeerReceived,
    ProvisionWaits,
    Said,
    Stage,
    StepWasDone,
    TransferIs,
    Waits,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import CaseSeen, ChangeSeen
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    BEA,
    BETA,
    BETA_BOT,
    BOLTS,
    BY_BEA,
    NOW,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

OLD = "k3f9-2mxa-7rtw-h4cd-p9qe"
ARRIVED = (Progress(1, stage="arrived", item=43),)

RENAMED = replace(connection(ConnectionState.ACTIVE, ours=True), new_name="Attraktor (beta)")


def review(bot: str, fingerprint: str, emoji: tuple[int, ...] = ()) -> Phrase:
    suspended = connection(ConnectionState.SUSPENDED, ours=True)
    if (bot, fingerprint) == (BETA_BOT, OLD):
        suspended = to_be_compared(suspended)
    return say(
        messages.review.review_list,
        us=ALPHA,
        changes=(ChangeSeen(suspended, OLD, fingerprint, BETA_BOT, bot, emoji),),
    )


def shown(subject: Transfer | Connection, *entries: AuditEntry, pages: tuple[tuple[int, str], ...] = ()) -> Phrase:
    us, peer = (ALPHA, "betaspace") if subject.peer == "beta" else (BETA, "attraktor")
    told = tuple((NOW, entry) for entry in entries)
    names = {ANNA: "Anna", BEA: "Bea"}
    return say(
        messages.show.shown,
        subject=subject,
        us=us,
        peer_name=peer,
        entries=told,
        names=names,
        case=CaseSeen(users={ANNA: "anna"}),
        pages=pages,
    )


SAID: dict[str, tuple[Phrase, str]] = {
    "we are hidden": (
        say(messages.connection.we_are_hidden, us=ALPHA),
        """
        Not asked: attraktor doesn't show itself, so the other bot would not take it.
        Its admin can set discoverable: true in my settings.
        """,
    ),
    "its bot has not come along into the new room": (
        say(messages.connection.space_not_here, name="betaspace"),
        """
        Not asked: betaspace's bot isn't in this room.
        Somebody has to invite it first.
        """,
    ),
    "friends already": (
        say(messages.connection.connected_already, connection=connection(ConnectionState.ACTIVE, ours=True)),
        """
        We and betaspace are friends already. Nothing to do.
        """,
    ),
    "asked already": (
        say(messages.connection.asked_already, connection=connection(ConnectionState.ASKED, ours=True)),
        """
        Not asked again: betaspace was asked already, by Anna.
        It waits for a superuser of betaspace, until Tue 1 Dec, 20:14.
        To take it back: !fed cancel c9x4
        """,
    ),
    "being set up already": (
        say(messages.connection.asked_already, connection=connection(ConnectionState.MAKING, ours=True)),
        """
        Not asked: betaspace and we have both said yes already.
        It is being set up. Nothing to do.
        To take it back: !fed cancel c9x4
        """,
    ),
    "they have asked us": (
        say(messages.connection.asked_already, connection=connection(ConnectionState.OFFERED)),
        """
        Not asked: attraktor has asked us already (Anna).
        Its card waits for one of our superusers, until Tue 1 Dec, 20:14: !fed approve c9x4
        """,
    ),
    "friends in another room": (
        say(
            messages.connection.connection_elsewhere, connection=connection(ConnectionState.ACTIVE), room="Makerspaces"
        ),
        """
        We are friends with attraktor in the room "Makerspaces": please say it there. I did nothing.
        """,
    ),
    "paused": (
        say(messages.connection.needs_review, connection=connection(ConnectionState.SUSPENDED, ours=True)),
        """
        Not done: the friendship with betaspace is paused, as its bot has another key or account now.
        A superuser looks at it first: !fed review beta
        """,
    ),
    "to be compared first": (
        say(
            messages.connection.needs_review,
            connection=to_be_compared(connection(ConnectionState.SUSPENDED, ours=True)),
        ),
        """
        Not done: the friendship with betaspace is paused until its key has been compared.
        A superuser looks at it first: !fed review beta
        """,
    ),
    "nothing to review": (
        say(messages.review.review_nothing, space=""),
        """
        Nothing to review.
        """,
    ),
    "nothing to review about one": (
        say(messages.review.review_nothing, space="betaspace"),
        """
        Nothing to review about betaspace.
        """,
    ),
    "a new key and account": (
        review("@new:beta.example", "w5nh-8d2c-xq4m-t7ra-6kzj"),
        """
        1 friend of attraktor has another key or account than agreed:

        betaspace
        Key until now: k3f9-2mxa-7rtw-h4cd-p9qe
        Key now: w5nh-8d2c-xq4m-t7ra-6kzj
        Account: @fedbot:beta.example, now @new:beta.example
        Their bot hasn't answered yet, so there are no emoji to compare.
        Call betaspace and compare the whole key.
        If all is the same: !fed review beta accept KEY
        KEY is the seven emoji, their names, or the whole key.
        If not: do nothing; the friendship stays paused.
        """,
    ),
    "only a new account": (
        review("@new:beta.example", OLD, (0, 1, 36, 41, 61, 63, 47)),
        """
        1 friend of attraktor has another key or account than agreed:

        betaspace
        Its key is the same: k3f9-2mxa-7rtw-h4cd-p9qe
        Account: @fedbot:beta.example, now @new:beta.example
        Call betaspace. Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        If all is the same: !fed review beta accept KEY
        KEY is the seven emoji, their names, or the whole key.
        If not: do nothing; the friendship stays paused.
        """,
    ),
    "keys to compare after a rebuild": (
        review(BETA_BOT, OLD),
        """
        attraktor's journal was rebuilt. The key of 1 friend has to be compared:

        betaspace
        Its key is the same: k3f9-2mxa-7rtw-h4cd-p9qe
        Their bot hasn't answered yet, so there are no emoji to compare.
        Call betaspace and compare the whole key.
        If all is the same: !fed review beta accept KEY
        KEY is the seven emoji, their names, or the whole key.
        If not: do nothing; the friendship stays paused.
        """,
    ),
    "another fingerprint": (
        say(
            messages.review.fingerprint_differs,
            connection=connection(ConnectionState.SUSPENDED, ours=True),
            word="abcd",
        ),
        """
        Not accepted: "abcd" is neither the whole key that speaks for betaspace now nor its seven emoji.
        If betaspace told you so, somebody else may be speaking in its name: please call them.
        The friendship stays paused.
        """,
    ),
    "accept whose": (
        say(messages.review.accept_without_space, usage="review [SPACE] [accept KEY]"),
        """
        Accept whose key? I did nothing. Usage: !fed review [SPACE] [accept KEY]
        """,
    ),
    "reviewed": (
        say(messages.review.reviewed, connection=connection(ConnectionState.ACTIVE, ours=True), by="Anna"),
        """
        ✅ betaspace's bot counts again as it is now, accepted by Anna.
        What waited goes on by itself. Nothing to do.
        c9x4
        """,
    ),
    "no part for it": (
        say(
            messages.approval.no_part_for_it_yet,
            transfer=transfer(BOLTS, progress=(Progress(1, match="none"),)),
            numbers=(1,),
            us=BETA,
        ),
        """
        Not counted: betaspace has no place for 10 × M3 bolt yet (k7m2).
        M3 bolt: no part of betaspace fits, and I may not make one.
        In InvenTree: make a part with the same IPN or exactly this name.
        If one of your parts is it under another name: !fed match OUR-IPN M3-BOLT from attraktor
        Nothing has moved. I look again now; when the card shows a place, tap ✅ once more.
        """,
    ),
    "decided elsewhere": (
        say(messages.approval.decided_elsewhere, subject=transfer(role="sender"), party="betaspace"),
        """
        Not counted: 1 × Laser lens 2.0″ (k7m2) is for betaspace to decide.
        It can be taken back as long as nothing has moved: !fed cancel k7m2
        """,
    ),
    "a decision stopped": (
        say(messages.approval.decision_stopped, subject=transfer()),
        """
        Stopped in time: nothing is decided about 1 × Laser lens 2.0″ (k7m2).
        Its card is open again.
        """,
    ),
    "cancelled": (
        say(messages.approval.cancelled, subject=transfer(), us=ALPHA),
        """
        Taken back: 1 × Laser lens 2.0″ (k7m2).
        Nothing has moved.
        """,
    ),
    "a connection cancelled": (
        say(messages.approval.cancelled, subject=connection(company=5), us=ALPHA),
        """
        Taken back: the friendship with attraktor (c9x4).
        What was made for it in our InvenTree is taken back too.
        """,
    ),
    "a connection cancelled before anything was made": (
        say(messages.approval.cancelled, subject=connection(), us=ALPHA),
        """
        Taken back: the friendship with attraktor (c9x4).
        Nothing was made.
        """,
    ),
    "the other space was asked to cancel": (
        say(messages.approval.cancel_asked, transfer=transfer(), peer_name="attraktor"),
        """
        I have asked attraktor to take it back: 1 × Laser lens 2.0″ (k7m2).
        It counts when attraktor's bot says so; the card shows it. If it has left attraktor already, it comes.
        """,
    ),
    "too late: under way": (
        say(
            messages.approval.too_late_to_cancel,
            subject=transfer(role="sender", state=TransferState.SENT),
            peer_name="betaspace",
        ),
        """
        Too late: 1 × Laser lens 2.0″ (k7m2) is on its way.
        Nothing was changed. betaspace can offer it back to you.
        """,
    ),
    "too late: booked in": (
        say(
            messages.approval.too_late_to_cancel, subject=transfer(state=TransferState.RECEIVED), peer_name="attraktor"
        ),
        """
        Too late: 1 × Laser lens 2.0″ (k7m2) is booked in, or on its way back.
        Nothing was changed. You can offer it back to attraktor.
        """,
    ),
    "too late: unclear": (
        say(
            messages.approval.too_late_to_cancel, subject=transfer(state=TransferState.DISPUTED), peer_name="attraktor"
        ),
        """
        Not taken back: nobody can tell what became of 1 × Laser lens 2.0″ (k7m2), so people have to look first.
        All that I know of it: !fed show k7m2
        """,
    ),
    "too late: a connection": (
        say(messages.approval.too_late_to_cancel, subject=connection(ConnectionState.READY), peer_name="attraktor"),
        """
        Too late: the friendship with attraktor (c9x4) is set up on our side, and attraktor may be using it.
        Nothing was changed.
        """,
    ),
    "decline instead": (
        say(messages.approval.decline_instead, subject=transfer()),
        """
        Not taken back: 1 × Laser lens 2.0″ (k7m2) is for us to decide.
        Say no with ❌ on its card, or: !fed decline k7m2
        """,
    ),
    "friends stay friends": (
        say(messages.approval.friends_stay, connection=connection(ConnectionState.ACTIVE)),
        """
        Nothing to take back: we and attraktor are friends already.
        !fed cancel only takes back what isn't agreed yet. I did nothing.
        """,
    ),
    "over already": (
        say(messages.approval.over_already, subject=transfer(state=TransferState.DECLINED, decided=BY_BEA)),
        """
        Nothing to take back: 1 × Laser lens 2.0″ (k7m2) is over.
        Bea said no. Nothing has moved.
        """,
    ),
    "not yours to cancel": (
        say(
            messages.approval.not_yours_to_cancel,
            subject=transfer(),
            rights=Rights("kim", known=True, active=True),
            right=Right.APPROVER,
            us=ALPHA,
            able=("Piet",),
        ),
        """
        Not taken back: 1 × Laser lens 2.0″ (k7m2) isn't yours.
        Your user kim isn't an approver there.
        Anna may (who asked), or Piet.
        """,
    ),
    "not yours to cancel, and nobody else may": (
        say(
            messages.approval.not_yours_to_cancel,
            subject=connection(),
            rights=Rights("kim", known=True, active=True),
            right=Right.SUPERUSER,
            us=ALPHA,
            able=(),
        ),
        """
        Not taken back: the friendship with attraktor (c9x4) isn't yours.
        Your user kim isn't a superuser there.
        Anna may (who asked).
        """,
    ),
    "a friend wants another name": (
        say(messages.review.peer_renamed, connection=RENAMED, us=ALPHA),
        """
        betaspace wants to be called Attraktor (beta).
        I keep the old name until a superuser of attraktor agrees: !fed review beta --name "Attraktor"
        Its id stays beta. The friendship goes on either way.
        """,
    ),
    "names to review": (
        say(messages.review.names_to_review, us=ALPHA, connections=(RENAMED,)),
        """
        betaspace wants to be called Attraktor (beta).
        I keep the old name until a superuser of attraktor agrees: !fed review beta --name "Attraktor"
        Its id stays beta. The friendship goes on either way.
        """,
    ),
    "the name is agreed to": (
        say(messages.review.renamed, connection=connection(ConnectionState.ACTIVE), before="Beta Lab (beta)"),
        """
        Beta Lab (beta) is called attraktor from now on.
        """,
    ),
    "another name than the one that is announced": (
        say(messages.review.another_name, connection=RENAMED),
        """
        Not accepted: betaspace announces another name now: Attraktor (beta).
        To agree to that one: !fed review beta --name "Attraktor"
        """,
    ),
    "no other name is announced": (
        say(messages.review.no_new_name, space="betaspace"),
        """
        betaspace announces no other name. I changed nothing.
        """,
    ),
    "a name without a space": (
        say(messages.review.name_without_space, usage="review [SPACE] [--name NAME]"),
        """
        Whose name? I changed nothing. Usage: !fed review [SPACE] [--name NAME]
        """,
    ),
    "the history of a transfer": (
        shown(
            replace(
                transfer(BOLTS, role="sender", state=TransferState.DONE, decided=BY_BEA, progress=ARRIVED),
                ended=NOW,
                card_event="$card",
            ),
            AuditEntry("k7m2", Asked(Asking.OFFER, "beta"), ANNA),
            AuditEntry("k7m2", Said("show"), ANNA),
            AuditEntry("k7m2", TransferIs(TransferState.APPROVED), BEA),
            AuditEntry("k7m2", Happened(Fact.LESS_TAKEN), ANNA, says="beta"),
            AuditEntry("k7m2", StepWasDone("TakeOut", 1)),
            AuditEntry("k7m2", Waits(SILENT)),
            AuditEntry("k7m2", StepWasDone("HandOver", 1)),
            AuditEntry("k7m2", TransferIs(TransferState.SENT)),
            AuditEntry("k7m2", PeerReceived((9,))),
            AuditEntry("k7m2", StepWasDone("Mirror")),
            AuditEntry("k7m2", TransferIs(TransferState.DONE)),
        ),
        """
        k7m2: 10 × M3 bolt (M3-BOLT) from attraktor to betaspace.
        Done, Tue 24 Nov, 20:31.
        Asked by Anna (attraktor)
        At betaspace: in stock
        At attraktor: stock #43, split off from #12, with customer betaspace

        • Tue 24 Nov, 20:31 – Anna: offered it
        • Tue 24 Nov, 20:31 – Bea: said yes, and it counted
        • Tue 24 Nov, 20:31 – Anna, says beta: agreed to the smaller quantity
        • Tue 24 Nov, 20:31 – taken out of stock, into Outgoing
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – given to the other space's company in InvenTree
        • Tue 24 Nov, 20:31 – the other bot was told that it has left
        • Tue 24 Nov, 20:31 – the other space has booked it in
        • Tue 24 Nov, 20:31 – done
        Who is who:
        • Anna: @anna:attraktor.example, InvenTree user anna
        • Bea: @bea:beta.example
        Its card (https://matrix.to/#/!room/$card)
        """,
    ),
    "the history of a connection": (
        shown(
            replace(
                connection(ConnectionState.MAKING, decided=BY_BEA),
                needs="no-admin-token",
                obstacle=Plain(Fault.NO_ADMIN_TOKEN),
            ),
            AuditEntry("c9x4", Asked(Asking.FRIENDSHIP, "attraktor", by_peer=True), ANNA),
            AuditEntry("c9x4", Decided(Choice.APPROVE, Stage.IN_GRACE), BEA),
            AuditEntry("c9x4", Happened(Fact.ACCEPTED), BEA),
            AuditEntry("c9x4", ProvisionWaits(Plain(Fault.NO_ADMIN_TOKEN))),
        ),
        """
        c9x4: the friendship of betaspace and attraktor.
        Both have said yes; it waits for one of our admins.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31
        Each bot makes for the other: a user that can only look, its token for one year, and a customer company.
        Why: This takes a superuser's token: inventree.admin_token is not set.

        • Tue 24 Nov, 20:31 – Anna: asked to be friends
        • Tue 24 Nov, 20:31 – Bea: said yes
        • Tue 24 Nov, 20:31 – Bea: said yes, and it counted
        • Tue 24 Nov, 20:31 – setting up had to wait (no-admin-token)
        Who is who:
        • Anna: @anna:attraktor.example, InvenTree user anna
        • Bea: @bea:beta.example
        """,
    ),
    "a long history": (
        shown(transfer(), *(AuditEntry("k7m2", Waits(SILENT)) for _ in range(32))),
        """
        k7m2: 1 × Laser lens 2.0″ (LENS-2, serial 0042) from attraktor to betaspace.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • … 2 more …
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        • Tue 24 Nov, 20:31 – had to wait for InvenTree
        Who is who:
        • Anna: @anna:attraktor.example, InvenTree user anna
        • Bea: @bea:beta.example
        """,
    ),
    "in private, with links": (
        shown(
            transfer(BOLTS, state=TransferState.OPEN, role="sender"),
            pages=((12, "https://inventree.attraktor.example/web/stock/item/12/"),),
        ),
        """
        k7m2: 10 × M3 bolt (M3-BOLT) from attraktor to betaspace.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Nothing more is noted of it.
        Who is who:
        • Anna: @anna:attraktor.example, InvenTree user anna
        • Bea: @bea:beta.example
        Our stock #12 (https://inventree.attraktor.example/web/stock/item/12/)
        """,
    ),
    "no history": (
        shown(connection(ConnectionState.SUSPENDED)),
        """
        c9x4: the friendship of betaspace and attraktor.
        ⚠ Paused: the other bot's key or account changed.
        Asked by Anna
        A superuser looks at it: !fed review attraktor

        Nothing more is noted of it.
        Who is who:
        • Anna: @anna:attraktor.example, InvenTree user anna
        • Bea: @bea:beta.example
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
