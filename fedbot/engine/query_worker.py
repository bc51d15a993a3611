"""Answers queries, several at once and beside the steps, from our InvenTree, our journal and our pages."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from fedbot.engine.circuit_breaker import Backoff, Breaker
from fedbot.engine.pipeline import Engine
from fedbot.engine.step_worker import asked_to_wait, hold_back, is_silence, notice, wait_for_work
from fedbot.messages.diagnosis import english
from fedbot.ports.chat import Chat, ChatProblem
from fedbot.ports.clock import Clock
from fedbot.ports.inventory import Inventory, InventoryProblem
from fedbot.ports.journal import OutboxRow
from fedbot.rules.catalogue import provenance
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask
from fedbot.rules.model.events import Answered, Unanswered, Waiting
from fedbot.rules.model.queries import (
    Answer,
    AuditOf,
    AuditTrail,
    PictureMeant,
    PicturePut,
    PicturesOf,
    PicturesPut,
    Query,
    SignInShown,
)
from fedbot.rules.state import Turn
from fedbot.web import pictures

log = logging.getLogger(__name__)

AT_ONCE = 4
OUR_OWN = (AuditOf, SignInShown, PicturesOf)
"""Queries that InvenTree alone doesn't answer."""
SECONDS_FOR_PICTURES = 8.0
"""The time that a search waits for pictures that nobody has fetched before."""


