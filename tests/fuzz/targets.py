"""The fuzz targets: each takes input from a stranger, an admin or a broken disk.

A target may refuse with the error that its function names. Any other exception is a crash.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedbot import backup
from fedbot.backup import BackupRefused
from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused
from fedbot.journal import codec
from fedbot.messages.markup import Bold, Break, Code, Items, Mention, Text, render
from fedbot.ports.journal import JournalProblem, NotStorable
from fedbot.rules.dispatch import decide
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.protocol.bodies import KINDS
from fedbot.rules.wire import BadEnvelope, Identity, check, sign
from tests.commands.worlds import BETA_BOT, NOW, ROOM, World, connected, pushed, pushed_to_us

_IDENTITY = Identity(sha256(b"betaspace").digest())
FRIENDS_KEY = _IDENTITY.key
_FRIEND = connected(peer_key=_IDENTITY.key, own_ready=True, peer_ready=True)
_OURS, _THEIRS = pushed(), pushed_to_us()
_KINDS = (*sorted(KINDS), "no-such-kind")

_LETTERS = st.text(st.characters(codec="utf-8", categories=None), max_size=60)
_WORDS = st.sampled_from(
    (
        "push",
        "request",
        "lend",
        "return",
        "find",
        "match",
        "alias",
        "share",
        "help",
        "show",
        "history",
        "to",
        "of",
        "as",
        "until",
        "M3-BOLT",
        "10",
        "0",
        "-1",
        "1e9",
        "#42",
        "betaspace",
        "2026-12-24",
        "--note",
        "--since",
        "--page",
        '"un',
        "closed",
        "10m½",
        "٣",
        "k7m2",
        "\u202e",
        "\x00",
        "\ud800",
    )
)
_LINE = st.one_of(_LETTERS, st.lists(st.one_of(_WORDS, _LETTERS), max_size=9).map(" ".join))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _LETTERS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_LETTERS, inner, max_size=4)),
    max_leaves=12,
)
_FIELDS = st.sampled_from(
    (
        "terms",
        "due",
        "opening",
        "lines",
        "quantity",
        "item",
        "number",
        "seen",
        "reason",
        "by",
        "by_name",
        "by_user",
        "after",
        "last",
        "more",
        "problem",
        "days",
        "name",
        "generation",
        "parties",
        "key",
        "access",
        "sealed",
        "loan_until",
        "kind",
        "sender",
        "receiver",
        "asker",
        "note",
        "description",
    )
)
_BODY = st.dictionaries(st.one_of(_FIELDS, _LETTERS), _JSON, max_size=6)


def a_line(text: str) -> None:
    """A typed line: understood, or answered with the mistake."""
    world = World(_FRIEND, _OURS)
    world.verbs.parse(world.turn, text)


def an_envelope(raw: object) -> None:
    """Any content of `dev.fedbot` in a stranger's message."""
    with suppress(BadEnvelope):
        check(raw)


def a_body(kind: str, subject: str, body: dict[str, Any]) -> None:
    """A friend's message of any kind, about any subject, with any body, properly signed."""
    a_message_of(_FRIEND, kind, subject, body)


def a_message_of(friend: Connection, kind: str, subject: str, body: dict[str, Any]) -> None:
    """The same on this connection."""
    about = {"connection": _FRIEND.id, "transfer": _OURS.id, "theirs": _THEIRS.id, "new": "2" * 20 + "-push"}[subject]
    unsigned = {
        "id": sha256(f"{kind}{about}".encode()).hexdigest()[:20],
        "kind": kind,
        "from": "betaspace",
        "to": "attraktor",
        "room": ROOM,
        "connection" if subject == "connection" else "transfer": about,
        "seq": 1,
        "terms_hash": "",
        "body": body,
        "sent_at": NOW,
    }
    try:
        envelope = sign(_IDENTITY, unsigned)
    except BadEnvelope:
        return
    world = World(friend, _OURS, _THEIRS)
    event = EnvelopeSeen(ROOM, "$fuzz", BETA_BOT, NOW + timedelta(seconds=1), envelope)
    decide(world.state, event, world.verbs, event.at)


class _Tags(HTMLParser):
    """Raises for a tag or an attribute that our messages never have."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name for name, _ in attrs}
        if tag not in {"p", "br", "b", "code", "a", "ul", "li"} or named - ({"href"} if tag == "a" else set()):
            raise AssertionError(f"<{tag} {attrs}>")


def a_message(words: list[str]) -> None:
    """Strangers' words in each place of a message, which must stay text."""
    for word in words:
        rendered = render([Text(word), Bold(word), (Code(word), Break()), "", Items((word,)), Mention(word, word)])
        _Tags().feed(rendered.html)
        rendered.html.encode("utf-8", "surrogatepass")


