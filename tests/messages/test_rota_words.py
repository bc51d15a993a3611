"""A request from anyone, as people read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.rota import AskedInTurn, Candidate, Passed, Rota, RotaState, Why
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import BETA, BOLTS, BY_BEA, BY_PIET, CEM, NOW, ROOM, plain, request

ROTA = Rota(
    id="r3n8abcdefghjkmnpqrs",
    code="r3n8",
    event_id="$line",
    asker=Signature(CEM, "Cem", "beta", NOW, "$line", "cem"),
    room=ROOM,
    key="rota:r3n8abcdefghjkmnpqrs",
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
    return say(messages.rota.rota_page, rota=rota, us=BETA, asked=entries, names=NAMES)


SAID: dict[str, tuple[Phrase, str]] = {
    "lost with the journal": (
        say(messages.rota.rota_lost, transfer=ASKED, us=BETA, peer_name="attraktor"),
        """
        @Bea: I take back your request to attraktor for 10 × M3 bolt (M3-BOLT). k7m2
        You asked anyone for it. My journal was lost: I don't know whom else, and it could come twice.
        Nothing has moved. Ask again: !fed request … from anyone
        """,
    ),
    "one is asked, one waits, two are passed over": (
        page(
            (ASKED, None),
            waiting=(Candidate("gamma", Decimal(75)),),
            passed=(Passed("delta", Why.TOO_LITTLE, Decimal(4)), Passed("omega", Why.SILENT_SEARCH)),
        ),
        """
        Asking for 10 × M3-BOLT, to keep: one space after the other. r3n8
        • Attraktor: asked for 10. Its approvers decide until Tue 1 Dec, 20:14 (k7m2).
        • Gammaspace: has 75; I'll ask there next.
        • Deltaspace: has only 4.
        • Omega: its bot did not answer the search within 20 seconds.
        After a no, or 1 day of silence, I ask the next. To stop: !fed cancel r3n8
        """,
    ),
    "it is granted and confirmed": (
        page((CONFIRMED, None)),
        """
        Asking for 10 × M3-BOLT, to keep: one space after the other. r3n8
        • Attraktor: gives 10. I confirmed; it goes by itself now (k7m2).
        To stop: !fed cancel r3n8
        """,
    ),
    "it is here": (
        page((replace(CONFIRMED, state=TransferState.DONE), None), state=RotaState.FILLED),
        """
        ✅ 10 × M3-BOLT found, to keep. r3n8
        • Attraktor: gave 10 (k7m2).
        """,
    ),
    "silence, a no, and what can't go": (
        page(
            (replace(ASKED, wanted="cancel"), Why.SILENT),
            (replace(ASKED, state=TransferState.DECLINED, decided=BY_BEA), None),
            (replace(ASKED, state=TransferState.DECLINED, problem="too-little"), None),
            (replace(ASKED, wanted="cancel"), Why.LESS),
            state=RotaState.NOBODY,
        ),
        """
        Nobody can give 10 × M3-BOLT now. r3n8
        • Attraktor: didn't decide within 1 day, so I took it back (k7m2).
        • Attraktor: no, says Bea (k7m2).
        • Attraktor: Attraktor has some of it, but not that much free. (k7m2)
        • Attraktor: can give only 10, so I took it back (k7m2).
        Nothing has moved. Look who has what: !fed find M3-BOLT
        """,
    ),
    "nobody has it": (
        page(state=RotaState.NOBODY),
        """
        Nobody can give 10 × M3-BOLT now. r3n8
        Nobody who answered has that much of it free under this name.
        Nothing has moved. Look who has what: !fed find M3-BOLT
        """,
    ),
    "the end, for who asked": (
        say(messages.rota.nobody_gives_it, rota=ROTA, us=BETA),
        """
        @Cem: nobody can give 10 × M3-BOLT now. r3n8
        My message above says who was asked, and what they said. Nothing has moved.
        """,
    ),
    "stopped too late for one": (
        say(messages.rota.rota_stopped, rota=ROTA, coming=("Attraktor",)),
        """
        Stopped: 10 × M3-BOLT. I take back what I asked. r3n8
        Attraktor had agreed already: if it has left its stock, it still comes.
        """,
    ),
    "nothing to stop": (
        say(messages.rota.rota_is_over, rota=ROTA),
        "Nothing to stop: 10 × M3-BOLT isn't asked for any more. r3n8",
    ),
    "one certain item": (
        say(messages.rota.from_anyone_needs_a_name, word="#42"),
        """
        Not asked: "#42" is one certain item of one space.
        From anyone I can ask by IPN or part name: !fed request 20 M3-BOLT from anyone
        """,
    ),
    "several items": (
        say(messages.rota.one_item_from_anyone, count=2),
        """
        Not asked: those are 2 items. From anyone, I ask for one item at a time.
        Write a line for each: !fed request 20 M3-BOLT from anyone
        """,
    ),
    "an option without anyone": (
        say(messages.rota.only_from_anyone, word="--all"),
        """
        Not asked: --all only goes with 'from anyone'.
        For example: !fed request 20 M3-BOLT from anyone --all
        """,
    ),
    "no friends": (
        say(messages.rota.no_friends_to_ask),
        """
        Not asked: we have no friends in this room.
        A superuser can change that: !fed connect SPACE
        """,
    ),
    "too many at once": (
        say(messages.rota.too_many_rotas, count=20),
        """
        Not asked: 20 requests from anyone are running already.
        Stop one that nobody needs any more: !fed cancel ID
        """,
    ),
}


@pytest.mark.parametrize(("phrase", "words"), SAID.values(), ids=SAID)
def test_as_people_read_it(phrase: Phrase, words: str) -> None:
    assert plain(phrase) == dedent(words).strip()


def test_of_many_spaces_the_first_are_told() -> None:
    many = tuple(Passed("delta", Why.HIDDEN) for _ in range(12))
    assert "• and 4 more spaces" in plain(page(passed=many)).splitlines()
