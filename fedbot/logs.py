"""The log: one line per record, `key=value` or JSON, on standard error, always without secrets.

Redacted are all values given to `keep_secret` (tokens, passwords, the vault's secrets), in the forms in which they tend
to appear, and everything that looks like a token. The finished text is redacted, so exceptions, arguments and extra
fields can't slip through.
"""

from __future__ import annotations

import errno
import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TextIO
from urllib.parse import quote, quote_plus

REDACTED = "•••"
# Shorter ones would black out ordinary words; no token is that short.
SHORTEST_SECRET = 4

_PATTERNS = [
    # InvenTree's and Matrix's own tokens (Synapse's, and those of its authentication service)
    re.compile(r"\binv-[0-9A-Za-z]{12,}(?:-[0-9]{8})?"),
    re.compile(r"\b(?:syt|syr|syl)_[0-9A-Za-z+/=_-]{8,}"),
    re.compile(r"\b(?:mat|mar|mct|mcr)_[0-9A-Za-z]{20,}(?:_[0-9A-Za-z]+)?"),
    # our own: sessions, API tokens, secret addresses
    re.compile(r"\bfed_[0-9A-Za-z_-]{30,}"),
]
_LABELLED = [
    re.compile(r"(?i)(\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:token|bearer|basic)?\s*)[^\s\"'\\,}]+"),
    re.compile(
        r"(?i)(\b(?:access_token|refresh_token|admin_token|password|token|secret)\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\s\"'\\,}&]{4,}"
    ),
]
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET_KEY = re.compile(r"(?i)authorization|token|password|secret")
_SPECIAL = re.compile(r'[\s="\\]')
# nio logs each odd event, inventree logs tokens.
_QUIET = {"nio": logging.ERROR, "inventree": logging.CRITICAL}


class Redactor:
    """Knows secrets, and redacts them in text. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._by_beginning: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._known)} forms>"

    def keep_secret(self, value: str) -> None:
        """Redact `value` from now on, unless it is too short to be a secret."""
        if len(value) < SHORTEST_SECRET:
            return
        escaped = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
        escaped |= {json.dumps(form)[1:-1] for form in escaped}  # JSON in JSON
        shown = {repr(value)[1:-1], repr(value.encode())[2:-1], quote(value, safe=""), quote_plus(value)}
        with self._lock:
            for form in ({value} | escaped | shown) - self._known:
                self._known.add(form)
                beginning = form[:SHORTEST_SECRET]
                alike = (*self._by_beginning.get(beginning, ()), form)
                self._by_beginning[beginning] = tuple(sorted(alike, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        if self._known:
            text = self._without_known(text)
        for pattern in _LABELLED:
            text = pattern.sub(rf"\g<1>{REDACTED}", text)
        for pattern in _PATTERNS:
            text = pattern.sub(REDACTED, text)
        return text

    def _without_known(self, text: str) -> str:
        """Redact the longest secret at each position.

        They are indexed by their beginnings: a worker knows many spaces'.
        """
        parts, place, rest = [], 0, 0
        while place <= len(text) - SHORTEST_SECRET:
            forms = self._by_beginning.get(text[place : place + SHORTEST_SECRET], ())
            found = next((form for form in forms if text.startswith(form, place)), "")
            if found:
                parts += [text[rest:place], REDACTED]
                rest = place + len(found)
            place += len(found) or 1
        return "".join([*parts, text[rest:]])


_redactor = Redactor()
keep_secret = _redactor.keep_secret
redact = _redactor.clean

_space: ContextVar[str] = ContextVar("space", default="")


def about(space: str) -> None:
    """From now on, this task and those that it starts log about this space."""
    _space.set(space)


class _OneLine(logging.Formatter):
    """The parts of a line: the record's fields in order, and those of `extra`."""

    def _fields(self, record: logging.LogRecord) -> dict[str, str]:
        """Each field is redacted before it is escaped."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "part": record.name.removeprefix("fedbot."),
            "event": record.getMessage(),
        }
        if space := _space.get():
            fields["space"] = space
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        if record.stack_info:
            fields["stack"] = record.stack_info
        return {key: redact(str(value)) for key, value in fields.items()}


class KeyValueFormatter(_OneLine):
    """`time=… level=info part=chat.sync event="what happened" room=!abc`; fields come from `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for any record. It is redacted again, because a value follows its key, like in token=…."""
        fields = self._fields(record)
        return redact(" ".join(f"{key}={_written(value)}" for key, value in fields.items()))


class JsonFormatter(_OneLine):
    """A record as an object of texts: `{"time": "…", "level": "info", "part": "chat.sync", "event": "…"}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for any record. A value whose key names a secret is redacted."""
        fields = self._fields(record)
        hidden = {key: REDACTED for key in fields if _SECRET_KEY.search(key)}
        return json.dumps(fields | hidden, ensure_ascii=True)


def _written(text: str) -> str:
    """The value, quoted if a reader could take it for two values, or for a separate line."""
    if text.isprintable() and text and not _SPECIAL.search(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in quoted)


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The log's disk is full: the records of this time are lost, and later ones are written again."""


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; if that fails, says so without printing the record. `held`: records that wait."""

    held: list[logging.LogRecord] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or hold it. A warning releases all held records."""
        if self.held is not None and record.levelno < logging.WARNING:
            self.held.append(record)
            return
        self.write_held()
        super().emit(record)

    def write_held(self) -> None:
        """Write the held records."""
        waiting, self.held = self.held or [], None if self.held is None else []
        for record in waiting:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the base class's name
        """Replace logging's own handler, which prints the arguments unredacted."""
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind else "error"
        try:
            self.stream.write(
                f'level=error part=logs event="a record could not be written ({name})" of={record.name}\n'
            )
        except OSError as problem:
            if problem.errno not in _FULL:
                self._is_gone()
        except ValueError:
            self._is_gone()

    def _is_gone(self) -> None:
        """Standard error is gone, so nothing can be reported any more."""
        self.setLevel(logging.CRITICAL + 1)


def configure(
    level: str = "info", secrets: Iterable[str] = (), stream: TextIO | None = None, *, as_json: bool = False
) -> None:
    """Log fedbot's own records from `level` on, others' from `warning` on, to `stream` (standard error).

    May be called again; the last call counts. `secrets` are redacted from now on.
    """
    for secret in secrets:
        keep_secret(secret)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else KeyValueFormatter())
    root = logging.getLogger()
    for old in _own_handlers():
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("fedbot").setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(capture=True)


def hold() -> None:
    """Hold records below a warning until `release`."""
    for handler in _own_handlers():
        handler.held = []


def release() -> None:
    """Write the held records, and hold no more."""
    for handler in _own_handlers():
        handler.write_held()
        handler.held = None


def _own_handlers() -> list[_Handler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, _Handler)]


def reconfigure(level: str, secrets: Iterable[str]) -> None:
    """Change the log level, and redact these secrets too. One space of several can't change the level."""
    for secret in secrets:
        keep_secret(secret)
    if _space.get():
        return
    logging.getLogger("fedbot").setLevel(level.upper())


def causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that a task group collected, or the single error."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from causes(inner)
    else:
        yield error


def first_cause(error: BaseException) -> BaseException:
    """The first of them."""
    return next(causes(error))
