"""Every later version reads each recorded message the same. It ignores unknown fields, except those that people agree
to.

`dialogue/test_unknown_messages` tests unknown kinds and other versions.
"""

from __future__ import annotations

import json

import pytest

from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import hash_of
from fedbot.rules.wire import BadEnvelope, check, sign
from tests.protocol import vectors

KINDS = sorted(path.stem for path in vectors.FOLDER.glob("*.json"))


def _holds(recorded: object, now: object) -> bool:
    """Whether everything that was read then is read now; there may be new fields."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return all(name in now and _holds(value, now[name]) for name, value in recorded.items())
    if isinstance(recorded, list) and isinstance(now, list):
        return len(recorded) == len(now) and all(map(_holds, recorded, now))
    return recorded == now


def test_every_kind_has_a_vector() -> None:
    missing = sorted(bodies.KINDS.keys() - set(KINDS))
    assert not missing, f"give each a body in tests/protocol/samples.py, then run: python -m tests.protocol ({missing})"
    assert not set(KINDS) - bodies.KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_message_is_verified_and_read_as_it_was(kind: str) -> None:
    vector = vectors.kept(kind)
    envelope = check(vector["message"])
    assert envelope.wire() == vector["message"]
    assert _holds(vector["read"], vectors.read(envelope))
    terms = getattr(bodies.parse(envelope).body, "terms", None)
    assert envelope.terms_hash == ("" if terms is None else hash_of(terms))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_message_is_still_written_like_the_recorded_one(kind: str) -> None:
    """Bots of the recording version read our messages, and compute the same hash of the terms."""
    assert vectors.signed(kind, vectors.body_of(kind)) == vectors.kept(kind)["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_of_a_body_is_ignored_and_one_of_the_envelope_refused(kind: str) -> None:
    recorded = vectors.kept(kind)
    body = recorded["message"]["body"]
    assert _holds(recorded["read"], vectors.read(check(vectors.signed(kind, {**body, "of_tomorrow": ["x"]}))))
    with pytest.raises(BadEnvelope, match="fields"):
        sign(vectors.SENDER, {**recorded["message"], "of_tomorrow": "x"})


@pytest.mark.parametrize("kind", sorted(vectors.WITH_TERMS))
@pytest.mark.parametrize("place", ["terms", "line", "description"])
def test_an_unknown_field_inside_the_terms_is_refused(kind: str, place: str) -> None:
    body = json.loads(json.dumps(vectors.kept(kind)["message"]["body"]))
    line = body["terms"]["lines"][0]
    {"terms": body["terms"], "line": line, "description": line["description"]}[place]["of_tomorrow"] = "x"
    with pytest.raises(BadEnvelope):
        vectors.read(check(vectors.signed(kind, body)))
