"""An operator gives the commands in any order, some of them killed, without the database, or beside a running bot.

There are two hubs and several folders. A bot can begin in one place at most, on the newest journal and with its own
key. If a command was interrupted, some command brings the space back.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from fedbot.cli import init
from fedbot.cli.exits import Exit
from fedbot.config.hub import load_hub, load_space
from fedbot.edge_settings import sealing_key
from fedbot.hub import tending
from fedbot.hub.roster import Roster
from fedbot.identity import open_identity
from fedbot.journal.copies import FILE
from fedbot.journal.database import ARRIVING, MOVED, Address
from fedbot.journal.lease import Lease, claim
from fedbot.journal.lock import StateLock
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.sealed import FolderInDatabase, Seal
from tests.config.conftest import ENVIRONMENT
from tests.fakes.postgresql import Server
from tests.hub.test_hub_commands import STEPS, Kill, Killed, fedbot, lone_bot

COMMANDS = 30
SENSIBLE = 0.6
"""How often the operator names the hub or the folder where the space is."""
OTHER = "other"
"""The database of the second hub."""


@dataclass(frozen=True)
class Place:
    """A place where a bot could begin: a state folder, or a hub. `token` is that of its journal."""

    where: Path
    token: str

    @property
    def is_hub(self) -> bool:
        return self.where.suffix == ".yaml"


@dataclass
class Operator:
    """Two hubs, the folders of separate bots, and what has happened so far."""

    server: Server
    folder: Path
    space: str
    chance: random.Random
    hubs: list[Path] = field(default_factory=list)
    homes: list[Path] = field(default_factory=list)
    newest: int = 1
    given: list[str] = field(default_factory=list)
    interrupted: tuple[Path, tuple[str, ...]] | None = None

    def living(self) -> list[Place]:
        """The places where a bot can begin on a journal that was worked on."""
        found = []
        for home in self.homes:
            for state in (home / "its-state", home / "state"):
                marks = _marks_in(state / FILE)
                if "token" in marks and not marks.keys() & {MOVED, ARRIVING}:
                    found.append(Place(state, marks["token"]))
        for hub in self.hubs:
            with closing(Roster(load_hub(hub))) as roster:
                place = roster.journal_of(self.space)
                assert place.is_used or not place.is_here, f"a stranger can begin\n{self.story()}"
                if place.is_here and place.is_used:
                    with roster.connected() as connection:
                        query = f"SELECT value FROM \"space_{self.space}\".meta WHERE name = 'token'"  # noqa: S608
                        (token,) = connection.execute(query.encode()).fetchone() or ("",)
                    found.append(Place(hub, token))
        return found

    def check(self, *, at_the_end: bool = False) -> list[Place]:
        """One bot at most can begin, and it knows everything."""
        living = self.living()
        assert len(living) <= 1, f"two bots can begin: {living}\n{self.story()}"
        for place in living:
            assert place.token == f"s{self.newest}", f"{place} is old\n{self.story()}"
        assert living or (self.interrupted and not at_the_end), f"nobody can begin\n{self.story()}"
        return living

    def story(self) -> str:
        """What the operator has done."""
        return "\n".join(self.given)

    def a_command(self) -> tuple[Path, tuple[str, ...]]:
        """Any command on any hub, except that the operator doesn't remove the only journal."""
        living, space = self.living(), self.space
        hubs = [place.where for place in living if place.is_hub]
        hub = self.chance.choice(hubs if hubs and self.chance.random() < SENSIBLE else self.hubs)
        came_from = [place.where.parent for place in living if not place.is_hub]
        source = self.chance.choice(came_from if came_from and self.chance.random() < SENSIBLE else self.homes)
        home = self.chance.choice([*self.homes, self.folder / f"out-{len(self.homes)}"])
        choices: list[tuple[str, ...]] = [
            *[("add", space, "--from", str(source / "config.yaml"))] * 4,
            *[("leave", space, str(home))] * 4,
            *(("add", space), ("pause", space), ("resume", space), ("move", space)),
        ]
        if not any(place.where == hub for place in living):
            choices += [("remove", space, "--sure")] * 2
        words = self.chance.choice(choices)
        if words[0] == "leave" and home not in self.homes:
            self.homes.append(home)
        return hub, words

    def gives(self, hub: Path, words: tuple[str, ...], trouble: str = "") -> int | None:
        """Give the command in that trouble; None if it was interrupted."""
        troubles: dict[str, Callable[[], Any]] = {
            "": _nothing,
            "killed": self._killed,
            "no database": self._without_the_database,
            "beside a bot": self._beside_a_bot,
        }
        code: int | None = None
        self.given.append(f"{hub.stem} {' '.join(words)} ({trouble or 'untroubled'})")
        try:
            with troubles[trouble]():
                code = fedbot(hub, *words)
        except Killed:
            pass
        for each in self.hubs:  # a claim that nobody could give back holds for a while
            with closing(Roster(load_hub(each))) as roster, roster.connected() as connection:
                connection.execute("UPDATE fedbot.leases SET expires = '-infinity' WHERE space = $1", (self.space,))
        self.given[-1] += f": {code}"
        if code is None or trouble == "no database":
            self.interrupted = hub, words
        return code

    @contextmanager
    def _killed(self) -> Iterator[None]:
        kill = Kill(self.chance.randint(1, 16))
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in STEPS:
                patch.setattr(owner, name, kill.before(getattr(owner, name)))
            yield

    @contextmanager
    def _without_the_database(self) -> Iterator[None]:
        left = self.chance.randint(0, 60)
        execute = psycopg.Connection.execute

        def until_it_is_gone(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- psycopg's own
            nonlocal left
            left -= 1
            if left < 0:
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return execute(*given, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Connection, "execute", until_it_is_gone)
            yield

    @contextmanager
    def _beside_a_bot(self) -> Iterator[None]:
        """The bot runs, if there is one, and goes on during the command."""
        bots = [self._claimed(place.where) if place.is_hub else StateLock(place.where) for place in self.living()]
        yield
        for bot in bots:
            bot.release()

    def _claimed(self, hub: Path) -> Lease:
        lease = claim(Address(load_hub(hub).database.url, self.space), "a worker")
        assert lease is not None
        return lease

    def works(self) -> None:
        """The bot works for a while, if one can begin."""
        for place in self.living():
            self.newest += 1
            token = f"s{self.newest}"
            if not place.is_hub:
                with closing(sqlite3.connect(place.where / FILE)) as journal, journal:
                    journal.execute("UPDATE meta SET value = ? WHERE name = 'token'", (token,))
                continue
            with closing(Roster(load_hub(place.where))) as roster, roster.connected() as connection:
                statement = f"UPDATE \"space_{self.space}\".meta SET value = $1 WHERE name = 'token'"  # noqa: S608
                connection.execute(statement.encode(), (token,))

    def finds_a_way_out(self) -> list[Place]:
        """Give the interrupted command again, and else any other that may help."""
        assert self.interrupted is not None
        ways = [self.interrupted]
        for hub in self.hubs:
            ways += [(hub, ("leave", self.space, str(home))) for home in self.homes]
            ways += [(hub, ("add", self.space, "--from", str(home / "config.yaml"))) for home in self.homes]
        for hub, words in ways:
            self.gives(hub, words)
            if self.check():
                break
        return self.check(at_the_end=True)

    def key(self, place: Place) -> str:
        """The signing key of the bot that begins there."""
        if not place.is_hub:
            return open_identity(place.where / "identity").key
        hub, lease = load_hub(place.where), self._claimed(place.where)
        try:
            with closing(PostgresqlDatabase(lease)) as database:
                seal = Seal(sealing_key(load_space(hub, self.space)), self.space)
                return open_identity(FolderInDatabase(database, seal)).key
        finally:
            lease.release()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _marks_in(file: Path) -> dict[str, str]:
    """The entries of a journal's `meta`; none if there is no journal."""
    if not file.exists():
        return {}
    with closing(sqlite3.connect(file)) as journal:
        return dict(journal.execute("SELECT name, value FROM meta"))


@pytest.fixture
def operator(postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tending, "PATIENCE", 0.1)
    monkeypatch.setattr(tending, "LOOKS_EVERY", 0.05)
    monkeypatch.setattr(init, "set_up", lambda *_, **__: Exit.FAILED)  # nobody answers its questions
    with postgresql.connect() as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (OTHER,)).fetchone():
            admin.execute(f"CREATE DATABASE {OTHER}")
    made = Operator(postgresql, tmp_path, postgresql.space().space, random.Random())
    for name, url in (("one", postgresql.url), ("two", postgresql.url.replace("/postgres?", f"/{OTHER}?"))):
        hub = tmp_path / f"{name}.yaml"
        hub.write_text(yaml.safe_dump({"database": {"url": url}, "spaces": f"{name}-spaces", "state": f"{name}-state"}))
        made.hubs.append(hub)
    made.homes.append(tmp_path / "lone")
    return made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 60))])
def test_no_order_of_commands_and_no_interruption_lets_two_bots_begin_or_loses_anything(
    operator: Operator, seed: int
) -> None:
    _, key = lone_bot(operator.homes[0], operator.space)
    operator.chance.seed(seed)
    chance = operator.chance
    for _ in range(COMMANDS):
        if chance.random() < 0.4:
            operator.works()
        trouble = chance.choice(["", "", "killed", "no database", "beside a bot"])
        operator.gives(*operator.a_command(), trouble)
        if operator.check():
            operator.interrupted = None
        elif chance.random() < 0.5:
            operator.finds_a_way_out()
            operator.interrupted = None
    (place,) = operator.check() or operator.finds_a_way_out()
    assert operator.key(place) == key
    assert [fedbot(hub, "list") for hub in operator.hubs] == [Exit.OK, Exit.OK]
