"""Every English sentence that fedbot says: the msgids of `fedbot/chat/words`, and what the verbs' specs say of them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog

from fedbot.chat.words import tongue
from fedbot.verbs.registry import catalogue as verbs

WORDS = Path(inspect.getfile(tongue)).parent
SAYING = {"say": 1, "word": 1, "marked": 1, "some": 2, "of_many": 2}
"""What takes msgids, and how many: `Tongue`'s methods, and `marked`."""

Msgid = str | tuple[str, str]


def sentences() -> Catalog:
    """A catalogue without translations. Each sentence stands once, with the files that say it, in their order."""
    found = Catalog(fuzzy=False)
    for msgid, file in [*_in_words(), *_in_specs()]:
        found.add(msgid, locations=[(file, 0)])
    return found


def _in_words() -> Iterator[tuple[Msgid, str]]:
    for path in sorted(WORDS.glob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            for msgid in _said_by(call):
                yield msgid, path.name


def _said_by(call: ast.Call) -> Iterator[Msgid]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [_texts(argument) for argument in call.args[: SAYING.get(name, 0)]]
    if SAYING.get(name) == 2:
        yield from zip(*texts, strict=True)
    else:
        yield from (text for each in texts for text in each)


def _texts(argument: ast.expr) -> list[str]:
    """The texts that an argument can be: a literal, or one of two. A variable's are `marked` where they stand."""
    match argument:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body) + _texts(other)
    return []


def _in_specs() -> Iterator[tuple[Msgid, str]]:
    for spec in verbs():
        for text in (spec.summary, *spec.details, *(option.summary for option in spec.options)):
            yield text, f"verbs/{spec.name}"
