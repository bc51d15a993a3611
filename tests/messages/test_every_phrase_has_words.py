"""Everything that the rules and the verbs say has a function in `chat/words`, with exactly these arguments."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedbot.messages.rendering import MODULES, phrases

FEDBOT = Path(inspect.getfile(phrases)).parents[2]
SPOKEN_IN = ("federation", "verbs", "app")


@dataclass(frozen=True)
class Call:
    """One `say(...)` in the source: which names it may use, and which keywords it gives."""

    place: str
    names: tuple[str, ...]
    keywords: frozenset[str]


def calls() -> list[Call]:
    files = [path for folder in SPOKEN_IN for path in sorted((FEDBOT / folder).rglob("*.py"))]
    return [call for path in files for call in _calls_in(path)]


def _calls_in(path: Path) -> Iterator[Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or f.lineno)]
            place = f"{path.relative_to(FEDBOT)}:{node.lineno}"
            assert node.args, f"{place}: say() without a name"
            yield Call(place, _names(node.args[0], around, place), frozenset(_keywords(node, around, place)))


def _names(name: ast.expr, around: list[ast.FunctionDef], place: str) -> tuple[str, ...]:
    """The names that a call may use: a literal, one of two, or a local variable that holds such."""
    match name:
        case ast.Constant(value=str() as text):
            return (text,)
        case ast.IfExp(body=body, orelse=other):
            return _names(body, around, place) + _names(other, around, place)
        case ast.Name(id=variable):
            values = [value for function in around for value in _assigned(function, variable)]
            if values:
                return tuple(each for value in values for each in _names(value, around, place))
    pytest.fail(f"{place}: a test can't see which phrase is said here")


def _keywords(call: ast.Call, around: list[ast.FunctionDef], place: str) -> Iterator[str]:
    """The keywords that a call gives, those of a local `**dict` included."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg
        elif isinstance(keyword.value, ast.Name):
            yield from _keys(keyword.value.id, around, place)
        else:
            pytest.fail(f"{place}: a test can't see which arguments are given here")


def _keys(variable: str, around: list[ast.FunctionDef], place: str) -> Iterator[str]:
    """The keys of a dict that is built in the same function: `about = {"a": …}`, `about["b"] = …`."""
    found = False
    for function in around:
        for value in _assigned(function, variable):
            assert isinstance(value, ast.Dict), f"{place}: {variable} is no plain dict"
            found = True
            for key in value.keys:
                assert isinstance(key, ast.Constant), f"{place}: {variable} has a computed key"
                yield str(key.value)
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == variable:
                assert isinstance(node.slice, ast.Constant), f"{place}: {variable} has a computed key"
                yield str(node.slice.value)
    assert found, f"{place}: a test can't see what is in {variable}"


def _assigned(function: ast.FunctionDef, variable: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in targets:
                if isinstance(target, ast.Name) and target.id == variable:
                    yield node.value


def test_every_phrase_that_is_said_has_words_with_exactly_its_arguments() -> None:
    known = phrases()
    wrong = []
    for call in calls():
        for name in call.names:
            if name not in known:
                wrong.append(f"{call.place}: no words for {name}({', '.join(sorted(call.keywords))})")
                continue
            wanted = set(list(inspect.signature(known[name]).parameters)[1:])
            if wanted != set(call.keywords):
                wrong.append(f"{call.place}: {name} takes {sorted(wanted)}, is given {sorted(call.keywords)}")
    assert not wrong, "\n".join(wrong)


def test_no_words_are_left_that_nobody_says() -> None:
    said = {name for call in calls() for name in call.names}
    assert sorted(set(phrases()) - said) == []


def test_no_two_modules_have_words_of_one_name() -> None:
    defined = [
        name
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and phrases().get(name) is not None
    ]
    assert sorted(defined) == sorted(set(defined))


def test_every_module_of_words_is_known_to_the_renderer() -> None:
    folder = Path(inspect.getfile(phrases)).parent
    without_phrases = {
        "__init__",
        "rendering",
        "tongue",
        "naming",
        "diagnoses",
        "reasons",
        "how_far",
        "states",
        "transfer_facts",
        "transfer_ends",
    }
    files = {path.stem for path in folder.glob("*.py")} - without_phrases
    assert files == {module.__name__.rpartition(".")[2] for module in MODULES}
