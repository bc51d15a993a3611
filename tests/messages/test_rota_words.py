"""Sentences about a request from anyone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.catalogue import Hit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import AskedInTurn, Candidate, Passed, Rota, Why
from fedbot.rules.model.lifecycles import RotaState, TransferState
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import BETA, BOLTS, BY_BEA, BY_PIET, CEM, LOCALES, NOW, ROOM, plain, request

ROTA = Rota(
    id="r3n8abcdefghjkmnpqrs",
    code="r3n8",
    event_id="$line",
    asker=Signature(CEM, "Cem", "beta", NOW, "$line", "cem"),
    room=ROOM,
    key=MessageKind.ROTA.of("r3n8abcdefghjkmnpqrs"),
    word="M3-BOLT",
    wanted=Decimal(10),
    at=NOW,
    state=RotaState.ASKING,
)
ASKED = request(BOLTS, role="receiver")
CONFIRMED = replace(ASKED, granted=BY_PIET, wanted="approve", approved_hash="h")
NAMES = {"attraktor": "Attraktor", "gamma": "Gammaspace", "delta": "Deltaspace", "omega": "Omega"}


def page(*asked: tuple[Transfer, Why | None], state: RotaState = RotaState.ASKING, **changes: object) -> Phrase:
    entries = tuple((AskedInTurn("attraktor", t.id, Decimal(10), NOW, why), t) for t, why in asked)
    rota = replace(ROTA, state=state, asked=tuple(ask for ask, _ in entries), **changes)  # type: ignore[arg-type]  # any
    return say(messages.from_anyone.rota_page, rota=rota, us=BETA, asked=entries, names=NAMES)


SAID: dict[str, Phrase] = {
    "lost with the journal": say(messages.from_anyone.rota_lost, transfer=ASKED, us=BETA, peer_name="attraktor"),
    "one is asked, one waits, two are passed over": page(
        (ASKED, None),
        waiting=(Candidate("gamma", Decimal(75)),),
        passed=(Passed("delta", Why.TOO_LITTLE, Decimal(4)), Passed("omega", Why.SILENT_SEARCH)),
    ),
    "it is granted and confirmed": page((CONFIRMED, None)),
    "it is confirmed, and nothing comes": page(
        (replace(CONFIRMED, wanted="cancel"), Why.NOTHING_CAME),
        waiting=(Candidate("gamma", Decimal(75)),),
        stuck=CONFIRMED.code,
    ),
    "nothing came, and it is taken back, or given up": page(
        (replace(CONFIRMED, state=TransferState.CANCELLED), Why.NOTHING_CAME),
        (replace(CONFIRMED, wanted="cancel", approved_hash=""), Why.GIVEN_UP),
    ),
    "nothing came, for who asked": say(
        messages.from_anyone.nothing_came, rota=ROTA, us=BETA, transfer=CONFIRMED, peer_name="Attraktor", confirmed=NOW
    ),
    "people go on without it": say(messages.from_anyone.given_up, rota=ROTA, transfer=CONFIRMED, peer_name="Attraktor"),
    "people do without it": say(
        messages.from_anyone.given_up,
        rota=replace(ROTA, state=RotaState.STOPPED),
        transfer=CONFIRMED,
        peer_name="Attraktor",
    ),
    "it is here": page((replace(CONFIRMED, state=TransferState.DONE), None), state=RotaState.FILLED),
    "silence, a no, and what can't go": page(
        (replace(ASKED, wanted="cancel"), Why.SILENT),
        (replace(ASKED, state=TransferState.DECLINED, decided=BY_BEA), None),
        (replace(ASKED, state=TransferState.DECLINED, problem="too-little"), None),
        (replace(ASKED, wanted="cancel"), Why.LESS),
        state=RotaState.NOBODY,
    ),
    "nobody has it": page(state=RotaState.NOBODY),
    "nobody has it under that name, but under others": say(
        messages.from_anyone.nobody_has_that_name,
        rota=replace(ROTA, word="bolt"),
        hits=(Hit(4, "M3 bolt", "M3-BOLT", "", Decimal(75)), Hit(5, "", "M4-BOLT", "", Decimal(20))),
    ),
    "the end, for who asked": say(messages.from_anyone.nobody_gives_it, rota=ROTA, us=BETA),
    "stopped too late for one": say(messages.from_anyone.rota_stopped, rota=ROTA, coming=("Attraktor",)),
    "nothing to stop": say(messages.from_anyone.rota_is_over, rota=ROTA),
    "one certain item": say(messages.from_anyone.from_anyone_needs_a_name, word="#42"),
    "several items": say(messages.from_anyone.one_item_from_anyone, count=2),
    "an option without anyone": say(messages.from_anyone.only_from_anyone, word="--all"),
    "no friends": say(messages.from_anyone.no_friends_to_ask),
    "too many at once": say(messages.from_anyone.too_many_rotas, count=20),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot


def test_the_first_of_many_spaces_are_named() -> None:
    many = tuple(Passed("delta", Why.HIDDEN) for _ in range(12))
    assert "• and 4 more spaces" in plain(page(passed=many)).splitlines()
