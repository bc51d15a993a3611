"""From a file to `Settings`: read, fill in secrets, check, and tell everything that is wrong at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fedbot.config.problems import ConfigRefused, Problem, problems_of
from fedbot.config.secret_sources import FILE, SecretSources
from fedbot.config.settings import Settings
from fedbot.config.values import is_loopback
from fedbot.config.yaml_reading import read_yaml


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the file `path`; `environment` is where `${NAME}` is looked up.

    Raises `ConfigRefused` with every problem found. Relative paths in it count from the file's folder.
    """
    raw = read_yaml(_text(path))
    sources = SecretSources(path, environment)
    filled = sources.filled(raw)
    problems = sources.problems + _sign_in_problems(raw)
    reported = {problem.path.removesuffix(FILE) for problem in problems}
    try:
        settings = Settings.model_validate(filled, context={"folder": path.absolute().parent})
    except ValidationError as error:
        details = error.errors(include_url=False)
        # what stood in for a secret that could not be read is no problem of its own
        problems += [found for found in problems_of(details, Settings) if found.path.removesuffix(FILE) not in reported]
        raise ConfigRefused(problems) from None  # pydantic's own error quotes what it was given
    if problems:
        raise ConfigRefused(problems)
    return settings.read_from(path, tuple(sources.warnings + _addresses_in_clear(settings)))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigRefused([Problem(str(path), "there is no such file", f"make one: fedbot init {path}")]) from None
    except UnicodeDecodeError:
        raise ConfigRefused([Problem(str(path), "this is no text in UTF-8", "save it as UTF-8")]) from None
    except OSError as error:
        raise ConfigRefused(
            [Problem(str(path), f"can't be read ({error.strerror})", "make it readable for fedbot's user")]
        ) from None


def _sign_in_problems(raw: dict[str, Any]) -> list[Problem]:
    """Exactly one way to sign in to Matrix. Looked at before all else, so that it is told with the rest."""
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
    """Tokens go to these addresses; without TLS everyone on the way reads them."""
    addresses = {
        "matrix.homeserver": settings.matrix.homeserver,
        "inventree.url": settings.inventree.url,
        "inventree.public_url": settings.inventree.public_url,
    }
    return [
        Problem(path, url, "without https everyone on the way can read the token")
        for path, url in addresses.items()
        if url.startswith("http://") and not is_loopback(url)
    ]
