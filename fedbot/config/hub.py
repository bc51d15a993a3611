"""The settings of a hub's worker, and the settings of a space that it runs."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, PrivateAttr, SecretStr, ValidationError

from fedbot.config.loading import load, read_yaml, text_of
from fedbot.config.problems import ConfigRefused, Problem, problems_of
from fedbot.config.secrets import FILE, SecretSources
from fedbot.config.settings import HEALTH_SOCKET, LONGEST_SOCKET_PATH, Log, Section, Settings, Web, state_folder
from fedbot.config.values import Count, DatabaseUrl, FilePath, Filled, Listen

CONFIG = "config.yaml"
OF_THE_WORKER = ("state", "web", "log")
"""Sections that a hosted space's settings must not have."""
OF_THE_HUB = ("journal", "password_file")
"""The setting that a hosted space takes from the hub: the password of its database."""


class HubDatabase(Section):
    """The PostgreSQL database that all workers share."""

    url: DatabaseUrl = Field(
        min_length=1, description="its address, without a password, as in postgresql://fedbot@db.example.org/fedbot"
    )
    password: SecretStr | None = Field(None, description="password of its user, if it needs one")
    password_file: FilePath | None = Field(None, description="file that holds it")


class Api(Section):
    """A REST API for the operator's programs (`fedbot hub api`)."""

    listen: Listen = Field("", description="IP address and port of the API; empty: there is none")
    proxies: tuple[Filled, ...] = Field(
        ("127.0.0.1", "::1"), description="IP addresses of proxies that may say for whom they ask (`X-Forwarded-For`)"
    )
    calls_a_minute: Count = Field(120, ge=1, le=6000, description="calls that one token may make in a minute")


class HubSettings(Section):
    """All settings of one worker of a hub, checked."""

    database: HubDatabase
    spaces: FilePath = Field(
        Path("spaces"),
        validate_default=True,
        description="folder with a folder for each space: its settings file config.yaml and its secrets. All workers "
        "read the same, and write renewed tokens into it",
    )
    state: FilePath = Field(
        default_factory=state_folder,
        validate_default=True,
        description="folder that this worker alone uses; `FEDBOT_STATE` gives another default",
    )
    web: Web = Web()
    api: Api = Api()
    log: Log = Log()
    _source: Path = PrivateAttr(Path())

    @property
    def source(self) -> Path:
        """The file that the settings were read from."""
        return self._source

    @property
    def health_socket(self) -> Path:
        """The socket on which the running worker answers."""
        return self.state / HEALTH_SOCKET

    @property
    def password(self) -> str:
        """The password of the database's user; '' if it needs none."""
        return self.database.password.get_secret_value() if self.database.password else ""

    def folder_of(self, space: str) -> Path:
        """The folder of a space's settings and secrets."""
        return self.spaces / space

    def config_of(self, space: str) -> Path:
        """A space's settings file."""
        return self.folder_of(space) / CONFIG

    def state_of(self, space: str) -> Path:
        """The folder of a space's stock index and socket at this worker. Both can be rebuilt."""
        return self.state / "spaces" / space

    def names(self) -> tuple[str, ...]:
        """All spaces that have a folder, sorted by name."""
        if not self.spaces.is_dir():
            return ()
        return tuple(sorted(each.name for each in self.spaces.iterdir() if (each / CONFIG).exists()))


def load_hub(path: Path) -> HubSettings:
    """The settings in the file `path`. Raises `ConfigRefused` with every problem found."""
    if not path.exists():
        raise ConfigRefused([Problem(str(path), "there is no such file", "write one; docs/hub.md shows how")])
    sources = SecretSources(path, os.environ)
    filled = sources.filled(read_yaml(text_of(path)))
    try:
        settings = HubSettings.model_validate(filled, context={"folder": path.absolute().parent})
    except ValidationError as error:
        found = problems_of(error.errors(include_url=False), HubSettings)
        raise ConfigRefused([*sources.problems, *found]) from None  # pydantic's own error quotes its input
    if sources.problems:
        raise ConfigRefused(sources.problems)
    known = settings.model_copy()
    known._source = path  # noqa: SLF001 -- a private attribute of our own class, on our own copy
    return known


def _files_of_others(hub: HubSettings, space: str) -> list[Problem]:
    """The files that a space's settings name in another space's folder, or among the hub's own.

    Otherwise the author of such settings could make the bot send another space's token to their own server.
    """
    folder, problems = hub.folder_of(space).absolute(), list[Problem]()
    own, kept = folder.resolve(), [each.resolve() for each in (hub.spaces.absolute(), hub.state.absolute())]
    advice = "name a file in the folder of this space, or outside the hub's folders"
    for section, values in read_yaml(text_of(hub.config_of(space))).items():
        for name, value in values.items() if isinstance(values, dict) else ():
            if not str(name).endswith(FILE) or not isinstance(value, str) or (section, name) == OF_THE_HUB:
                continue
            file = (folder / Path(value).expanduser()).resolve()
            is_the_hubs = hub.database.password_file is not None and file == hub.database.password_file.resolve()
            if not file.is_relative_to(own) and (is_the_hubs or any(file.is_relative_to(each) for each in kept)):
                problems.append(Problem(f"{section}.{name}", value, advice))
    return problems


def load_space(hub: HubSettings, space: str) -> Settings:
    """A space's settings with a state folder at this worker. They can't use variables: the environment is the hub's.

    Raises `ConfigRefused`, also for settings that a hub can't support.
    """
    if foreign := _files_of_others(hub, space):
        raise ConfigRefused(foreign)
    settings = load(hub.config_of(space), None)
    problems = [
        Problem(name, "", "leave it out: each worker has one for all its spaces")
        for name in OF_THE_WORKER
        if name in settings.model_fields_set
    ]
    if settings.party.id != space:
        advice = f"the folder of this space is called {space}; give both the same name"
        problems.append(Problem("party.id", repr(settings.party.id), advice))
    if settings.journal.url != hub.database.url:
        advice = f"write the database of the hub: {hub.database.url}"
        problems.append(Problem("journal.url", repr(settings.journal.url), advice))
    if len(bytes(hub.state_of(space) / HEALTH_SOCKET)) > LONGEST_SOCKET_PATH:
        advice = f"the hub's folder is too long for a socket in it: {hub.state_of(space)}"
        problems.append(Problem("state", "", advice))
    if problems:
        raise ConfigRefused(problems)
    return settings.hosted(hub.state_of(space))
