"""A peer that signs bodies of any shape: malformed ones never reach a rule, and no rule raises for well-formed ones."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedbot.commands.registry import Registry
from fedbot.rules import budgets, wire
from fedbot.rules.dispatch import decide
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.effects import Post
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.sequencing import bound_to
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.state import State
from fedbot.rules.wire import BadEnvelope, Identity, canonical, check, seal, wire_time
from tests.fakes.archive import RememberedArchive
from tests.protocol.samples import HEX, SAMPLES
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing

SEALED: dict[str, dict[str, Any]] = {
    "stats": {"parts": 3, "open": 1, "given": {"lines": 1, "pieces": "5"}},
    "find-ask": {"words": "nut"},
    "want": {"word": "M3-NUT", "quantity": "5", "note": "for the camp"},
    "wait": {"word": "M3-NUT", "quantity": "5"},
    "find": {
        "shared": 1,
        "cut": False,
        "hits": [
            {"item": 1, "name": "Nut", "ipn": "N", "units": "", "quantity": "5", "flawed": "0", "condition": "OK"}
        ],
    },
    "books": {"lines": [], "pasts": []},
    "offer": {"metadata": {"1": "{}"}},
    "sent": {"metadata": {"1": "{}"}},
}
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**53 - 1)
    | st.text(max_size=12)
    | st.sampled_from(["@a:b", "x" * 600, "1E-1999999999", "0E+1999999999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@dataclass(frozen=True)
class Moment:
    """One side's whole state, the subject, and the sender."""

    state: State
    now: datetime
    reader: Space
    writer: Space
    subject: Connection | Transfer
    room: str


def _moments(world: World) -> list[Moment]:
    found = []
    for reader, writer in ((world.alpha, world.beta), (world.beta, world.alpha)):
        known = reader.bot.engine.state
        archive = RememberedArchive()
        archive.posts.update(reader.journal.posts())
        documents = [*known.everything(), *reader.journal.newest()]
        archive.keeps({(type(document).__name__, document.id): document for document in documents})
        state = State(known.us, known.unseal, known.nonce, archive)
        state.take_over({(type(document).__name__, document.id): document for document in documents})
        subjects = [document for document in documents if isinstance(document, Connection | Transfer)]
        found += [Moment(state, world.clock.now(), reader, writer, each, world.room.id) for each in subjects]
    return found


async def _story() -> list[Moment]:
    """The states between two spaces in order: requested, decided, in transit, lent, disputed, over."""
    world = World()
    await world.start()
    await world.asks_to_connect()
    moments = _moments(world)
    world = await friends()
    for line in ("!fed push M3-NUT 10 to betaspace", "!fed lend M3-NUT 5 to betaspace until 2027-01-01"):
        world.anna.says(line)
        await world.settle()
        moments += _moments(world)
        world.cem.reacts(world.card(), "✅")
        await world.grace()
        moments += _moments(world)
    world.anna.says("!fed push M3-NUT 3 to betaspace")
    await world.settle()
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    moments += _moments(world)
    world = await sharing()
    world.cem.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    moments += _moments(world)
    world.cem.says("!fed disconnect attraktor")
    world.cem.says("1")
    await world.settle()
    return moments + _moments(world)


@cache
def moments() -> list[Moment]:
    """Made once, because decisions don't change a state."""
    return asyncio.run(_story())


def _unheard_of(moment: Moment) -> Moment:
    """The same before the reader knew the transfer: it is requested now, under a number of its own."""
    known = moment.state
    state = State(known.us, known.unseal, known.nonce, known.archive)
    kept = [document for document in known.everything() if document is not moment.subject]
    state.take_over({(type(document).__name__, document.id): document for document in kept})
    assert isinstance(moment.subject, Transfer)
    return replace(moment, state=state, subject=replace(moment.subject, exchange=Exchange()))


def _sample(moment: Moment, kind: str) -> dict[str, Any]:
    body = copy.deepcopy(SAMPLES[kind])
    if isinstance(moment.subject, Transfer) and kind in {"offer", "request", "granted", "noted"}:
        body["terms"] = to_json(moment.subject.terms)
        if moment.subject.opening is not None and kind in {"offer", "request"}:
            body["opening"] = wire.opening_json(moment.subject.opening)
    return {"seen": moment.subject.exchange.sent, "past": HEX, "awaits": True, **body}


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


