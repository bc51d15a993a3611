"""The wire: signed content can't be changed, sealed content can't be read or moved, ids are reproducible."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import SealedBox
from nacl.signing import VerifyKey

from fedbot.rules import wire
from fedbot.rules.wire import BadEnvelope, Identity, NotCanonical, check, seal, sign, unseal

ALPHA = Identity(b"a" * 32)
BETA = Identity(b"b" * 32)
GAMMA = Identity(b"c" * 32)
HASH = wire.terms_hash({"quantity": "10"})
AT = datetime(2026, 11, 24, 20, 14, 0, 123000, tzinfo=UTC)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-wire.LARGEST_INTEGER, wire.LARGEST_INTEGER)
plain = st.recursive(
    st.none() | st.booleans() | integers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(text, plain, max_size=5)
MOMENTS = st.datetimes(max_value=datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 -- the zone is added

TRANSFER, CONNECTION = f"{'2' * 20}-push", f"{'2' * 20}-connection"


def unsigned(**changes: object) -> dict[str, Any]:
    return {
        "id": "k7m2",
        "kind": "offer",
        "from": "alpha",
        "to": "beta",
        "room": "!room:example.org",
        "transfer": TRANSFER,
        "seq": 3,
        "terms_hash": HASH,
        "body": {"lines": [{"item": 42, "quantity": "10.5"}], "awaits": True},
        "sent_at": AT,
    } | changes


# --- canonical JSON ---------------------------------------------------------------------------------------


def test_canonical_json_is_as_in_the_matrix_specification() -> None:
    # The examples of the specification's appendix "Canonical JSON".
    assert wire.canonical({}) == b"{}"
    assert wire.canonical({"one": 1, "two": "Two"}) == b'{"one":1,"two":"Two"}'
    assert wire.canonical({"b": "2", "a": "1"}) == b'{"a":"1","b":"2"}'
    assert wire.canonical({"a": "日本語"}) == '{"a":"日本語"}'.encode()
    assert wire.canonical({"本": 2, "日": 1}) == '{"日":1,"本":2}'.encode()
    assert wire.canonical({"a": "\u65e5"}) == '{"a":"日"}'.encode()
    assert wire.canonical({"a": None}) == b'{"a":null}'


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), {"a": [0.5]}, 2**53, -(2**53), {1: "a"}, {"a": "\ud800"}, Decimal(1), AT, b"bytes"],
)
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        wire.canonical(value)


@settings(deadline=None)
@given(plain)
def test_canonical_json_reads_back_as_the_same_value_and_the_same_bytes(value: object) -> None:
    written = wire.canonical(value)
    assert json.loads(written) == value
    assert wire.canonical(json.loads(written)) == written


def nested(levels: int) -> object:
    value: object = 0
    for _ in range(levels):
        value = [value]
    return value


def test_deeply_nested_data_is_noticed_without_recursion() -> None:
    assert wire.is_shallow(nested(wire.DEEPEST))
    assert not wire.is_shallow(nested(wire.DEEPEST + 1))
    assert not wire.is_shallow(nested(100_000))


# --- signing ----------------------------------------------------------------------------------------------


def test_a_signed_envelope_is_read_back_unchanged() -> None:
    signed = sign(ALPHA, unsigned())
    read = check(signed)
    assert (read.v, read.kind, read.sender, read.to, read.seq) == (1, "offer", "alpha", "beta", 3)
    assert (read.subject_kind, read.subject) == ("transfer", TRANSFER)
    assert read.key == ALPHA.key
    assert read.sent_at == AT
    assert read.raw_body == unsigned()["body"]
    assert read.wire() == signed


@settings(deadline=None)
@given(body=bodies, seq=st.integers(0, wire.LARGEST_INTEGER), sent_at=MOMENTS)
def test_every_envelope_survives_the_room(body: dict[str, Any], seq: int, sent_at: datetime) -> None:
    sent_at = max(sent_at, datetime(1970, 1, 1, tzinfo=UTC))
    signed = sign(ALPHA, unsigned(body=body, seq=seq, sent_at=sent_at))
    arrived = json.loads(json.dumps(signed))
    read = check(arrived)
    assert read.raw_body == body
    assert read.seq == seq
    assert timedelta(0) <= sent_at - read.sent_at < timedelta(milliseconds=1)
    assert read.wire() == signed


@pytest.mark.parametrize("subject", ["transfer", "connection", None])
def test_an_envelope_is_about_one_transfer_or_one_connection_or_neither(subject: str | None) -> None:
    fields = unsigned()
    del fields["transfer"]
    identifier = CONNECTION if subject == "connection" else TRANSFER
    if subject:
        fields[subject] = identifier
    read = check(sign(ALPHA, fields))
    assert (read.subject_kind, read.subject) == ((subject, identifier) if subject else ("", ""))
    with pytest.raises(BadEnvelope, match="fields"):
        sign(ALPHA, unsigned(transfer=TRANSFER, connection=CONNECTION))


def every_changed_byte(written: bytes) -> list[bytes]:
    return [
        written[:place] + bytes([other]) + written[place + 1 :]
        for place in range(len(written))
        for other in (written[place] ^ 1, written[place] ^ 0x20)
    ]


def test_an_envelope_with_any_byte_changed_is_refused() -> None:
    written = wire.canonical(sign(ALPHA, unsigned(body={"quantity": "10", "note": "für Bea"})))
    original = json.loads(written)
    read_as_something_else = 0
    for changed in every_changed_byte(written):
        try:
            raw = json.loads(changed)
        except ValueError:
            continue
        if raw == original:  # a space that changes nothing that counts
            continue
        read_as_something_else += 1
        with pytest.raises(BadEnvelope):
            check(raw)
    assert read_as_something_else > len(written)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_an_envelope_with_any_value_replaced_is_refused(data: st.DataObject) -> None:
    signed = sign(ALPHA, unsigned())
    name = data.draw(st.sampled_from(sorted(signed)))
    changed = signed | {name: data.draw(plain | st.floats() | st.from_regex(r"[0-9a-f]{64}|[0-9a-f]{128}"))}
    if changed == signed and type(changed[name]) is type(signed[name]):
        return
    with pytest.raises(BadEnvelope):
        check(changed)


def test_a_field_added_or_left_out_is_refused() -> None:
    signed = sign(ALPHA, unsigned())
    with pytest.raises(BadEnvelope, match="fields"):
        check(signed | {"extra": 1})
    for name in signed.keys() - {"v", "transfer"}:
        with pytest.raises(BadEnvelope, match="fields"):
            check({other: value for other, value in signed.items() if other != name})
    with pytest.raises(BadEnvelope, match="signature"):
        check({name: value for name, value in signed.items() if name != "transfer"})


def test_a_signature_by_another_key_or_over_another_envelope_is_refused() -> None:
    signed = sign(ALPHA, unsigned())
    with pytest.raises(BadEnvelope, match="signature"):
        check(signed | {"key": BETA.key})
    with pytest.raises(BadEnvelope, match="signature"):
        check(signed | {"sig": sign(ALPHA, unsigned(seq=4))["sig"]})


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    signed = sign(ALPHA, unsigned())
    for name in ("sig", "key"):
        with pytest.raises(BadEnvelope, match=f"field:{name}"):
            check(signed | {name: signed[name].upper()})
        with pytest.raises(BadEnvelope, match=f"field:{name}"):
            check(signed | {name: signed[name] + "\n"})


def test_an_unknown_version_is_recognised_whatever_else_it_holds() -> None:
    for version in (2, 0, "1", None, True, 1.0):
        with pytest.raises(BadEnvelope) as caught:
            check({"v": version, "what": "ever"})
        assert caught.value.reason == "version"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "Offer!"),
        ("from", "Al pha"),
        ("from", ""),
        ("from", "alpha\n"),
        ("to", "x" * 32),
        ("room", "#alias:example.org"),
        ("transfer", ""),
        ("transfer", "k7m2"),
        ("transfer", CONNECTION),
        ("transfer", f"{'2' * 20}-loan"),
        ("transfer", f"{'2' * 20}-push\n"),
        ("terms_hash", "abc"),
        ("seq", -1),
        ("seq", True),
        ("sent_at", -1),
        ("sent_at", 10**15),
        ("sent_at", 253_402_300_799_999),  # New Year's Eve of 9999 can't be shown in Tokyo
        ("body", []),
    ],
)
def test_a_malformed_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(BadEnvelope) as caught:
        sign(ALPHA, unsigned(**{field: value}))
    assert caught.value.reason == f"field:{field}"


@pytest.mark.parametrize("raw", [None, [], "text", 3, {}, {"v": 1}, {1: 2, "v": 1}])
def test_a_value_that_is_no_envelope_is_refused(raw: object) -> None:
    with pytest.raises(BadEnvelope):
        check(raw)


def test_a_peer_that_nests_too_deep_is_refused_without_a_stack_overflow() -> None:
    with pytest.raises(BadEnvelope, match="too-deep"):
        check(sign(ALPHA, unsigned()) | {"body": {"a": nested(5000)}})


def test_an_envelope_of_more_than_60000_bytes_is_neither_signed_nor_read() -> None:
    room_left = wire.LARGEST - len(wire.canonical(sign(ALPHA, unsigned(body={"note": ""}))))
    fits = sign(ALPHA, unsigned(body={"note": "x" * room_left}))
    assert check(fits).raw_body["note"] == "x" * room_left
    with pytest.raises(BadEnvelope, match="too-large"):
        sign(ALPHA, unsigned(body={"note": "x" * (room_left + 1)}))
    with pytest.raises(BadEnvelope, match="too-large"):
        sign(ALPHA, unsigned(body={"note": "é" * (room_left // 2 + 1)}))


def test_a_float_in_the_body_is_never_signed() -> None:
    with pytest.raises(BadEnvelope, match="not-canonical"):
        sign(ALPHA, unsigned(body={"quantity": 1.5}))


def test_a_time_without_a_zone_is_refused_and_any_zone_is_the_same_moment() -> None:
    with pytest.raises(ValueError, match="zone"):
        wire.wire_time(AT.replace(tzinfo=None))
    assert wire.wire_time(AT.astimezone(timezone(timedelta(hours=5)))) == wire.wire_time(AT)


# --- sealing ----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(bodies, text)
def test_sealed_content_is_read_by_its_addressee(data: dict[str, Any], bound_to: str) -> None:
    assert unseal(BETA, seal(BETA.key, data, bound_to=bound_to), bound_to=bound_to) == data


def test_sealed_content_is_read_by_nobody_else_not_even_the_writer() -> None:
    sealed = seal(BETA.key, {"token": "inv-secret"})
    assert "secret" not in base64.b64decode(sealed).decode("latin-1")
    for other in (ALPHA, GAMMA):
        with pytest.raises(BadEnvelope, match="sealed"):
            unseal(other, sealed)


def test_a_box_taken_out_of_another_envelope_is_refused() -> None:
    sealed = seal(BETA.key, {"token": "inv-secret"}, bound_to="alpha k7m2")
    with pytest.raises(BadEnvelope, match="sealed"):
        unseal(BETA, sealed, bound_to="gamma m2k7")
    with pytest.raises(BadEnvelope, match="sealed"):
        unseal(BETA, sealed)


def test_a_box_with_any_character_changed_is_refused() -> None:
    sealed = seal(BETA.key, {"token": "tt"})
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for place, letter in enumerate(sealed.rstrip("=")):
        neighbour = letters[letters.index(letter) ^ 1]
        with pytest.raises(BadEnvelope, match="sealed"):
            unseal(BETA, sealed[:place] + neighbour + sealed[place + 1 :])
    assert sealed.endswith("=")
    for other in (sealed.rstrip("="), sealed + "\n", sealed[:-8], "", "%%%", "é"):
        with pytest.raises(BadEnvelope, match="sealed"):
            unseal(BETA, other)


@pytest.mark.parametrize("inside", [b"", b"[]", b"{}", b'{"bound_to":"","data":1.5}', b"[" * 100_000, b"\xff"])
def test_a_good_box_with_nonsense_in_it_is_refused(inside: bytes) -> None:
    their_key = VerifyKey(bytes.fromhex(BETA.key)).to_curve25519_public_key()
    sealed = base64.b64encode(SealedBox(their_key).encrypt(inside)).decode()
    with pytest.raises(BadEnvelope, match="sealed"):
        unseal(BETA, sealed)


@pytest.mark.parametrize("key", ["", "zz", "00" * 32, "ab" * 31])
def test_nothing_is_sealed_to_an_invalid_key(key: str) -> None:
    with pytest.raises(BadEnvelope, match="key"):
        seal(key, {})


def test_an_identity_shows_its_public_half_and_can_not_be_copied() -> None:
    assert ALPHA.key in repr(ALPHA)
    assert (b"a" * 32).hex() not in repr(ALPHA)
    for copier in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not to be copied"):
            copier(ALPHA)
    assert not hasattr(ALPHA, "__dict__")


def test_any_bytes_can_be_signed_and_the_signature_is_by_that_key_only() -> None:
    signature = ALPHA.sign(b"a record in our InvenTree")
    assert wire.signature_holds(ALPHA.key, b"a record in our InvenTree", signature)
    assert not wire.signature_holds(BETA.key, b"a record in our InvenTree", signature)
    assert not wire.signature_holds(ALPHA.key, b"another record", signature)
    assert not wire.signature_holds("", b"a record in our InvenTree", signature)


# --- ids and hashes ---------------------------------------------------------------------------------------


def test_ids_are_written_without_characters_that_look_alike() -> None:
    for number in range(200):
        identifier = wire.short_hash("any", number)
        assert len(identifier) == 20
        assert set(identifier) <= set("23456789abcdefghjkmnpqrstuvwxyz")


def test_an_envelope_that_is_sent_again_keeps_its_id() -> None:
    first = wire.envelope_id("alpha", "k7m2", 3)
    assert first == wire.envelope_id("alpha", "k7m2", 3)
    assert len({first, wire.envelope_id("beta", "k7m2", 3), wire.envelope_id("alpha", "k7m2", 4)}) == 3


def test_a_transaction_id_is_new_for_every_attempt_purpose_cause_and_journal() -> None:
    ids = {
        wire.transaction_id(journal, cause, purpose, attempt)
        for journal in ("j1", "j2")
        for cause in (1, 11, "1")
        for purpose in ("card", "offer")
        for attempt in (1, 11)
    }
    assert len(ids) == 24
    assert all(identifier.isalnum() for identifier in ids)
    assert wire.transaction_id("j1", 1, "card", 1) in ids


def test_the_hash_of_terms_depends_on_every_word_but_not_on_their_order() -> None:
    terms = {"kind": "push", "lines": [{"item": 42, "quantity": "10"}], "note": ""}
    assert wire.terms_hash(terms) == wire.terms_hash(dict(reversed(terms.items())))
    assert wire.terms_hash(terms) != wire.terms_hash(terms | {"note": " "})
    assert wire.terms_hash(terms) != wire.terms_hash(terms | {"lines": [{"item": 42, "quantity": "10.0"}]})
    with pytest.raises(NotCanonical):
        wire.terms_hash(terms | {"lines": [{"quantity": 10.0}]})


def test_a_fingerprint_can_be_compared_by_eye() -> None:
    shown = wire.fingerprint(ALPHA.key)
    assert [len(group) for group in shown.split("-")] == [4, 4, 4, 4, 4]
    assert shown != wire.fingerprint(BETA.key)
