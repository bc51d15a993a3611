"""Two bots' messages about one connection: losses and crossings are repaired, and then both fall silent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import SendEnvelope
from fedbot.rules.model.lifecycles import ConnectionState, Ending
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.state import State, Turn
from fedbot.rules.wire import Draft, Envelope
from tests.fakes.archive import RememberedArchive

START = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
ROOM = "!room"


ID = f"{'2' * 20}-connection"


class Side:
    """One party: its state, and the effect of messages on it."""

    def __init__(self, party: str, peer: str) -> None:
        us = PartyConfig(party=party, name=party, bot=f"@{party}:x", key="ab" * 32, rooms=(ROOM,))
        self.state = State(
            us, lambda _sealed, _bound: {}, lambda purpose: sha256(purpose.encode()).hexdigest(), RememberedArchive()
        )
        self.now = START
        asked = Signature("@anna:x", "Anna", party, START)
        turn = self.turn()
        turn.save(
            Connection(
                id=ID,
                code="k7m2",
                peer=peer,
                peer_name=peer,
                peer_bot=f"@{peer}:x",
                peer_key="cd" * 32,
                room=ROOM,
                generation=1,
                state=ConnectionState.ACTIVE,
                asked=asked,
                ours=True,
                access="relayed",
                due=START + timedelta(days=7),
            )
        )
        self.state.apply(turn)

    def turn(self) -> Turn:
        return Turn(self.state, self.now)

    @property
    def exchange(self) -> Exchange:
        connection = self.turn().connection(ID)
        assert connection is not None
        return connection.exchange

    def waits(self) -> bool:
        return self.exchange.awaiting

    def sends(self, body: bodies.Body, *, awaits: bool = True) -> list[Draft]:
        turn = self.turn()
        connection = turn.connection(ID)
        assert connection is not None
        turn.save(sequencing.send(turn, connection, body, awaits=awaits))
        return self._done(turn)

    def reads(self, draft: Draft, sender: str) -> list[Draft]:
        """Its answers to a message."""
        turn = self.turn()
        connection = turn.connection(ID)
        assert connection is not None
        envelope = Envelope(
            v=1, id=f"{sender}{draft.number}", kind=draft.kind, sender=sender, to=draft.to, room=ROOM,
            subject=draft.subject, subject_kind=draft.subject_kind, seq=draft.number, terms_hash="",
            raw_body=draft.body, sent_at=self.now, key="", sig="",
        )  # fmt: skip
        read = sequencing.read(turn, connection, bodies.parse(envelope))
        if read is not None:
            turn.save(read)
        return self._done(turn)

    def a_minute_passes(self) -> list[Draft]:
        self.now += timedelta(minutes=1)
        turn = self.turn()
        connection = turn.connection(ID)
        assert connection is not None
        turn.save(sequencing.resend_due(turn, connection))
        return self._done(turn)

    def _done(self, turn: Turn) -> list[Draft]:
        self.state.apply(turn)
        return [effect.draft for effect in turn.effects if isinstance(effect, SendEnvelope)]


def exchanged(alpha: Side, beta: Side, to_beta: list[Draft], to_alpha: list[Draft], most: int = 20) -> int:
    """Carry messages back and forth until nobody writes any more; return how many were carried."""
    carried = 0
    while to_beta or to_alpha:
        carried += len(to_beta) + len(to_alpha)
        assert carried <= most, "they go on for ever"
        answers_of_beta = [answer for draft in to_beta for answer in beta.reads(draft, "alpha")]
        answers_of_alpha = [answer for draft in to_alpha for answer in alpha.reads(draft, "beta")]
        to_beta, to_alpha = answers_of_alpha, answers_of_beta
    return carried


def test_messages_that_crossed_are_repeated_once_and_then_both_fall_silent() -> None:
    alpha, beta = Side("alpha", "beta"), Side("beta", "alpha")
    assert exchanged(alpha, beta, alpha.sends(bodies.Ready()), beta.sends(bodies.Ready())) == 2
    assert alpha.waits()
    assert beta.waits(), "neither knows that its own was read"
    exchanged(alpha, beta, alpha.a_minute_passes(), beta.a_minute_passes(), most=6)
    assert not alpha.waits()
    assert not beta.waits()
    assert alpha.a_minute_passes() == beta.a_minute_passes() == []


def test_a_lost_message_is_sent_again() -> None:
    alpha, beta = Side("alpha", "beta"), Side("beta", "alpha")
    alpha.sends(bodies.Ready())
    assert beta.exchange.seen == 0
    exchanged(alpha, beta, alpha.a_minute_passes(), [])
    assert beta.exchange.seen == 1
    alpha.now += timedelta(minutes=10)
    exchanged(alpha, beta, alpha.a_minute_passes(), [])
    assert not alpha.waits()


def test_a_lost_answer_is_given_again_when_the_query_is_repeated() -> None:
    alpha, beta = Side("alpha", "beta"), Side("beta", "alpha")
    for draft in alpha.sends(bodies.Ready()):
        beta.reads(draft, "alpha")
    beta.sends(bodies.Ready())
    beta.now += timedelta(minutes=1)
    carried = exchanged(alpha, beta, alpha.a_minute_passes(), [])
    assert alpha.exchange.seen == 1
    assert not alpha.waits()
    assert carried <= 4


def test_a_message_that_need_not_arrive_is_not_waited_for() -> None:
    alpha, beta = Side("alpha", "beta"), Side("beta", "alpha")
    exchanged(alpha, beta, [*alpha.sends(bodies.Ready()), *alpha.sends(bodies.Noted(), awaits=False)], [])
    exchanged(alpha, beta, alpha.a_minute_passes(), [])
    assert not alpha.waits(), "'noted' is never answered, so it would be sent every day for ever"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("approve", {"by": "@a:x"}),
        ("stats-ask", {"days": "7"}),
        ("credentials", {"url": "https://x"}),
        ("declined", {"reason": "no", "generation": 0}),
        ("extended", {"by": "@a:x", "by_name": "a", "until": date(9999, 1, 1)}),
    ],
)
def test_a_message_that_its_reader_would_refuse_is_never_written(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        bodies.KINDS[kind](**fields)


@pytest.mark.parametrize(
    "body",
    [
        bodies.Noted(),
        bodies.Extended(by="@a:x", by_name="A", until=date(2026, 12, 19)),
        bodies.Closed(by="@a:x", by_name="A", how=Ending.GIFT, lines=(2, 3)),
        bodies.Stats(days=30, problem="later", again=START),
        bodies.Received(
            items=(bodies.BookedIn(number=1, quantity=Decimal("1.50")),),
            refused=(),
            settled=bodies.Settled(truth="sent"),
        ),
    ],
    ids=lambda body: body.kind,
)
def test_a_message_of_ours_is_read_as_it_was_meant(body: bodies.Body) -> None:
    assert type(body).model_validate(json.loads(json.dumps(body.to_json()))) == body
