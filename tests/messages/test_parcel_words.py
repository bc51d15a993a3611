"""Sentences about a parcel: in transit, awaited, arrived, missing, lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Choice, Decision, DecisionStage, Parcel, Settlement
from fedbot.rules.model.diagnosis import Fault, ItemFault, OfItem, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Dispute, Progress, Transfer
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
    LOCALES,
    NOW,
    PEOPLE,
    SAYS_NO,
    plain,
    request,
    transfer,
)

SENT = TransferState.SENT


def sent(role: str) -> Transfer:
    """Ten bolts in transit from attraktor to betaspace."""
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

SEVEN_BOLTS = Decision(
    Choice.PARCEL, BEA, "bea", "$line", DecisionStage.GRACE, NOW, reply_to="$line", came=((1, Decimal(7)),)
)
PART_IS_HERE = replace(
    transfer(BOLTS, replace(CABLE, number=2, part=77), state=SENT, decided=BY_BEA),
    parcel=Parcel(left=NOW),
    decision=SEVEN_BOLTS,
)

SAID: dict[str, Phrase] = {
    "it left: the giver posts it": say(
        messages.parcel.parcel_left, transfer=sent("sender"), us=ALPHA, peer_name="betaspace"
    ),
    "it left: who asked waits for it": say(
        messages.parcel.parcel_left, transfer=REQUESTED, us=ALPHA, peer_name="betaspace"
    ),
    "the card while it is on its way": say(
        messages.transfer_card.transfer_card, transfer=sent("receiver"), us=BETA, peer_name="attraktor", people=[]
    ),
    "the owner's card while it is on its way": say(
        messages.transfer_card.transfer_card, transfer=REQUESTED, us=ALPHA, peer_name="betaspace", people=[]
    ),
    "the card of an offer by parcel": say(
        messages.transfer_card.transfer_card, transfer=OFFERED, us=BETA, peer_name="attraktor", people=PEOPLE
    ),
    "the card when it has come": say(
        messages.transfer_card.transfer_card, transfer=HERE, us=BETA, peer_name="attraktor", people=[]
    ),
    "the card when it never came": say(
        messages.transfer_card.transfer_card, transfer=MISSING, us=BETA, peer_name="attraktor", people=[]
    ),
    "the card when it is lost": say(
        messages.transfer_card.transfer_card, transfer=LOST, us=BETA, peer_name="attraktor", people=[]
    ),
    "it is said to be missing": say(
        messages.resolve.transfer_disputed, transfer=MISSING, us=BETA, peer_name="attraktor"
    ),
    "here, but InvenTree won't have it": say(
        messages.parcel.parcel_not_booked_in,
        transfer=MISSING,
        person=BEA,
        name="Bea",
        problem=OfItem(ItemFault.VIRTUAL, 12),
    ),
    "missing, said once more": say(messages.parcel.parcel_missing_already, transfer=MISSING),
    "the answer to that": say(messages.parcel.parcel_noted_missing, transfer=MISSING),
    "missing, but it isn't on its way": say(messages.parcel.no_parcel_under_way, subject=transfer()),
    "asked after": say(
        messages.parcel.parcel_reminder,
        subject=sent("receiver"),
        us=BETA,
        people={BEA: "Bea", CEM: "Cem"},
        others=1,
    ),
    "a yes when it is on its way": say(messages.parcel.parcel_is_on_its_way, subject=sent("receiver")),
    "a second yes": say(messages.parcel.parcel_has_just_left, subject=sent("receiver")),
    "it goes to the others": say(
        messages.parcel.no_parcel_for_us, subject=sent("sender"), us=ALPHA, peer_name="betaspace"
    ),
    "it isn't on its way": say(messages.parcel.no_parcel_for_us, subject=transfer(), us=BETA, peer_name="attraktor"),
    "more came than was sent": say(
        messages.parcel.not_so_much_was_sent,
        transfer=sent("receiver"),
        more=(BOLTS,),
        example="received k7m2 10 M3-BOLT",
    ),
    "of different things a number says too little": say(
        messages.parcel.which_of_it_came,
        transfer=sent("receiver"),
        sent=(BOLTS, CABLE),
        word="7",
        example="received k7m2 10 M3-BOLT",
    ),
    "missing, but of some of it": say(
        messages.parcel.say_what_came,
        transfer=sent("receiver"),
        receiver="betaspace",
        example="received k7m2 10 M3-BOLT",
    ),
    "a typed word that a part of several things is here": say(
        messages.approval.noted_in_grace,
        subject=PART_IS_HERE,
        choice=Choice.PARCEL,
        seconds=timedelta(seconds=5),
    ),
    "missing, with a reason": say(
        messages.transfer_card.transfer_card,
        transfer=replace(MISSING, parcel=Parcel(left=NOW, missing=replace(BY_BEA, note="the post has lost it"))),
        us=BETA,
        peer_name="attraktor",
        people=[],
    ),
    "received, with a note": say(
        messages.transfer_card.transfer_card,
        transfer=replace(HERE, parcel=Parcel(left=NOW, received=replace(BY_BEA, note="the box was wet"))),
        us=BETA,
        peer_name="attraktor",
        people=[],
    ),
    "not all of it came, and the rest is asked about": say(
        messages.parcel.no_parcel_for_us, subject=SHORT, us=BETA, peer_name="attraktor"
    ),
    "the card when not all of it came": say(
        messages.transfer_card.transfer_card, transfer=SHORT, us=BETA, peer_name="attraktor", people=[]
    ),
    "its end, once the rest is settled": say(
        messages.transfer_card.transfer_end, transfer=SETTLED_REST, us=ALPHA, peer_name="betaspace"
    ),
    "what became of the rest": say(
        messages.resolve.resolve_rest_choice,
        transfer=SETTLED_REST,
        peer_name="betaspace",
        truths=(Truth("back"), Truth("found"), Truth("lost")),
        said="gone",
    ),
    "the rest is back by hand": say(
        messages.parcel.rest_settled,
        transfer=SETTLED_REST,
        truth=Truth("back"),
        us=ALPHA,
        peer_name="betaspace",
        items=((THREE, 0),),
    ),
    "the rest was found": say(
        messages.parcel.rest_settled,
        transfer=SETTLED_REST,
        truth=Truth("found"),
        us=ALPHA,
        peer_name="betaspace",
        items=((THREE, 77),),
    ),
    "the rest is lost": say(
        messages.parcel.rest_settled,
        transfer=SETTLED_REST,
        truth=Truth("lost"),
        us=ALPHA,
        peer_name="betaspace",
        items=((THREE, 77),),
    ),
    "the rest is lost, and has to be taken back by hand": say(
        messages.parcel.rest_settled,
        transfer=SETTLED_REST,
        truth=Truth("lost"),
        us=ALPHA,
        peer_name="betaspace",
        items=((THREE, 0),),
    ),
    "the rest has to be taken back by hand": say(
        messages.parcel.rest_by_hand,
        transfer=sent("sender"),
        line=THREE,
        item=43,
        problem=Plain(Fault.ALL_OR_NOTHING),
    ),
    "the rest keeps its status": say(
        messages.parcel.rest_has_its_old_status, transfer=sent("sender"), item=77, problem=SAYS_NO
    ),
    "a typed yes, by parcel": say(
        messages.approval.noted_in_grace,
        subject=transfer(BOLTS),
        choice=Choice.PARCEL,
        seconds=timedelta(seconds=5),
    ),
    "a typed word that it is here": say(
        messages.approval.noted_in_grace,
        subject=sent("receiver"),
        choice=Choice.PARCEL,
        seconds=timedelta(seconds=5),
    ),
    "what the receiver can say": say(
        messages.resolve.resolve_choice,
        transfer=MISSING,
        us=BETA,
        peer_name="attraktor",
        seen={},
        truths=(Truth("come"), Truth("never")),
        said="",
    ),
    "what the giver can say": say(
        messages.resolve.resolve_choice,
        transfer=replace(MISSING, role="sender"),
        us=ALPHA,
        peer_name="betaspace",
        seen={},
        truths=(Truth("arrived"), Truth("back"), Truth("lost")),
        said="",
    ),
    "settled: the others say more": say(
        messages.resolve.resolved,
        transfer=replace(MISSING, state=TransferState.REFUSED, dispute=None, settled=Settlement(BY_BEA, "never")),
        truth=Truth("never"),
        us=BETA,
        peer_name="attraktor",
    ),
    "settled: lost": say(
        messages.resolve.resolved,
        transfer=replace(LOST, role="sender"),
        truth=Truth("lost"),
        us=ALPHA,
        peer_name="betaspace",
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
