"""Our own InvenTree as the rules see it: the functions that answer each query and do each step."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from fedbot.config.secrets import content_of, token_in
from fedbot.inventree import (
    catalogue,
    health,
    incoming,
    marks,
    match_parts,
    outgoing,
    own_tokens,
    peer_access,
    people,
    returns,
    what_travels,
    whereabouts,
)
from fedbot.inventree.client.server import InventorySettings, Look, Server, Signer, look
from fedbot.inventree.client.transport import OF_A_FRIEND, InvenTreeTransport
from fedbot.inventree.marks import line_of, recognise
from fedbot.inventree.stock_index import LOOK_AT_HISTORY, StockIndex, StockReading
from fedbot.inventree.whereabouts import with_merges
from fedbot.logs import keep_secret
from fedbot.ports.inventory import Credentials, InThread, InventoryProblem, OutcomeUnknown, Refusal, Unavailable
from fedbot.ports.journal import LeaseLost
from fedbot.ports.vault import Vault
from fedbot.rules.model import queries, steps
from fedbot.rules.model.diagnosis import (
    ANOTHER_THING,
    GONE,
    AnsweredOnly,
    BadVersion,
    Fault,
    Forbidden,
    Named,
    NameFault,
    NotUnderstood,
    Plain,
    Redirected,
    Verbatim,
    VersionFault,
)
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.steps import Step, StepResult

log = logging.getLogger(__name__)

Q = TypeVar("Q")
A = TypeVar("A")

# Admins upgrade a running server, so the bot looks at it this often, and after every outage.
SECONDS_BETWEEN_LOOKS = 24 * 3600.0

# An upgrade shorter than the pause between two calls causes no outage, but changes addresses and fields.
SECONDS_BETWEEN_VERSIONS = 60.0

# A step that follows its probe within this time doesn't check its stock item again.
SECONDS_RECOGNISED = 5.0

SECONDS_TO_END = 5.0
MOST_TRIALS = 4


ANSWERS: dict[type[Query], Callable[[Server, Any], Answer]] = {
    queries.PersonPermissions: people.permissions_of,
    queries.WhoMay: people.who_may,
    queries.FindItems: catalogue.find_items,
    queries.RelateUnits: catalogue.relate_units,
    queries.MatchPart: match_parts.match_part,
    queries.StockFigures: health.count_stock,
    queries.Overview: health.standing,
    queries.OwnTokens: own_tokens.own_tokens,
    queries.CompanyMirrors: marks.company_mirrors,
    queries.HistoryAt: marks.history_at,
    queries.WhereIsIt: whereabouts.where_is,
    queries.BooksOf: whereabouts.books_of,
    queries.FindShareable: catalogue.find_shareable,
    queries.SearchStock: catalogue.search_stock,
    queries.NamedThings: catalogue.unknown_things,
}

PROBES: dict[type[Step], Callable[[Server, Any], StepResult | None]] = {
    steps.TakeOut: outgoing.find_taken,
    steps.HandOver: outgoing.find_handed_over,
    steps.PutBack: outgoing.find_put_back,
    steps.TakeBack: returns.find_taken_back,
    steps.MergeBack: outgoing.find_merged_back,
    steps.Arrived: outgoing.find_arrived,
    steps.Remark: outgoing.find_remarked,
    steps.WriteOff: incoming.find_written_off,
    steps.CreatePart: incoming.find_part_created,
    steps.CreateItem: incoming.find_item_created,
    steps.BookInAgain: incoming.find_booked_in_again,
    steps.MarkAsHere: incoming.find_marked_as_here,
    steps.PutAway: incoming.find_put_away,
    steps.MakeCompany: peer_access.find_company_made,
    steps.CloseCompany: peer_access.find_company_closed,
    steps.MakeAccess: peer_access.find_access_made,
    steps.EndAccess: peer_access.find_access_ended,
    steps.MintToken: peer_access.find_token_minted,
    steps.RevokeToken: peer_access.find_token_revoked,
    steps.RenewOwnToken: own_tokens.find_renewed,
    steps.RevokeOwnToken: own_tokens.find_revoked,
    steps.TryToken: peer_access.find_token_tried,
    steps.Mirror: marks.find_mirrored,
    steps.Label: marks.find_labelled,
    steps.Furnish: what_travels.find_furnished,
    steps.AttachPhoto: what_travels.find_attached,
    steps.SendFile: what_travels.find_sent,
    steps.KeepFile: what_travels.find_kept,
}
"""For each step, the function that looks for its mark in InvenTree."""

ACTS: dict[type[Step], Callable[[Server, Any], StepResult]] = {
    steps.TakeOut: outgoing.take_out,
    steps.HandOver: outgoing.hand_over,
    steps.PutBack: outgoing.put_back,
    steps.TakeBack: returns.take_back,
    steps.MergeBack: outgoing.merge_back,
    steps.Arrived: outgoing.mark_arrived,
    steps.Remark: outgoing.remark,
    steps.WriteOff: incoming.write_off,
    steps.CreatePart: incoming.create_part,
    steps.CreateItem: incoming.create_item,
    steps.BookInAgain: incoming.book_in_again,
    steps.MarkAsHere: incoming.mark_as_here,
    steps.PutAway: incoming.put_away,
    steps.MakeCompany: peer_access.make_company,
    steps.CloseCompany: peer_access.close_company,
    steps.MakeAccess: peer_access.make_access,
    steps.EndAccess: peer_access.end_access,
    steps.MintToken: peer_access.mint_token,
    steps.RevokeToken: peer_access.revoke_token,
    steps.RenewOwnToken: own_tokens.renew,
    steps.RevokeOwnToken: own_tokens.revoke_own,
    steps.TryToken: peer_access.try_token,
    steps.Mirror: marks.mirror,
    steps.Label: marks.label,
    steps.Furnish: what_travels.furnish,
}

FILE_ACTS: dict[type[Step], Callable[[Server, Any, bytes], steps.PhotoAttached | steps.FileKept]] = {
    steps.AttachPhoto: what_travels.attach,
    steps.KeepFile: what_travels.keep_file,
}
"""The steps that need a file's content too. `SendFile` changes nothing here: it goes to the homeserver."""


