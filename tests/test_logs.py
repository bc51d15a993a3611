"""The log shows events, in one line for each record, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from fedbot import logs

SECRET = 'p4ss "wörd"/&\\x'


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    names = ("fedbot", "nio", "inventree")
    before = root.level, {name: logging.getLogger(name).level for name in names}
    stream = io.StringIO()
    logs.configure("info", [SECRET], stream)
    yield stream
    for handler in [kept for kept in root.handlers if isinstance(kept, logs._Handler)]:
        root.removeHandler(handler)
    root.setLevel(before[0])
    for name, level in before[1].items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)


log = logging.getLogger("fedbot.matrix.sync")


def test_a_record_is_one_line_of_keys_and_values(out: io.StringIO) -> None:
    log.info("sent %d", 3, extra={"room": "!abc", "name_of_room": "our lab", "tries": 2})
    line = out.getvalue()
    assert line.startswith("time=20")
    assert line.endswith('Z level=info part=matrix.sync event="sent 3" room=!abc name_of_room="our lab" tries=2\n')


def test_a_line_break_from_outside_cannot_forge_a_second_line(out: io.StringIO) -> None:
    log.info("said: %s", "hello\nlevel=error part=forged", extra={"who": "a b=c\r\n\u2028\x1b[2J"})
    assert len(out.getvalue().splitlines()) == 1
    assert "\x1b" not in out.getvalue()
    assert 'event="said: hello\\nlevel=error part=forged"' in out.getvalue()


def test_an_exception_is_logged_with_its_place_on_the_same_line(out: io.StringIO) -> None:
    try:
        int("no good")
    except ValueError:
        log.exception("failed")
    [line] = out.getvalue().splitlines()
    assert "ValueError: invalid literal for int() with base 10: 'no good'" in line
    assert "test_logs.py" in line


@pytest.mark.parametrize(
    "shown",
    [SECRET, repr(SECRET), json.dumps({"p": SECRET}), json.dumps(json.dumps(SECRET)), quote(SECRET, safe="")],
    ids=["plain", "repr", "json", "json in json", "in a URL"],
)
def test_a_known_secret_is_removed_in_every_form(shown: str, out: io.StringIO) -> None:
    log.warning("it is %s", shown)
    log.warning("as a field", extra={"field": shown})
    assert logs.REDACTED in out.getvalue()
    for piece in ("p4ss", "wörd", "w%C3%B6rd", "w\\u00f6rd"):
        assert piece not in out.getvalue()


def test_a_secret_is_removed_from_exceptions_their_causes_and_their_notes(out: io.StringIO) -> None:
    try:
        try:
            dict[str, str]()[SECRET]
        except KeyError as error:
            problem = RuntimeError(f"login with {SECRET}")
            problem.add_note(f"note {SECRET}")
            raise problem from error
    except RuntimeError:
        log.exception("could not sign in")
    assert "RuntimeError: login with" in out.getvalue()
    assert "p4ss" not in out.getvalue()
    assert out.getvalue().count(logs.REDACTED) >= 3


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token inv-1234567890abcdef1234567890-20261124", "inv-1234567890abcdef"),
        ("syt_Ym90_AbCdEfGhIjKlMnOpQrSt_0aB1cD", "AbCdEfGh"),
        ("mct_AbCdEfGhIjKlMnOpQrStUvWxYz0123_0aB1cD", "AbCdEfGh"),
        ("Authorization: Token 0123456789", "0123456789"),
        ("{'Authorization': 'Bearer 0123456789'}", "0123456789"),
        ('{"authorization": "Basic YW5uYTpodW50ZXIy"}', "YW5uYTpodW50ZXIy"),
        ("/_matrix/client/v3/sync?access_token=0123456789&timeout=3", "0123456789"),
        ('{"type": "m.login.password", "password": "hunter22"}', "hunter22"),
    ],
)
def test_anything_that_looks_like_a_token_is_removed_though_nobody_named_it(
    text: str, secret: str, out: io.StringIO
) -> None:
    log.error("answer: %s", text)
    log.error("in JSON: %s", json.dumps(text))
    log.error(text, extra={"headers": {"text": text}})
    assert secret not in out.getvalue()
    assert out.getvalue().count(logs.REDACTED) >= 4


def test_ordinary_words_stay(out: io.StringIO) -> None:
    said = "the token of attraktor expires; password login; inv-42, summat_else, invoice inv-2026"
    log.info(said)
    assert said in out.getvalue()


def test_a_secret_learned_later_is_removed_from_then_on(out: io.StringIO) -> None:
    logs.keep_secret("minted-just-now")
    log.info("got minted-just-now")
    assert "minted" not in out.getvalue()


def test_a_few_characters_are_no_secret(out: io.StringIO) -> None:
    logs.keep_secret("")
    logs.keep_secret("the")
    log.info("the end")
    assert 'event="the end"' in out.getvalue()


def test_a_record_that_can_not_be_written_is_reported_without_its_arguments(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    record = log.makeRecord(log.name, logging.INFO, __file__, 1, "%d things", (SECRET,), None)
    [handler] = [kept for kept in logging.getLogger().handlers if isinstance(kept, logs._Handler)]
    handler.handle(record)
    assert "a record could not be written (TypeError)" in out.getvalue()
    assert "p4ss" not in out.getvalue() + capsys.readouterr().err


def test_other_libraries_log_only_warnings(out: io.StringIO) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("http://127.0.0.1/secret-path")
    logging.getLogger("apscheduler.scheduler").info("Added job")
    logging.getLogger("nio.events").warning("Error validating event")
    logging.getLogger("inventree").error("token is abc")
    log.debug("details")
    assert out.getvalue() == ""
    warnings.warn("old ways", stacklevel=1)
    assert "old ways" in out.getvalue()


def test_the_last_configuration_counts(out: io.StringIO) -> None:
    other = io.StringIO()
    logs.configure("debug", (), other)
    log.debug("details")
    assert out.getvalue() == ""
    assert other.getvalue().count("event=details") == 1


def test_the_redactor_does_not_show_its_secrets() -> None:
    redactor = logs.Redactor()
    redactor.keep_secret(SECRET)
    assert "p4ss" not in repr(redactor)


def test_in_json_a_record_is_one_object_without_secrets(out: io.StringIO) -> None:
    logs.configure("info", [SECRET], out, as_json=True)
    log.info("said: %s", f"hello\nyou {SECRET}", extra={"token": "whatever", "room": "!abc", "seen": {"a": 1}})
    logs.reconfigure("warning", ["another-secret"])
    log.info("unseen")
    log.warning("another-secret")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["event"] == f"said: hello\nyou {logs.REDACTED}"
    assert (first["level"], first["part"], first["room"]) == ("info", "matrix.sync", "!abc")
    assert first["token"] == logs.REDACTED
    assert second["event"] == logs.REDACTED


def test_held_records_come_with_the_next_warning_or_when_they_are_released(out: io.StringIO) -> None:
    logs.hold()
    log.info("one")
    assert out.getvalue() == ""
    log.warning("two")
    log.info("three")
    assert [line.rpartition("event=")[2] for line in out.getvalue().splitlines()] == ["one", "two"]
    logs.release()
    log.info("four")
    assert [line.rpartition("event=")[2] for line in out.getvalue().splitlines()] == ["one", "two", "three", "four"]