def _mutated(draw: st.DrawFn, body: dict[str, Any]) -> dict[str, Any]:
    """The body with up to three places replaced, removed, or added to."""
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        place = draw(st.sampled_from(_places(body)))
        if not place:
            body[draw(st.text(max_size=8) | st.sampled_from(sorted(body) or ["x"]))] = draw(JUNK)
            continue
        container: Any = body
        for key in place[:-1]:
            container = container[key]
        if draw(st.booleans()):
            container[place[-1]] = draw(JUNK)
        else:
            del container[place[-1]]
    return body


def _signed(writer: Identity, moment: Moment, kind: str, number: int, body: dict[str, Any]) -> dict[str, Any]:
    subject = moment.subject
    content = {
        "v": 1,
        "id": "a" * 20,
        "kind": kind,
        "from": moment.writer.party,
        "to": moment.reader.party,
        "room": moment.room,
        subject.subject_kind: subject.id,
        "seq": number,
        "body": body,
        "key": writer.key,
        "terms_hash": subject.terms_hash if isinstance(subject, Transfer) else "",
        "sent_at": wire_time(moment.now - timedelta(seconds=1)),
    }
    return {**content, "sig": writer.sign(canonical(content))}


@st.composite
def letters(draw: st.DrawFn, kind: str) -> tuple[Moment, dict[str, Any]]:
    """A properly signed next message of the peer with a body of any shape, also in its sealed part."""
    about = "connection" if budgets.MESSAGES[kind][0] != "about a transfer" else "transfer"
    suitable = [each for each in moments() if each.subject.subject_kind == about]
    moment = draw(st.sampled_from(suitable))
    if kind in {"offer", "request"}:
        moment = _unheard_of(moment)
    number = draw(st.sampled_from([moment.subject.exchange.seen + 1] * 5 + [0, 1]))
    body = _sample(moment, kind)
    if kind in SEALED:
        sealed = _mutated(draw, copy.deepcopy(SEALED[kind]))
        binding = bound_to(moment.writer.party, moment.reader.party, moment.subject.id, number)
        body["sealed"] = seal(moment.reader.identity.key, sealed, bound_to=binding)
    return moment, _signed(moment.writer.identity, moment, kind, number, _mutated(draw, body))


def test_every_kind_has_a_sample_that_is_understood() -> None:
    assert SAMPLES.keys() == bodies.KINDS.keys()
    about = next(moment for moment in moments() if isinstance(moment.subject, Transfer))
    for kind in SAMPLES:
        bodies.parse(check(_signed(about.writer.identity, about, kind, 1, _sample(about, kind))))


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_rule_raises_whatever_a_peer_signs(kind: str, data: st.DataObject) -> None:
    moment, content = data.draw(letters(kind))
    event = EnvelopeSeen(moment.room, "$theirs", moment.writer.chat.user_id, moment.now, content)
    turn = decide(moment.state, event, Registry(), moment.now)
    try:
        bodies.parse(check(content))
    except BadEnvelope:
        changed = [after for after in turn.changes.values() if isinstance(after, Connection | Transfer)]
        assert changed == []
        assert len([effect for effect in turn.effects if isinstance(effect, Post)]) == len(turn.effects) <= 1


async def test_a_malformed_body_is_answered_politely_once_a_day_and_noted() -> None:
    world = await friends()
    found = [each for each in _moments(world) if each.reader is world.beta and isinstance(each.subject, Connection)]
    before = world.beta.connection()
    for number in range(3):
        content = _signed(world.alpha.identity, found[0], "renewed", before.exchange.seen + 1, {"problem": [number]})
        sender, wrapped = world.alpha.chat.user_id, {"dev.fedbot": content}
        world.server.send(sender, world.room.id, "dev.fedbot.envelope", wrapped, device="x", transaction=f"{number}")
        await world.settle()
    assert world.beta.connection() == before
    notices = [message for message in world.room.messages() if "I can't read the message from @" in message.text]
    assert len(notices) == 1
    assert "body.problem" in notices[0].text
    assert world.beta.bot.engine.failures == 0