def _with_merges(
    look: Callable[[Server, Any], Answer],
    received: queries.ReceivedOf,
    server: Server,
    asked: Any,  # noqa: ANN401 -- any type that `look` takes
) -> Answer:
    """The items found, and which of their parts' stock has vanished."""
    match look(server, asked):
        case queries.ItemsFound() as items:
            return with_merges(server, items, received)
        case queries.StockHits() as hits:
            return with_merges(server, hits, received)
        case other:
            raise TypeError(f"nothing of ours was found: {other!r}")


class OwnInventory:
    """The port `Inventory` on one InvenTree server. Nothing is read before the first query or step.

    `may_write` is called before each write; it raises `LeaseLost` if another worker may be writing. `in_thread` runs
    the calls, which block; each bot of a shared process has its share of the threads.

    Args:
        settings: the address of the server, and how to use it.
        vault: the peers' tokens.
        network: returns the httpx transport for an address, in place of the network (tests, the simulator).
        sign: signs what is mirrored into metadata; without it the mirror is unsigned.
        pause: waits between tries of a read.
        index: the file of the stock index; None: in memory.
        now: the time, aware; it decides when the stock is read again.
        measure: seconds by a clock that never goes back; it times pages and the age of new rows.
    """

    def __init__(
        self,
        settings: InventorySettings,
        vault: Vault,
        *,
        network: Callable[[str], httpx.BaseTransport | None] = lambda _: None,
        sign: Signer | None = None,
        pause: Callable[[float], None] = time.sleep,
        index: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        measure: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.may_write: Callable[[], None] = lambda: None
        self.in_thread: InThread = asyncio.to_thread
        self._settings = settings
        self._vault = vault
        self._network = network
        self._sign = sign
        self._pause = pause
        self._former: list[InvenTreeTransport] = []
        self._api: InvenTreeTransport | None = None
        self._admin: InvenTreeTransport | None = None
        self._server: Server | None = None
        self._looked_at = self._asked_version_at = 0.0
        self._so_far = Look()
        self._overview_waits = False
        self._looking = threading.Lock()
        self._index = StockIndex(index)
        self._stock = StockReading(self._index, now, measure)
        self._measure = measure
        self._trials = ThreadPoolExecutor(MOST_TRIALS, "trial")
        self._writing = threading.Lock()
        self._read_at: dict[Path, int] = {}
        self._recognised: tuple[Step | None, float] = (None, 0.0)
        self._new_item: dict[int, tuple[str, float]] = {}

    async def answer(self, query: Query, received: queries.ReceivedOf | None = None) -> Answer:
        """Read the answer; see `fedbot.ports.Inventory`. `Overview` looks at the server again, once."""
        return await self.in_thread(self.answered, query, received)

    def answered(self, query: Query, received: queries.ReceivedOf | None) -> Answer:
        """Like `answer`, in this thread."""
        if isinstance(query, queries.Overview) and not self._overview_waits:
            self.look_again()
            self._overview_waits = True
        look = ANSWERS[type(query)]
        if received is not None:
            look = partial(_with_merges, look, received)
        answer = self._run(look, query, Unavailable)
        if isinstance(query, queries.Overview):
            self._overview_waits = False
        return answer

    async def answer_all(self, asked: Sequence[tuple[Query, queries.ReceivedOf | None]]) -> tuple[Answer, ...]:
        """Read all answers; see `fedbot.ports.Inventory`."""
        return await self.in_thread(self.all_answered, asked)

    def all_answered(self, asked: Sequence[tuple[Query, queries.ReceivedOf | None]]) -> tuple[Answer, ...]:
        """Like `answer_all`, in this thread."""
        with people.read_once(query for query, _ in asked):
            return tuple([self.answered(query, received) for query, received in asked])

    async def probe(self, step: Step) -> StepResult | None:
        """Whether InvenTree has the step's mark; see `fedbot.ports.Inventory`.

        A probe that finds a movement that differs from the agreement undoes it, so probes are writers too.
        """
        if isinstance(step, steps.TryToken) and step.url:
            return None  # a trial leaves no trace
        return await self.in_thread(self._write, self._probed, step)

    async def act(self, step: Step) -> StepResult:
        """Do the step once and read it back; see `fedbot.ports.Inventory`."""
        if isinstance(step, steps.TryToken) and step.url:
            return await self._try_at_the_peers(step)
        return await self.in_thread(self._write, partial(self._acted, ACTS[type(step)]), step)

    async def attach(
        self, step: steps.AttachPhoto | steps.KeepFile, content: bytes
    ) -> steps.PhotoAttached | steps.FileKept:
        """Attach a file once and read it back; see `fedbot.ports.Inventory`."""

        def attached(server: Server, step: Any) -> steps.PhotoAttached | steps.FileKept:  # noqa: ANN401 -- as in the table
            return FILE_ACTS[type(step)](server, step, content)

        return await self.in_thread(self._write, partial(self._acted, attached), step)

    async def read_file(self, step: steps.SendFile) -> bytes:
        """The content of a file to send; see `fedbot.ports.Inventory`."""
        return await self.in_thread(self._run, what_travels.read_file, step, Unavailable)

    async def picture(self, where: str) -> bytes | None:
        """The thumbnail of a part; see `fedbot.ports.Inventory`."""
        return await self.in_thread(self._run, what_travels.read_picture, where, Unavailable)

    def _probed(self, server: Server, step: Step) -> StepResult | None:
        """Look for the step's mark on the right stock item.

        The history that recognising it reads also serves the probe.
        """
        _forget(server)
        if self._is_on_new_item(step):
            self._recognised = (step, self._measure())
            return None
        try:
            recognise(server, step)
        except Refusal as problem:
            merged = outgoing.find_merged_since(server, step) if problem.reason in {ANOTHER_THING, GONE} else None
            if merged is None:
                raise
            return merged
        self._recognised = (step, self._measure())
        return PROBES[type(step)](server, step)

    def _is_on_new_item(self, step: Step) -> bool:
        """Whether the step is on a stock item that this process created a moment ago for the same line.

        There was no such row before, so the step isn't done, and the row is known because it was just read back.
        """
        if not isinstance(step, steps.HandOver | steps.PutAway):
            return False
        mark, when = self._new_item.pop(step.item, ("", 0.0))
        return mark == line_of(step.mark) and self._measure() - when <= SECONDS_RECOGNISED

    def _acted(self, act: Callable[[Server, Any], A], server: Server, step: Step) -> A:
        """Do the step on the right stock item.

        The probe just before may have checked the item; else it is checked now.
        """
        step_before, when = self._recognised
        if step_before != step or self._measure() - when > SECONDS_RECOGNISED:
            recognise(server, step)
        self._recognised = (None, 0.0)
        _forget(server)
        if isinstance(step, steps.HandOver | steps.PutAway):
            self._new_item.pop(step.item, None)
        accepted = server.api.accepted
        try:
            told = act(server, step)
        except Refusal as problem:
            if problem.reason == GONE and server.api.accepted > accepted:  # somebody removed it after our own change
                raise OutcomeUnknown(problem.problem) from problem
            raise
        match step, told:
            case (steps.TakeOut(), steps.Taken(item, whole=False)) | (steps.CreateItem(), steps.ItemCreated(item)):
                self._new_item = {item: (line_of(step.mark), self._measure())}
        return told

    async def whose(self, credentials: Credentials) -> str | None:
        """The active user with these credentials; see `fedbot.ports.Inventory`."""
        return await self.in_thread(self._run, self._whose, credentials, Unavailable)

    def _whose(self, server: Server, credentials: Credentials) -> str | None:
        network = self._network(self._settings.url)
        return people.whose(server, self._settings, credentials, network)

    async def rehearse(self) -> health.Rehearsal:
        """Try the calls of a first transfer without changing anything. Raises the problems of a read."""
        return await self.in_thread(
            self._run, lambda server, _: health.rehearse(server), queries.Overview(), Unavailable
        )

    async def tend(self) -> float:
        """Read a page for the index of our stock; see `fedbot.ports.Inventory`."""
        return await self.in_thread(self.tended)

    def indexed(self) -> queries.IndexStanding:
        """The progress of reading our stock; see `fedbot.ports.Inventory`."""
        return self._stock.standing()

    def tended(self) -> float:
        """Like `tend`, in this thread."""
        return self._run(_tended, self._stock, Unavailable)

    def look_again(self) -> None:
        """Read version, roles and locations again before the next call."""
        self._looked_at, self._so_far = 0.0, Look()

    def use(self, settings: InventorySettings) -> None:
        """Use these settings from now on. Running calls end with the old ones, whose connections stay open."""
        with self._looking:
            self._former += [transport for transport in (self._api, self._admin) if transport is not None]
            self._settings = settings
            self._api = self._admin = None
            self.look_again()

    def close(self) -> None:
        """Close all connections."""
        self._trials.shutdown(wait=False, cancel_futures=True)
        self._index.close()
        for transport in (self._api, self._admin, *self._former):
            if transport is not None:
                transport.close()

    def _run(
        self,
        work: Callable[[Server, Q], A],
        asked: Q,
        misunderstood: type[Unavailable | OutcomeUnknown],
    ) -> A:
        """Run `work` on the current look at the server. After an outage or an upgrade, look again.

        After a refusal by an upgraded server a read is made again, and a step's outcome is unknown.

        A failure of our own code, or a library's, such as a row without a field that every version has, is raised as
        `misunderstood`: this edge raises only the port's own problems.
        """
        server = None
        try:
            server = self._as_it_stands()
            return work(server, asked)
        except (Unavailable, OutcomeUnknown) as problem:
            if not _wants_fewer_calls(problem):  # a look costs calls, and the server wants fewer
                self.look_again()
            raise
        except Refusal as problem:
            if server is None or not _was_upgraded_meanwhile(server, problem):
                raise
            self.look_again()
            if misunderstood is OutcomeUnknown:
                raise OutcomeUnknown(problem.problem) from problem
            return self._run(work, asked, misunderstood)
        except (InventoryProblem, LeaseLost):
            raise
        except Exception as fault:
            log.exception("%s failed", type(asked).__name__)
            self.look_again()
            raise misunderstood(NotUnderstood(type(fault).__name__, of_friend=False)) from fault

    def _write(self, work: Callable[[Server, Q], A], asked: Q) -> A:
        """Run `work` for a step: one at a time, and only on a supported version.

        The writing thread holds the lock, so a cancelled task doesn't let a second writer in.
        """
        with self._writing:
            return self._run(lambda server, step: work(_writable(server), step), asked, OutcomeUnknown)

    def _as_it_stands(self) -> Server:
        with self._looking:
            self._take_changed_tokens()
            age = time.monotonic() - self._looked_at
            if self._server is None or not self._looked_at or age > SECONDS_BETWEEN_LOOKS or self._was_upgraded():
                api, admin = self._transports()
                self._server = look(
                    api, admin, self._settings, self._vault, self._connect, self._stock, self._sign, self._so_far
                )
                self._so_far = Look()
                self._looked_at = self._asked_version_at = time.monotonic()
            return self._server

    def _was_upgraded(self) -> bool:
        """Whether InvenTree's version has changed since the last look. At most one call a minute."""
        if self._server is None or time.monotonic() - self._asked_version_at < SECONDS_BETWEEN_VERSIONS:
            return False
        self._server.api.connect()
        self._asked_version_at = time.monotonic()
        return self._server.api.api_version != self._server.version.api

    def _transports(self) -> tuple[InvenTreeTransport, InvenTreeTransport | None]:
        """The connections with both tokens, opened once."""
        settings = self._settings
        if self._api is None:
            self._api = self._connect(settings.url, settings.token.get_secret_value())
        if self._admin is None and settings.admin_token is not None:
            self._admin = self._connect(settings.url, settings.admin_token.get_secret_value())
        return self._api, self._admin

    def _take_changed_tokens(self) -> None:
        """Read the tokens' files again, because an admin may have put a new token there."""
        files = {self._settings.token_file: self._api, self._settings.admin_token_file: self._admin}
        for file, transport in files.items():
            if file is None or transport is None:
                continue
            try:
                changed = file.stat().st_mtime_ns
                if self._read_at.get(file) == changed:
                    continue
                token = token_in(content_of(file))
            except (OSError, ValueError) as problem:
                log.warning("the token's file %s can't be read, so the token stays: %s", file, problem)
                continue
            self._read_at[file] = changed
            if token and not transport.uses_token(token):
                keep_secret(token)
                transport.use_token(token)
                self.look_again()
                log.info("another token stands in %s; it is used from now on", file)

    def _connect(self, url: str, token: str) -> InvenTreeTransport:
        """A transport to our own server."""
        transport = InvenTreeTransport(
            url,
            token,
            timeout=self._settings.timeout,
            certificate=self._settings.certificate,
            transport=self._network(url),
            pause=self._pause,
        )
        transport.may_write = self.may_write
        return transport

    def _connect_peer(self, url: str, token: str, private: bool) -> InvenTreeTransport:  # noqa: FBT001 -- PeerConnector
        """A transport to a peer's server, with limited time and size, and no way into our network."""
        return InvenTreeTransport(
            url,
            token,
            timeout=min(self._settings.timeout, OF_A_FRIEND.seconds),
            certificate=self._settings.certificate,
            transport=self._network(url),
            pause=self._pause,
            bound=OF_A_FRIEND,
            private=private,
        )

    async def _try_at_the_peers(self, step: steps.TryToken) -> StepResult:
        """Try a peer's token on separate threads, because its server may hang and must not delay our own calls."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(OF_A_FRIEND.seconds + SECONDS_TO_END):
                return await loop.run_in_executor(self._trials, self._tried, step)
        except TimeoutError:
            raise Unavailable(Plain(Fault.FRIEND_SILENT)) from None

    def _tried(self, step: steps.TryToken) -> StepResult:
        """Try a peer's token, in this thread."""
        try:
            return peer_access.try_peers_token(self._vault, self._connect_peer, step)
        except InventoryProblem:
            raise
        except Exception as fault:
            log.exception("trying a friend's token failed")
            raise Unavailable(NotUnderstood(type(fault).__name__, of_friend=True)) from fault


def _tended(server: Server, stock: StockReading) -> float:
    """Read a page of the index. When it is at rest, also list, once an hour, what has files."""
    rest = stock.tend(server.stock_source)
    if rest >= LOOK_AT_HISTORY.total_seconds():
        what_travels.know_what_has_files(server)
    return rest


def _forget(server: Server) -> None:
    """Forget what was read for an earlier probe. A step and its outcome read everything again."""
    server.read_ahead.clear()
    server.rows_ahead.clear()


def _writable(server: Server) -> Server:
    if server.writes_allowed:
        return server
    if server.version.too_old:
        raise Refusal(BadVersion(VersionFault.TOO_OLD, server.version.api))
    raise Unavailable(BadVersion(VersionFault.UNKNOWN, server.version.api))


def _was_upgraded_meanwhile(server: Server, refused: Refusal) -> bool:
    """Whether InvenTree may have refused the call because it has another version by now, with other addresses."""
    if not isinstance(refused.problem, Verbatim | AnsweredOnly | Redirected | Forbidden):
        return False
    try:
        server.api.connect()
    except InventoryProblem:
        return False
    return server.api.api_version != server.version.api


def _wants_fewer_calls(problem: InventoryProblem) -> bool:
    return isinstance(problem.problem, Named) and problem.problem.fault is NameFault.TOO_MANY_CALLS