class QueryWorker:
    """Answers the outbox's queries. A query without `or_not` is asked until it is answered."""

    def __init__(self, engine: Engine, inventory: Inventory, chat: Chat, breaker: Breaker) -> None:
        self._engine = engine
        self._journal = engine.journal
        self._clock = engine.clock
        self._inventory = inventory
        self._chat = chat
        self.backoff = Backoff()
        self._breaker = breaker
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until cancelled, on a few queries at a time."""
        wake = self._engine.wake["ask"]
        async with asyncio.TaskGroup() as group:
            while True:
                wake.clear()
                rows = [row for row in self._engine.due("ask") if row.id not in self._under_way]
                for row in rows[: max(AT_ONCE - len(self._under_way), 0)]:
                    task = group.create_task(self.perform(row))
                    self._under_way[row.id] = task
                    task.add_done_callback(partial(self._over, row.id))
                if self._under_way:
                    await wake.wait()
                else:
                    await wait_for_work(self._engine, "ask")

    def _over(self, number: int, _: asyncio.Task[None]) -> None:
        self._under_way.pop(number, None)
        self._engine.wake["ask"].set()

    async def perform(self, row: OutboxRow) -> None:
        """Try one query once."""
        effect = row.effect
        if not isinstance(effect, Ask):
            raise TypeError(f"outbox row {row.id} asks nothing: {effect!r}")
        try:
            await self._perform(row, effect)
        except Exception as fault:  # noqa: BLE001 -- it is set aside, and the admins are informed
            self._engine.set_row_aside(row.id, Ask.__name__, row.key or effect.then.subject, fault)

    async def _perform(self, row: OutboxRow, effect: Ask) -> None:
        if self._is_held(row, effect):
            return
        try:
            answers = await self._answers(effect.questions)
        except InventoryProblem as problem:
            self._unanswered(row, effect, problem)
        else:
            if _asks_inventree(effect):
                self._breaker.worked()
            self.backoff.worked()
            self._journal.finish(row.id, Answered(self._clock.now(), effect.then, answers))
        self._engine.decide_all()

    def _is_held(self, row: OutboxRow, effect: Ask) -> bool:
        """Whether the query has to wait because InvenTree doesn't answer. A person who waits for it is told so."""
        if not _asks_inventree(effect):
            return False
        now, or_not = self._clock.now(), effect.or_not
        problem = self._breaker.problem or Plain(Fault.SILENT)
        if or_not is not None and effect.until is not None and effect.until <= now:
            self._give_up(row, Unanswered(now, or_not, problem, silent=True))
            return True
        if or_not is None or row.problem:
            return hold_back(self._engine, self._breaker, row, effect.then, effect.until)
        if self._breaker.holds(now, urgent=True) is None:
            return False
        if effect.until is not None:
            return hold_back(self._engine, self._breaker, row, effect.then, effect.until)
        self._give_up(row, Unanswered(now, or_not, problem, silent=True))
        return True

    def _give_up(self, row: OutboxRow, unanswered: Unanswered) -> None:
        self._journal.fail(row.id, unanswered, english(unanswered.problem))
        self._engine.decide_all()

    def _unanswered(self, row: OutboxRow, effect: Ask, problem: InventoryProblem) -> None:
        now, or_not = self._clock.now(), effect.or_not
        silent = is_silence(problem)
        notice(self._breaker, now, problem)
        if or_not is None or (silent and effect.until is not None and now < effect.until):
            again = now + timedelta(seconds=max(self.backoff.failed(), asked_to_wait(problem)))
            again = min(again, effect.until) if effect.until else again
            event = Waiting(now, effect.then, problem.problem, again, silent=silent)
            self._journal.postpone(row.id, again, event, reached=False, problem=problem.text)
        else:
            self._journal.fail(row.id, Unanswered(now, or_not, problem.problem, silent=silent), problem.text)

    async def _answers(self, queries: Sequence[Query]) -> tuple[Answer, ...]:
        """InvenTree's answers, read together for one decision, with our own answers in their places."""
        turn = Turn(self._engine.state, self._clock.now())
        asked = [query for query in queries if not isinstance(query, OUR_OWN)]
        with_received = [(each, provenance.received_for(turn, each)) for each in asked]
        answers = iter(await self._inventory.answer_all(with_received) if asked else ())
        return tuple([await self._our_own(each) if isinstance(each, OUR_OWN) else next(answers) for each in queries])

    async def _our_own(self, query: AuditOf | SignInShown | PicturesOf) -> Answer:
        match query:
            case AuditOf():
                return self._audit(query)
            case SignInShown(code):
                return self._engine.sign_ins(code)
            case PicturesOf(meant):
                return await self._pictures(meant)

    async def _pictures(self, meant: Sequence[PictureMeant]) -> PicturesPut:
        """The pictures that can be fetched and uploaded in time. The next search tries the missing ones again."""
        put: list[PicturePut] = []
        try:
            async with asyncio.timeout(SECONDS_FOR_PICTURES):
                for each in meant:
                    try:
                        put.append(await self._put(each))
                    except InventoryProblem as problem:
                        log.info("the picture of part %d is left out: %s", each.part, problem.text)
        except (TimeoutError, ChatProblem) as problem:
            log.info("%d of %d pictures are told of: %s", len(put), len(meant), str(problem) or "they take too long")
        return PicturesPut(tuple(put))

    async def _put(self, picture: PictureMeant) -> PicturePut:
        content = await self._inventory.picture(picture.where)
        try:
            made = await asyncio.to_thread(pictures.rebuilt, content or b"")
        except pictures.NoPicture:
            return PicturePut(picture.part, "", {})
        digest = hashlib.sha256(made.content).hexdigest()
        if digest == picture.digest:
            return PicturePut(picture.part, digest, {})
        media = await self._chat.upload_sealed(made.content)
        return PicturePut(picture.part, digest, {"url": media.address, **media.decryption})

    def _audit(self, query: AuditOf) -> AuditTrail:
        return AuditTrail(tuple((a.at, a.entry) for a in self._journal.audit(query.subject)))


class StockWorker:
    """Reads our stock in the background, page by page. It pauses while InvenTree doesn't answer."""

    def __init__(self, inventory: Inventory, clock: Clock) -> None:
        self._inventory = inventory
        self._clock = clock
        self._backoff = Backoff(shortest=30.0, longest=600.0)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._clock.sleep(await self.perform())

    async def perform(self) -> float:
        """Read one page; return the seconds to wait afterwards."""
        try:
            pause = await self._inventory.tend()
        except InventoryProblem as problem:
            log.info("reading our stock waits: %s", problem.text)
            return self._backoff.failed()
        self._backoff.worked()
        return pause


def _asks_inventree(effect: Ask) -> bool:
    """Whether it needs our InvenTree. The journal answers for the audit, our pages answer for codes."""
    return not all(isinstance(query, AuditOf | SignInShown) for query in effect.questions)
