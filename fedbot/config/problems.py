"""Problems in the settings, one sentence each: the setting, the wrong word, and what to write instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails, PydanticCustomError

ADVICE = "advice"


def write_instead(advice: str) -> PydanticCustomError:
    """The error that a validator raises. `advice` is what to write, such as 'use lowercase letters'."""
    # passed in the context, because braces in the template itself would count as placeholders
    return PydanticCustomError(ADVICE, "{advice}", {"advice": advice})


def nearest(word: str, known: Iterable[str]) -> str:
    """The only word of `known` that `word` probably meant; '' if none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""


SECRET_SETTINGS = frozenset({"password", "access_token", "token", "admin_token", "sealing_key"})
_LONGEST_QUOTE = 60


@dataclass(frozen=True)
class Problem:
    """One problem. `path` is the setting (`party.id`) or a place in the file; may be empty."""

    path: str
    said: str
    instead: str

    def __str__(self) -> str:
        """One line, such as: party.id: 'Attraktor!': use lowercase letters, digits and -, for example attraktor."""
        return ": ".join(part for part in (self.path, self.said, self.instead) if part)


class ConfigRefused(Exception):
    """The settings can't be used. `problems` has everything that was found. It contains no secret."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def problems_of(errors: Iterable[ErrorDetails], model: type[BaseModel]) -> list[Problem]:
    """Turn pydantic's errors into problems. `model` is the validated model, with the names for a did-you-mean."""
    return [_problem(error, model) for error in errors if not _follows_from_others(error)]


def _follows_from_others(error: ErrorDetails) -> bool:
    """Whether this error only follows from others: pydantic calls a list too short if all its entries are wrong."""
    return error["type"] == "too_short" and bool(error["input"])


def _problem(error: ErrorDetails, model: type[BaseModel]) -> Problem:
    location = [part for part in error["loc"] if part != "[key]"]
    path = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        return Problem(path, "no such setting", _did_you_mean([str(part) for part in location], model))
    if error["type"] == "missing":
        return Problem(path, "missing", _what_it_is([str(part) for part in location], model))
    return Problem(path, _quote(location, error), _advice(error))


def _quote(location: list[str | int], error: ErrorDetails) -> str:
    """The wrong word, if it is one and no secret."""
    offending = error["input"]
    if not location or str(location[-1]) in SECRET_SETTINGS or error["type"] in _SECTION_ERRORS:
        return ""
    if not isinstance(offending, str | int | float):
        return ""
    word = json.dumps(offending) if isinstance(offending, bool) else repr(offending)
    return word if len(word) <= _LONGEST_QUOTE else word[:_LONGEST_QUOTE] + "…"


def _advice(error: ErrorDetails) -> str:
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == ADVICE:
        return str(context["advice"])
    if kind == "literal_error":
        # pydantic lists the words in quotes, with commas and an "or"
        expected = str(context["expected"]).replace("'", "")
        meant = nearest(str(error["input"]), expected.replace(" or ", ", ").split(", "))
        return f"write {expected}" + (f"; did you mean {meant}?" if meant else "")
    return _ADVICE.get(kind, error["msg"]).format_map(context)


_NUMBER = "write a number, for example 5"
_WHOLE = "write a whole number, for example 5"
_TEXT = "write text; put it into quotes"
_LIST = "write a list: each entry on a line of its own, beginning with -"
_SECTION = "write its settings below it, each on a line of its own, indented"
_SECTION_ERRORS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_ADVICE = {
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "string_type": _TEXT,
    "path_type": "write the path of a file",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "too_short": "write at least one entry",
    "dict_type": "write one `name: value` a line, indented",
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
}


def _fields(location: list[str], model: type[BaseModel]) -> type[BaseModel] | None:
    """The section that `location` leads to, if it is one."""
    section: Any = model
    for part in location:
        field = section.model_fields.get(part)
        section = field.annotation if field else None
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return None
    return section  # type: ignore[no-any-return]


def _did_you_mean(location: list[str], model: type[BaseModel]) -> str:
    *parents, word = location
    section = _fields(parents, model)
    here = list(section.model_fields) if section else []
    close = nearest(word, here)
    if close:
        return f"did you mean {'.'.join([*parents, close])}?"
    elsewhere = dict(_everywhere(model))
    far = difflib.get_close_matches(word, elsewhere, n=1, cutoff=0.8)
    if far:
        return f"did you mean {elsewhere[far[0]]}?"
    return f"known here: {', '.join(here)}"


def _everywhere(model: type[BaseModel]) -> Iterable[tuple[str, str]]:
    """The last word of each setting, with its full path."""
    for name in model.model_fields:
        section = _fields([name], model)
        yield name, name
        if section:
            yield from ((inner, f"{name}.{inner}") for inner in section.model_fields)


def _what_it_is(location: list[str], model: type[BaseModel]) -> str:
    *parents, word = location
    section = _fields(parents, model)
    field = section.model_fields.get(word) if section else None
    if field is not None and field.description:
        return f"write {field.description}"
    return "see the example (`fedbot init`)"
