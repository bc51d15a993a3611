"""Reading YAML as people mean it: YAML 1.2's core words, no key twice, and errors that say what to put right.

PyYAML speaks YAML 1.1, in which `22:00` is the number 1320 and `no` is false.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from fedbot.config.problems import ConfigRefused, Problem

_QUOTES = "put Matrix ids, rooms and addresses into quotes, as in '@anna:example.org'"


_ALIAS = "a reference to something written elsewhere"


class _Reader(yaml.SafeLoader):
    """A safe loader with fewer surprises."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- the base class's shape

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node that isn't said elsewhere: what refers to itself, or to much, again and again, has no end."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, _ALIAS, mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- the base class's signature
        """The mapping; PyYAML would let the last of two equal keys win in silence."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a list as the name of a setting", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands here twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Reader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Reader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Reader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+$"), list("-+0123456789")
)
_Reader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def read_yaml(text: str) -> dict[str, Any]:
    """The settings in `text`, unchecked.

    Raises `ConfigRefused` naming line and column, never the line itself, since that may hold a secret.
    """
    try:
        content = yaml.load(text, Loader=_Reader)  # noqa: S506 -- a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ConfigRefused([_problem(error)]) from None
    except (yaml.YAMLError, ValueError, RecursionError):  # PyYAML lets through what int() and chr() raise
        raise ConfigRefused(
            [Problem("", "this is no YAML", "write settings as `name: value`, as in the example")]
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigRefused(
            [Problem("", "this holds no settings", "write settings as `name: value`, as in the example")]
        )
    return content


def _problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    what = error.problem or "can't be read"
    if what == _ALIAS:
        return Problem(place, what, "write it out; a * at the beginning of a value needs quotes")
    if "twice" in what:
        return Problem(place, what, "keep one of the two")
    if "\\t" in what:
        return Problem(place, "a tab", "indent with spaces")
    if "character '@'" in what or "tag" in what or "character '`'" in what:
        return Problem(place, "a value that begins with @, ! or `", _QUOTES)
    return Problem(place, what, "compare the line with the example; indent with spaces, a space after each colon")
