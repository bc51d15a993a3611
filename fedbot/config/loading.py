"""From a YAML file to `Settings`: read, fill in secrets, check, and report all problems at once."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fedbot.config.problems import ConfigRefused, Problem, problems_of
from fedbot.config.secrets import FILE, SecretSources, content_of
from fedbot.config.settings import Settings, Stamp
from fedbot.config.values import is_loopback

_QUOTES = "put Matrix ids, rooms and addresses into quotes, as in '@anna:example.org'"


_ALIAS = "a reference to something written elsewhere"


class _Reader(yaml.SafeLoader):
    """A safe loader with fewer surprises."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- the base class's shape

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node. Aliases are refused, because a few of them can expand without limit."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, _ALIAS, mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- the base class's signature
        """The mapping. It refuses a repeated key, of which PyYAML would silently use the last."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a list as the name of a setting", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} appears here twice", key_node.start_mark)
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

    Raises `ConfigRefused`, which names line and column, but never quotes the line, because it may contain a secret.
    """
    try:
        content = yaml.load(text, Loader=_Reader)  # noqa: S506 -- a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ConfigRefused([_problem(error)]) from None
    except (yaml.YAMLError, ValueError, RecursionError):  # PyYAML doesn't catch what int() and chr() raise
        raise ConfigRefused(
            [Problem("", "this isn't YAML", "write settings as `name: value`, as in the example")]
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


def load(path: Path, environment: Mapping[str, str] | None = os.environ) -> Settings:
    """The settings in the file `path`; `environment` has the values of `${NAME}`; None: variables are refused.

    Raises `ConfigRefused` with every problem found. Relative paths start from the file's folder.
    """
    stamp = stamp_of(path)
    raw = read_yaml(text_of(path))
    sources = SecretSources(path, environment)
    filled = sources.filled(raw)
    problems = sources.problems + _sign_in_problems(raw)
    reported = {problem.path.removesuffix(FILE) for problem in problems}
    try:
        settings = Settings.model_validate(filled, context={"folder": path.absolute().parent})
    except ValidationError as error:
        details = error.errors(include_url=False)
        # a placeholder for an unreadable secret is not another problem
        problems += [found for found in problems_of(details, Settings) if found.path.removesuffix(FILE) not in reported]
        raise ConfigRefused(problems) from None  # pydantic's own error quotes its input
    if problems:
        raise ConfigRefused(problems)
    return settings.read_from(path, stamp, tuple(sources.warnings + _addresses_in_clear(settings)))


def stamp_of(file: Path) -> Stamp | None:
    """The file's stamp; None while it doesn't exist."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def text_of(path: Path) -> str:
    """The text of a settings file. Raises `ConfigRefused`."""
    try:
        return content_of(path)
    except FileNotFoundError:
        raise ConfigRefused(
            [Problem(str(path), "there is no such file", f"create it with: fedbot init {path}")]
        ) from None
    except UnicodeDecodeError:
        raise ConfigRefused([Problem(str(path), "this isn't UTF-8 text", "save it as UTF-8")]) from None
    except OSError as error:
        raise ConfigRefused(
            [Problem(str(path), f"can't be read ({error.strerror})", "make it readable for fedbot's user")]
        ) from None


def _sign_in_problems(raw: dict[str, Any]) -> list[Problem]:
    """Check that there is exactly one way to sign in to Matrix, first, so it is reported with the other problems."""
    section = raw.get("matrix")
    if not isinstance(section, dict):
        return []
    ways = [
        way
        for way in ("password", "access_token")
        if section.get(way) is not None or section.get(way + FILE) is not None
    ]
    if not ways:
        return [
            Problem(
                "matrix.password_file",
                "missing",
                "write the path of a file with the bot's password, mode 0600",
            )
        ]
    if len(ways) > 1:
        return [Problem("matrix", "both password and access token", "keep one of them")]
    return []


def _addresses_in_clear(settings: Settings) -> list[Problem]:
    """Warnings about addresses without TLS: everyone on the way can read the tokens."""
    addresses = {
        "matrix.homeserver": settings.matrix.homeserver,
        "inventree.url": settings.inventree.url,
        "inventree.public_url": settings.inventree.public_url,
    }
    return [
        Problem(path, url, "without https, anybody between here and there can read the token")
        for path, url in addresses.items()
        if url.startswith("http://") and not is_loopback(url)
    ]
