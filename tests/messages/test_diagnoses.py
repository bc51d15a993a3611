"""What the InvenTree edge says of a failure is known again, and told in the language of who reads it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fedbot.inventree import errors
from fedbot.messages.language import Locale
from fedbot.messages.reasons import LONGEST, OF_CALLS, OF_STEPS, diagnosis
from tests.messages.scenes import OUR_LOCALE

EDGE = Path(inspect.getfile(errors)).parent
PLACE = re.compile(r"\{[^}]*\}")
GERMAN = Locale("de", "Europe/Berlin")
HOST = "tree.example"


def _texts_in_the_edge() -> Iterator[str]:
    """Every text and f-string, with `{}` for what is put in."""
    for path in sorted(EDGE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _responses() -> Iterator[httpx.Response]:
    for method, path in (("GET", "stock/"), ("POST", "user/"), ("PATCH", "metadata/stockitem/7/"), ("GET", "else/")):
        request = httpx.Request(method, f"https://{HOST}/api/{path}")
        for status in (302, 401, 403, 413, 429, 500, 502):
            yield httpx.Response(status, request=request, json={"detail": "No, sorry."})
            yield httpx.Response(status, request=request, text="<h1>no</h1>")


def _texts_of_calls() -> Iterator[str]:
    """What `failures` makes of everything that can happen to a call."""
    exceptions = [kind("secret") for kind, _ in errors._PHRASES] + [httpx.TooManyRedirects("secret")]
    exceptions.append(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"))
    for reading in (True, False):
        yield from (str(errors.of_exception(error, HOST, reading=reading)) for error in exceptions)
        yield from (str(errors.of_response(response, HOST, reading=reading)) for response in _responses())
        yield str(errors.unreadable(HOST, reading=reading))


def test_every_sentence_that_is_known_again_is_one_of_the_edge() -> None:
    said = set(_texts_in_the_edge())
    assert [sentence for sentence in OF_STEPS if PLACE.sub("{}", sentence) + "." not in said] == []


@pytest.mark.parametrize("text", sorted(set(_texts_of_calls())))
def test_what_happens_to_a_call_is_told_in_german_and_in_english_as_it_was(text: str) -> None:
    assert diagnosis(OUR_LOCALE, text) == OUR_LOCALE.short(text, 200)
    told = diagnosis(GERMAN, text, 500)
    assert not re.search(r"\b(the|can't|answered|may|needs|so it|not accept)\b", told), told


def test_every_sentence_about_calls_is_needed() -> None:
    heard: set[str] = set()
    for sentence in OF_CALLS:
        bare = re.escape(PLACE.sub("\0", sentence)).replace("\0", ".*")
        heard |= {sentence for text in _texts_of_calls() if re.search(bare, text)}
    assert [sentence for sentence in OF_CALLS if sentence not in heard] == []


@pytest.mark.parametrize("sentence", OF_STEPS)
def test_in_english_it_is_told_as_it_was(sentence: str) -> None:
    text = PLACE.sub("x (1) {y}", sentence) + "."
    assert diagnosis(OUR_LOCALE, text) == text


def test_a_sentence_within_another_is_told_in_german_too() -> None:
    text = f"InvenTree at {HOST} answered 502 (OperationalError), so it may have been done or not."
    assert diagnosis(GERMAN, text) == (
        f"InvenTree unter {HOST} hat mit 502 (OperationalError) geantwortet, es kann also geschehen sein oder nicht."
    )


@pytest.mark.parametrize("text", ["", ".", "Serial numbers already exist: 0042", "{item} {0}", "x" * (LONGEST + 1)])
def test_what_is_not_known_is_told_as_it_is(text: str) -> None:
    assert diagnosis(GERMAN, text) == GERMAN.short(text, 200)