def a_config(text: str) -> None:
    """The content of config.yaml by an admin, or by an editor that crashed."""
    with tempfile.TemporaryDirectory(prefix="fedbot-fuzz-") as folder:
        file = Path(folder) / "config.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        with suppress(ConfigRefused):
            load(file, {})


def a_row(kind: str, payload: str) -> None:
    """A damaged row of the journal."""
    for kinds in (codec.EVENTS, codec.EFFECTS, codec.DOCUMENTS, codec.AUDIT):
        with suppress(NotStorable):
            record = codec.from_text(kinds, kind, payload)
            codec.to_text(kinds, record)


def a_backup(content: bytes, as_entries: bool) -> None:
    """A file that somebody calls a backup."""
    with tempfile.TemporaryDirectory(prefix="fedbot-fuzz-") as name:
        folder = Path(name)
        file = folder / "backup"
        file.write_bytes(_as_archive(content) if as_entries else content)
        with suppress(BackupRefused, JournalProblem):
            backup.restore(file, folder / "state", "attraktor")


def _as_archive(content: bytes) -> bytes:
    """The content as an entry of a tar file, with a name made from it too."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in ("manifest.json", content[:40].decode("latin-1") or "x", "journal.db"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    out.seek(0)
    return backup.MAGIC + b"".join(backup.enclosed(out, None))


def _mutated(record: object, kinds: dict[str, type]) -> st.SearchStrategy[tuple[str, str]]:
    """A record's row with one value or one character changed."""
    kind, payload = codec.to_text(kinds, record)
    data = json.loads(payload)
    changed = st.tuples(st.sampled_from(sorted(data)), _JSON).map(lambda pair: json.dumps({**data, pair[0]: pair[1]}))
    cut = st.tuples(st.integers(0, len(payload)), _LETTERS).map(lambda at: payload[: at[0]] + at[1] + payload[at[0] :])
    return st.tuples(st.just(kind), st.one_of(changed, cut))


_EXAMPLE = (Path(__file__).parent.parent.parent / "fedbot" / "config" / "example.yaml").read_text("utf-8")
_CONFIG = st.one_of(
    _LETTERS,
    st.tuples(st.integers(0, len(_EXAMPLE)), st.integers(0, 40), _LETTERS).map(
        lambda cut: _EXAMPLE[: cut[0]] + cut[2] + _EXAMPLE[cut[0] + cut[1] :]
    ),
)
_GOOD = sign(
    _IDENTITY,
    {
        "id": "2" * 20,
        "kind": "approve",
        "from": "betaspace",
        "to": "attraktor",
        "room": ROOM,
        "transfer": _OURS.id,
        "seq": 1,
        "terms_hash": "",
        "body": {},
        "sent_at": NOW,
    },
)
_ENVELOPE = st.one_of(
    _JSON, st.tuples(st.sampled_from(sorted(_GOOD)), _JSON).map(lambda pair: {**_GOOD, pair[0]: pair[1]})
)
_ROW = st.one_of(
    st.tuples(st.sampled_from(sorted({*codec.EVENTS, *codec.EFFECTS, *codec.DOCUMENTS})), _JSON.map(json.dumps)),
    _mutated(_FRIEND, codec.DOCUMENTS),
    _mutated(replace(_OURS, ended=NOW), codec.DOCUMENTS),
)
_ANYHOW = settings(
    database=None, deadline=None, print_blob=False, derandomize=False, suppress_health_check=list(HealthCheck)
)

Target = Callable[..., None]
TARGETS: dict[str, Target] = {
    "lines": _ANYHOW(given(_LINE)(a_line)),
    "envelopes": _ANYHOW(given(_ENVELOPE)(an_envelope)),
    "bodies": _ANYHOW(
        given(st.sampled_from(_KINDS), st.sampled_from(("connection", "transfer", "theirs", "new")), _BODY)(a_body)
    ),
    "html": _ANYHOW(given(st.lists(_LETTERS, max_size=4))(a_message)),
    "config": _ANYHOW(given(_CONFIG)(a_config)),
    "journal": _ANYHOW(given(_ROW)(lambda row: a_row(*row))),
    "restore": _ANYHOW(given(st.binary(max_size=400), st.booleans())(a_backup)),
}
"""Each takes no argument, or bytes through `.hypothesis.fuzz_one_input`."""
