"""What is said of a parcel: on its way, waited for, here, missing, lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Choice, Parcel, Settlement
from fedbot.rules.model.diagnosis import Fault, ItemFault, OfItem, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.transfer import Dispute, Progress, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    BEA,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    BY_PIET,
    CABLE,
    CEM,
    NOW,
    PEOPLE,
    SAYS_NO,
    plain,
    request,
    transfer,
)

SENT = TransferState.SENT


def sent(role: str) -> Transfer:
    """Ten bolts, on their way from attraktor to betaspace."""
    return replace(transfer(BOLTS, role=role, state=SENT, decided=BY_BEA), parcel=Parcel(left=NOW))


REQUESTED = replace(request(BOLTS, role="sender", state=SENT, decided=BY_PIET), parcel=Parcel(left=NOW))
OFFERED = replace(transfer(BOLTS), terms=replace(transfer(BOLTS).terms, parcel=True), parcel=Parcel())
HERE = replace(sent("receiver"), state=TransferState.DONE, parcel=Parcel(left=NOW, received=BY_BEA))
THREE = replace(BOLTS, quantity=Decimal(3))
SHORT = replace(HERE, progress=(replace(HERE.progress[0], short=Decimal(3)),))
SETTLED_REST = replace(
    sent("sender"),
    state=TransferState.DONE,
    progress=(Progress(1, "arrived", item=12, short=Decimal(3), short_item=77),),
    parcel=Parcel(left=NOW, received=BY_BEA, rest=Settlement(BY_ANNA, "lost")),
)
MISSING = replace(
    sent("receiver"),
    state=TransferState.DISPUTED,
    dispute=Dispute(SENT, ("beta",)),
    parcel=Parcel(left=NOW, missing=BY_BEA),
)
LOST = replace(MISSING, state=TransferState.REVERTED, dispute=None, settled=Settlement(BY_ANNA, "lost"))

SAID: dict[str, tuple[Phrase, str]] = {
    "it left: the giver posts it": (
        say(messages.parcel.parcel_left, transfer=sent("sender"), us=ALPHA, peer_name="betaspace"),
        """
        @Anna 📦 10 × M3 bolt (M3-BOLT): please send it to betaspace now. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        Done: it is out of attraktor's stock. Not done: betaspace books it in when it is there, not before.
        When it is there, an approver of betaspace says: !fed received k7m2
        If it never comes, or comes back: !fed missing k7m2
        """,
    ),
    "it left: who asked waits for it": (
        say(messages.parcel.parcel_left, transfer=REQUESTED, us=ALPHA, peer_name="betaspace"),
        """
        @Bea 📦 10 × M3 bolt (M3-BOLT) is on its way from attraktor, by parcel. k7m2
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31
        Done: it is out of attraktor's stock. Not done: betaspace books it in when it is there, not before.
        When it is there, an approver of betaspace says: !fed received k7m2
        If it never comes, or comes back: !fed missing k7m2
        """,
    ),
    "the card while it is on its way": (
        say(messages.transfer_card.transfer_card, transfer=sent("receiver"), us=BETA, peer_name="attraktor", people=[]),
        """
        📦 On its way: 10 × M3 bolt (M3-BOLT) from attraktor to betaspace, by parcel, since Tue 24 Nov, 20:31.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        It has left attraktor's stock; betaspace books it in when it is there, not before.
        Is it here? Tap 📦 (once more), or reply: !fed received
        If it never comes, or comes back: !fed missing k7m2
        k7m2
        """,
    ),
    "the owner's card while it is on its way": (
        say(messages.transfer_card.transfer_card, transfer=REQUESTED, us=ALPHA, peer_name="betaspace", people=[]),
        """
        📦 On its way: 10 × M3 bolt (M3-BOLT) from attraktor to betaspace, by parcel, since Tue 24 Nov, 20:31.
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Goes to: betaspace

        It has left attraktor's stock; betaspace books it in when it is there, not before.
        When it is there, an approver of betaspace says: !fed received k7m2
        If it never comes, or comes back: !fed missing k7m2
        k7m2
        """,
    ),
    "the card of an offer by parcel": (
        say(messages.transfer_card.transfer_card, transfer=OFFERED, us=BETA, peer_name="attraktor", people=PEOPLE),
        """
        attraktor offers betaspace 10 × M3 bolt (M3-BOLT), to keep. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        It comes by parcel: ✅ yes, send it · ❌ no, thanks
        Nothing has moved yet. · k7m2
        """,
    ),
    "the card when it has come": (
        say(messages.transfer_card.transfer_card, transfer=HERE, us=BETA, peer_name="attraktor", people=[]),
        """
        ✅ Done: 10 × M3 bolt (M3-BOLT) went from attraktor to betaspace, to keep.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        Came by parcel, received by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: Laser room
        At attraktor: taken out of stock #12, with customer betaspace

        Reply here with: !fed show
        k7m2
        """,
    ),
    "the card when it never came": (
        say(messages.transfer_card.transfer_card, transfer=MISSING, us=BETA, peer_name="attraktor", people=[]),
        """
        ⚠ Missing: 10 × M3 bolt (M3-BOLT) did not arrive, says Bea.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        It is out of attraktor's stock, and not booked in at betaspace.
        A superuser of betaspace settles it: !fed resolve
        In the stock histories in InvenTree it is under fed:k7m2abcdefghjkmnpqrs.
        k7m2
        """,
    ),
    "the card when it is lost": (
        say(messages.transfer_card.transfer_card, transfer=LOST, us=BETA, peer_name="attraktor", people=[]),
        """
        Lost: 10 × M3 bolt (M3-BOLT) is at neither space, and written off at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        Settled by Anna (attraktor), Tue 24 Nov, 20:14
        k7m2
        """,
    ),
    "it is said to be missing": (
        say(messages.resolve.transfer_disputed, transfer=MISSING, us=BETA, peer_name="attraktor"),
        """
        ⚠ k7m2: 10 × M3 bolt did not arrive, says Bea.
        Done: it had left by parcel. Not done: it isn't booked in; I do nothing more with it.
        Next: a superuser of betaspace settles it: !fed resolve k7m2
        In the stock history in InvenTree it is under fed:k7m2abcdefghjkmnpqrs. All that I know of it: !fed show k7m2
        """,
    ),
    "here, but InvenTree won't have it": (
        say(
            messages.parcel.parcel_not_booked_in,
            transfer=MISSING,
            person=BEA,
            name="Bea",
            problem=OfItem(ItemFault.VIRTUAL, 12),
        ),
        """
        @Bea ⚠ 10 × M3 bolt (k7m2) is here, but could not be booked in.
        Why: Stock item #12 is virtual: there is nothing to hand over.
        Nothing is booked in, and nothing goes back.
        Next: look what the card proposes now, or fix it in InvenTree. Then reply here: !fed received k7m2
        If it never comes, or comes back: !fed missing k7m2
        """,
    ),
    "missing, said once more": (
        say(messages.parcel.parcel_missing_already, transfer=MISSING),
        """
        Nothing new: 10 × M3 bolt (k7m2) waits for people to say what is true.
        ⚠ The parcel did not arrive; people have to say what became of it.
        A superuser settles it: !fed resolve k7m2
        """,
    ),
    "the answer to that": (
        say(messages.parcel.parcel_noted_missing, transfer=MISSING),
        """
        Noted: 10 × M3 bolt (k7m2) did not arrive. I book nothing more.
        """,
    ),
    "missing, but it isn't on its way": (
        say(messages.parcel.no_parcel_under_way, subject=transfer()),
        """
        Nothing is missing: 1 × Laser lens 2.0″ (k7m2) isn't on its way by parcel.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        """,
    ),
    "asked after": (
        say(
            messages.parcel.parcel_reminder,
            subject=sent("receiver"),
            us=BETA,
            people={BEA: "Bea", CEM: "Cem"},
            others=1,
        ),
        """
        @Bea @Cem and others: ⏰ is 10 × M3 bolt (k7m2) here by now?
        📦 On its way by parcel since Tue 24 Nov, 20:31; booked in when somebody says that it is there.
        Here: !fed received k7m2 · It won't come: !fed missing k7m2
        """,
    ),
    "a yes when it is on its way": (
        say(messages.parcel.parcel_is_on_its_way, subject=sent("receiver")),
        """
        Not counted: 10 × M3 bolt (k7m2) is on its way already.
        When it is here, tap 📦, or reply: !fed received k7m2
        If it never comes, or comes back: !fed missing k7m2
        """,
    ),
    "a second yes": (
        say(messages.parcel.parcel_has_just_left, subject=sent("receiver")),
        """
        Not counted: 10 × M3 bolt (k7m2) has only just left.
        When it is here, tap 📦 again, or reply: !fed received k7m2
        """,
    ),
    "it goes to the others": (
        say(messages.parcel.no_parcel_for_us, subject=sent("sender"), us=ALPHA, peer_name="betaspace"),
        """
        Not booked in: 10 × M3 bolt (k7m2) goes to betaspace, so its approvers say that.
        📦 On its way by parcel since Tue 24 Nov, 20:31; booked in when somebody says that it is there.
        """,
    ),
    "it isn't on its way": (
        say(messages.parcel.no_parcel_for_us, subject=transfer(), us=BETA, peer_name="attraktor"),
        """
        Nothing to book in: 1 × Laser lens 2.0″ (k7m2) isn't on its way to betaspace.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        """,
    ),
    "more came than was sent": (
        say(messages.parcel.not_so_much_was_sent, transfer=sent("receiver"), sent=(BOLTS,)),
        """
        Not booked in: only 10 × M3 bolt was sent by k7m2.
        More came? Book in the rest by hand, or ask the sender to offer it.
        All of it is here: !fed received k7m2
        """,
    ),
    "of different things a number says too little": (
        say(messages.parcel.not_so_much_was_sent, transfer=sent("receiver"), sent=(BOLTS, CABLE)),
        """
        Not booked in: a quantity alone doesn't tell what of k7m2 is missing.
        It should hold 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed).
        All of it is here: !fed received k7m2
        If not: !fed missing k7m2, then a superuser settles it.
        """,
    ),
    "not all of it came, and the rest is asked about": (
        say(messages.parcel.no_parcel_for_us, subject=SHORT, us=BETA, peer_name="attraktor"),
        """
        Nothing to book in: 10 × M3 bolt (k7m2) isn't on its way to betaspace.
        Of it 3 × M3 bolt did not arrive. Found by now? A superuser of attraktor says so: !fed resolve k7m2
        """,
    ),
    "the card when not all of it came": (
        say(messages.transfer_card.transfer_card, transfer=SHORT, us=BETA, peer_name="attraktor", people=[]),
        """
        ✅ Done in part: 7 × M3 bolt went from attraktor to betaspace, to keep.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        Came by parcel, received by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: Laser room
        At attraktor: taken out of stock #12, with customer betaspace
        ⚠ Did not arrive: 3 × M3 bolt, says Bea. A superuser of attraktor settles it: !fed resolve

        Reply here with: !fed show
        k7m2
        """,
    ),
    "its end, once the rest is settled": (
        say(messages.transfer.transfer_end, transfer=SETTLED_REST, us=ALPHA, peer_name="betaspace"),
        """
        @Anna @Bea ✅ 7 × M3 bolt is at betaspace. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        ⚠ Did not arrive: 3 × M3 bolt, says Bea. It is lost, says Anna.
        """,
    ),
    "what became of the rest": (
        say(
            messages.resolve.resolve_rest_choice,
            transfer=SETTLED_REST,
            peer_name="betaspace",
            truths=(Truth("back"), Truth("found"), Truth("lost")),
            said="gone",
        ),
        """
        k7m2: what became of 3 × M3 bolt? I did nothing yet.
        "gone" is none of these.
        1) it came back to us, or never left. Then it is in our stock again
        2) betaspace has found it. Then it is in our stock again, for you to offer it once more
        3) it is lost. Then it stays in our books as 'lost'
        Reply 1, 2 or 3 within 10 minutes; your name goes into the records.
        """,
    ),
    "the rest is back by hand": (
        say(
            messages.parcel.rest_settled,
            transfer=SETTLED_REST,
            truth=Truth("back"),
            us=ALPHA,
            peer_name="betaspace",
            items=((THREE, 0),),
        ),
        """
        Settled: 3 × M3 bolt is back. Please put it into attraktor's stock by hand.
        """,
    ),
    "the rest was found": (
        say(
            messages.parcel.rest_settled,
            transfer=SETTLED_REST,
            truth=Truth("found"),
            us=ALPHA,
            peer_name="betaspace",
            items=((THREE, 77),),
        ),
        """
        Settled: 3 × M3 bolt is back. It is in attraktor's stock again.
        To give it to betaspace for good: !fed push 3 #77 to beta
        """,
    ),
    "the rest is lost": (
        say(
            messages.parcel.rest_settled,
            transfer=SETTLED_REST,
            truth=Truth("lost"),
            us=ALPHA,
            peer_name="betaspace",
            items=((THREE, 77),),
        ),
        """
        Settled: 3 × M3 bolt is lost, and stays in attraktor's books as 'lost'.
        """,
    ),
    "the rest has to be taken back by hand": (
        say(
            messages.parcel.rest_by_hand,
            transfer=sent("sender"),
            line=THREE,
            item=43,
            problem=Plain(Fault.ALL_OR_NOTHING),
        ),
        """
        ⚠ 3 × M3 bolt did not arrive (k7m2): please take it back by hand.
        Why: This InvenTree can only take back all of a stock item.
        In InvenTree: return it from the customer out of stock #43, with the status 'lost'.
        Then say what became of it: !fed resolve k7m2
        """,
    ),
    "the rest keeps its status": (
        say(messages.parcel.rest_has_its_old_status, transfer=sent("sender"), item=77, problem=SAYS_NO),
        """
        ⚠ Stock #77 is still 'lost' (k7m2): please change its status.
        Why: InvenTree said: You do not have permission.
        """,
    ),
    "a typed yes, by parcel": (
        say(
            messages.approval.noted_in_grace,
            subject=transfer(BOLTS),
            choice=Choice.PARCEL,
            seconds=timedelta(seconds=5),
        ),
        """
        Noted: yes to 10 × M3 bolt (k7m2), by parcel. It counts in 5 seconds.
        To take it back until then, reply: !fed cancel
        """,
    ),
    "a typed word that it is here": (
        say(
            messages.approval.noted_in_grace,
            subject=sent("receiver"),
            choice=Choice.PARCEL,
            seconds=timedelta(seconds=5),
        ),
        """
        Noted: 10 × M3 bolt (k7m2) is here. It is booked in after 5 seconds.
        To take it back until then, reply: !fed cancel
        """,
    ),
    "what the receiver can say": (
        say(
            messages.resolve.resolve_choice,
            transfer=MISSING,
            us=BETA,
            peer_name="attraktor",
            seen={},
            truths=(Truth("come"), Truth("never")),
            said="",
        ),
        """
        k7m2: what became of 10 × M3 bolt (M3-BOLT)? I did nothing yet.
        betaspace's InvenTree shows nothing of it now.
        1) it came after all. Then it is booked in now
        2) it has not come. Then attraktor says whether it came back, or is lost
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        """,
    ),
    "what the giver can say": (
        say(
            messages.resolve.resolve_choice,
            transfer=replace(MISSING, role="sender"),
            us=ALPHA,
            peer_name="betaspace",
            seen={},
            truths=(Truth("arrived"), Truth("back"), Truth("lost")),
            said="",
        ),
        """
        k7m2: what became of 10 × M3 bolt (M3-BOLT)? I did nothing yet.
        attraktor's InvenTree shows nothing of it now.
        betaspace's superusers can say it for sure; here it is on your word alone.
        1) betaspace has it. Then it is done, on your word
        2) the parcel came back to us. Then it is in our stock again, on your word
        3) the parcel is lost. Then it is ours again, with the status 'lost', on your word
        Reply 1, 2 or 3 within 10 minutes; your name goes into the records.
        """,
    ),
    "settled: the others say more": (
        say(
            messages.resolve.resolved,
            transfer=replace(MISSING, state=TransferState.REFUSED, dispute=None, settled=Settlement(BY_BEA, "never")),
            truth=Truth("never"),
            us=BETA,
            peer_name="attraktor",
        ),
        """
        Settled: k7m2, 10 × M3 bolt.
        Settled by Bea (betaspace), Tue 24 Nov, 20:31
        The parcel did not arrive; its sender says whether it is back, or lost.
        """,
    ),
    "settled: lost": (
        say(
            messages.resolve.resolved,
            transfer=replace(LOST, role="sender"),
            truth=Truth("lost"),
            us=ALPHA,
            peer_name="betaspace",
        ),
        """
        Settled: k7m2, 10 × M3 bolt.
        Settled by Anna (attraktor), Tue 24 Nov, 20:14
        The parcel did not arrive; it stands in its sender's books again.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
