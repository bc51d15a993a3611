"""Every English sentence of fedbot: the msgids of `fedbot/messages`, and the texts of the verbs' specs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog

from fedbot.commands.registry import catalogue as verbs
from fedbot.messages import language

WORDS = Path(inspect.getfile(language)).parent
SAYING = {"say": 1, "word": 1, "marked": 1, "some": 2, "of_many": 2}
"""The functions that take msgids, and how many: `Locale`'s methods, and `marked`."""

Msgid = str | tuple[str, str]


def sentences() -> Catalog:
    """A catalogue without translations. Each sentence appears once, with the files that use it, in order."""
    found = Catalog(fuzzy=False)
    for msgid, file in [*_in_words(), *_in_specs()]:
        found.add(msgid, locations=[(file, 0)])
    return found


def _in_words() -> Iterator[tuple[Msgid, str]]:
    for path in sorted(WORDS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            for msgid in _said_by(call, tree):
                yield msgid, path.relative_to(WORDS).as_posix()


def _said_by(call: ast.Call, tree: ast.Module) -> Iterator[Msgid]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [_texts(argument, tree) for argument in call.args[: SAYING.get(name, 0)]]
    if SAYING.get(name) == 2:
        yield from zip(*texts, strict=True)
    else:
        yield from (text for each in texts for text in each)


def _texts(argument: ast.expr, tree: ast.Module) -> list[str]:
    """The possible texts of an argument; for a variable, every text assigned to its name in this file."""
    if isinstance(argument, ast.Name):
        return [text for value in _assigned(argument.id, tree) for text in _literals(value)]
    return _literals(argument)


def _literals(value: ast.expr) -> list[str]:
    """The text of a literal, or of a choice between two."""
    match value:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return _literals(body) + _literals(other)
    return []


def _assigned(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        value = node.value
        for target in node.targets:
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            yield from (given for to, given in pairs if isinstance(to, ast.Name) and to.id == name)


def _in_specs() -> Iterator[tuple[Msgid, str]]:
    for spec in verbs():
        for text in (spec.summary, *spec.details, *(option.summary for option in spec.options)):
            yield text, f"verbs/{spec.name}"
