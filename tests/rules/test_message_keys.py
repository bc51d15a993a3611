"""The keys of our messages: stored as ever, read as they were made, and taken apart in one module only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fedbot
from fedbot.rules.model.room import NO_KEY, WITHOUT_SUBJECT, MessageKey, MessageKind

SUBJECTS = st.text("abcdefghjkmnpqrstvwxyz0123456789-", min_size=1).filter(lambda text: text != "-")
TAKES_APART = {"partition", "rpartition", "split", "rsplit", "startswith", "endswith", "removeprefix", "removesuffix"}
THERE = Path("rules/model/room.py")


@pytest.mark.parametrize("kind", MessageKind)
@given(subject=st.just("") | SUBJECTS, rest=st.text())
def test_a_key_is_read_as_it_was_made(kind: MessageKind, subject: str, rest: str) -> None:
    key = MessageKey(str(kind.of(subject, rest)))
    assert key == kind.of(subject, rest)
    assert (key.kind, key.rest) == (kind, rest)
    assert key.subject == ("" if kind in WITHOUT_SUBJECT else subject)


def test_a_key_reads_as_journals_have_it() -> None:
    assert MessageKind.CARD.of("k7m2") == "card:k7m2"
    assert MessageKind.ROTA.of("r3n8", "2") == "rota:r3n8:2"
    assert MessageKind.ANSWER.of(rest="$line:a.example") == "answer:-:$line:a.example"
    assert MessageKind.QUIET.of("k7m2", "@anna:a.example:noted") == "quiet:k7m2:@anna:a.example:noted"
    assert MessageKind.AGENDA.of(rest="!room:a.example:2026-11-29") == "agenda:!room:a.example:2026-11-29"
    assert MessageKind.ADMIN.of(rest=MessageKind.DISPUTED.of("k7m2")) == "admin:disputed:k7m2"


def test_a_key_of_another_version_is_of_no_known_kind() -> None:
    assert (NO_KEY.kind, NO_KEY.subject, NO_KEY.rest) == (None, "", "")
    assert (MessageKey("gone:k7m2:1").kind, MessageKey("gone:k7m2:1").subject) == (None, "k7m2")
    assert MessageKey("cardinal:k7m2").kind is None


def _takes_a_key_apart(node: ast.expr) -> bool:
    """Whether it is a call such as `event.key.partition(":")` or `turn.key_of(event_id).startswith("card:")`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TAKES_APART):
        return False
    receiver = node.func.value.func if isinstance(node.func.value, ast.Call) else node.func.value
    return isinstance(receiver, ast.Attribute) and receiver.attr in {"key", "key_of", "reply_to", "thread"}


def test_no_other_module_takes_a_key_apart_or_puts_one_together() -> None:
    folder = Path(fedbot.__file__).parent
    begins = tuple(f"{kind}:" for kind in (MessageKind.CARD, MessageKind.OFFER, MessageKind.ANSWER, MessageKind.CHOICE))
    found = []
    for file in sorted(folder.rglob("*.py")):
        for node in (each for each in ast.walk(ast.parse(file.read_text())) if isinstance(each, ast.expr)):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(begins)
            if (is_text or _takes_a_key_apart(node)) and file.relative_to(folder) != THERE:
                found.append(f"{file.relative_to(folder)}:{node.lineno}: {ast.unparse(node)}")
    assert not found
