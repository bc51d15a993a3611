"""The workers for our InvenTree: the only writer, which does the steps, and the one that answers queries.

Every step follows the same protocol: probe (was it done already?), write the intent, act, read back, write the outcome.
If the outcome is unknown, the first request may still be on its way. So the step is done again only when InvenTree has
answered two probes without a trace of it, a while apart, the second one at least `settle` after the act. More than
`give_up` after the act, a person decides instead. Queries are answered several at once and beside the steps, from our
InvenTree, our journal and our pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from fedbot.engine.circuit_breaker import Backoff, Breaker
from fedbot.engine.media import OneAtATime
from fedbot.engine.pipeline import Engine
from fedbot.messages.diagnosis import english
from fedbot.ports.chat import Chat, ChatProblem, ChatRefused
from fedbot.ports.clock import Clock
from fedbot.ports.inventory import Inventory, InventoryProblem, OutcomeUnknown, Refusal, Unavailable
from fedbot.ports.journal import OutboxRow, QueueName
from fedbot.rules.catalogue import merged_stock
from fedbot.rules.loan.photos import LONGEST_PHOTO
from fedbot.rules.model.diagnosis import Diagnosis, Fault, Plain, Speaker, Verbatim, VersionFault
from fedbot.rules.model.effects import Ask, Do
from fedbot.rules.model.events import Answered, StepDone, StepRefused, StepUnknown, Unanswered, Waiting
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.queries import (
    Answer,
    AuditOf,
    AuditTrail,
    Continuation,
    PictureMeant,
    PicturePut,
    PicturesOf,
    PicturesPut,
    Query,
    SignInShown,
    WhenStepEnds,
)
from fedbot.rules.model.steps import (
    OF_STOCK,
    REPEATABLE,
    AttachPhoto,
    FileSent,
    KeepFile,
    Label,
    Mirror,
    SendFile,
    Step,
    StepResult,
    TryToken,
)
from fedbot.rules.state import Turn
from fedbot.web import pictures

log = logging.getLogger(__name__)
T = TypeVar("T")

FILE_CHECKED_AFTER = timedelta(seconds=5)
"""The time until the worker checks again whether a file has arrived."""
CONSENT_CHECKED_AFTER = timedelta(minutes=1)
"""The time until the worker checks again whether a superuser has let it continue."""
HISTORY_CHECKED_AFTER = timedelta(seconds=5)
"""The same for an InvenTree at a new address, whose history has to be compared first."""
FILES_TRIED_FOR = timedelta(days=1)
"""The time that a homeserver is asked for a file that it doesn't return, or doesn't accept."""
SECONDS_HELD_BACK = 1.0
"""The pause if a row is due, but has to wait for something else."""
ORDERLY_STOP = 8.0
"""The seconds that a running step has when the bot is told to stop (a container is killed after 10)."""
QUERIES_AT_ONCE = 4
OUR_OWN = (AuditOf, SignInShown, PicturesOf)
"""Queries that InvenTree alone doesn't answer."""
SECONDS_FOR_PICTURES = 8.0
"""The time that a search waits for pictures that nobody has fetched before."""
WENT_BACK = Plain(Fault.WENT_BACK)


class StepWorker:
    """Performs the steps of the outbox, one after the other."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        chat: Chat,
        settle: timedelta,
        give_up: timedelta,
        breaker: Breaker,
    ) -> None:
        self._engine = engine
        self._journal = engine.journal
        self._clock = engine.clock
        self._inventory = inventory
        self._chat = chat
        self._files = OneAtATime()
        self._settle = settle
        self._give_up = give_up
        self._breaker = breaker
        self._not_before: datetime | None = None
        self._at_peers: dict[int, asyncio.Task[None]] = {}
        engine.clock_listeners.append(self._clock_set_back)
        self._backoffs: dict[int, Backoff] = {}  # by row: another row's success must not shorten a failing row's pauses
        self._without_trace: dict[int, datetime] = {}  # by row: when a probe first found no trace of its act

    def be_patient(self, settle: timedelta, give_up: timedelta) -> None:
        """Set how long to wait before probing a step's outcome, and before a person decides."""
        self._settle, self._give_up = settle, give_up

    def wait_for_others(self) -> None:
        """Wait `settle` before the first step: an earlier process may have begun a change that we don't know of."""
        self._not_before = self._clock.now() + self._settle

    def _clock_set_back(self) -> None:
        self._without_trace.clear()
        if self._not_before is not None:
            self._not_before = min(self._not_before, self._clock.now() + self._settle)

    async def run(self) -> None:
        """Work until cancelled."""
        wake = self._engine.wake["act"]
        async with asyncio.TaskGroup() as group:
            while True:
                wake.clear()
                rows = tuple(row for row in self._engine.due("act") if row.id not in self._at_peers)
                if rows and _is_at_a_peer(rows[0]):
                    # a peer's server may take its time, and none of our steps waits for it
                    trial = group.create_task(self.perform(rows[0], rows))
                    self._at_peers[rows[0].id] = trial
                    trial.add_done_callback(partial(self._over, rows[0].id))
                elif rows:
                    await to_its_end(self.perform(rows[0], rows))
                elif self._at_peers:
                    await wake.wait()
                else:
                    await wait_for_work(self._engine, "act")

    def _over(self, number: int, _: asyncio.Task[None]) -> None:
        self._at_peers.pop(number, None)
        self._engine.wake["act"].set()

    async def perform(self, row: OutboxRow, rows: tuple[OutboxRow, ...] = ()) -> None:
        """Try one step once."""
        effect = row.effect
        if not isinstance(effect, Do):
            raise TypeError(f"outbox row {row.id} is no step: {effect!r}")
        try:
            await self._perform(row, effect, rows)
        except Exception as fault:  # noqa: BLE001 -- it is set aside, and the admins are informed
            self._engine.set_row_aside(row.id, type(effect.step).__name__, row.key or effect.then.subject, fault)

    async def _perform(self, row: OutboxRow, effect: Do, rows: tuple[OutboxRow, ...]) -> None:
        if isinstance(effect.step, Mirror | Label) and any(_replaces(other, row) for other in rows):
            self._journal.finish(row.id, None)
            return
        settled = row.acted_at + self._settle - self._between_probes if row.acted_at else self._not_before
        if settled is not None and settled > self._clock.now():
            self._journal.postpone(row.id, settled)
            return
        if self._postpone_in_doubt(row, effect):
            return
        if is_at_our_inventree(effect.step) and hold_back(self._engine, self._breaker, row, effect.then):
            return
        if not await self._probe(row, effect):
            return
        if self._is_given_up(row, effect):
            self._give_it_up(row, effect, Plain(Fault.NO_TRACE))
            return
        if self._postpone_for_second_probe(row, effect):
            return
        await self._act(row, effect)

    def _postpone_in_doubt(self, row: OutboxRow, effect: Do) -> bool:
        """Postpone a step of stock if InvenTree was restored to an earlier state; return whether it was postponed.

        No stock moves then before a superuser has looked. At a new address there may be another InvenTree, so nothing
        moves there before its history was compared.
        """
        status = self._engine.state.get(BotStatus, "standing")
        if status is None or not isinstance(effect.step, OF_STOCK):
            return False
        if status.went_back is None:
            if not status.has_moved(self._engine.state.us.inventory_api):
                return False
            next_try = self._clock.now() + HISTORY_CHECKED_AFTER
            self._journal.postpone(row.id, next_try, reached=False, problem=row.problem)
            return True
        next_try = self._clock.now() + CONSENT_CHECKED_AFTER
        told = english(WENT_BACK)
        waiting = None if row.problem == told else Waiting(self._clock.now(), effect.then, WENT_BACK, next_try)
        self._journal.postpone(row.id, next_try, waiting, reached=False, problem=told)
        self._engine.decide_all()
        return True

    async def _probe(self, row: OutboxRow, effect: Do) -> bool:
        """Look whether the step was done already; return whether to do it now."""
        try:
            found = await self._inventory.probe(effect.step)
        except (Unavailable, OutcomeUnknown) as problem:
            self._noticed(effect.step, problem)
            self._wait(row, effect.then, problem, self._pause(row), reached=False)
            return False
        except Refusal as problem:
            self._noticed(effect.step)
            if row.acted_at is None:
                self._refused(row, effect.then, problem)
            elif self._is_given_up(row, effect):
                self._give_it_up(row, effect, problem.problem)
            else:
                self._wait(row, effect.then, problem, self._pause(row), reached=False)
            return False
        if not isinstance(effect.step, TryToken):  # the probe of TryToken asks nobody
            self._noticed(effect.step)
        if found is not None:
            self._done(row, effect.then, found)
        return found is None

    def _noticed(self, step: Step, problem: InventoryProblem | None = None) -> None:
        """Tell the breaker that our InvenTree answered, or didn't."""
        if is_at_our_inventree(step):
            notice(self._breaker, self._clock.now(), problem)

    def _give_it_up(self, row: OutboxRow, effect: Do, problem: Diagnosis) -> None:
        """No program can find out the outcome any more, so a person has to."""
        self._forget(row)
        self._journal.fail(row.id, StepUnknown(self._clock.now(), effect.then, problem), english(problem))
        self._engine.decide_all()

    @property
    def _between_probes(self) -> timedelta:
        """The time for which InvenTree has to answer before a step is done again.

        An overloaded server may take up a request that waited for minutes at the moment when it answers a probe.
        """
        return self._settle / 4

    def _postpone_for_second_probe(self, row: OutboxRow, effect: Do) -> bool:
        """Postpone the step while an earlier try may still arrive; return whether it was postponed.

        So far, only one probe has found no trace of that try.
        """
        if row.acted_at is None or type(effect.step) in REPEATABLE:
            return False
        now = self._clock.now()
        again = self._without_trace.setdefault(row.id, now) + self._between_probes
        if again > now:
            self._journal.postpone(row.id, again, reached=False, problem=row.problem)
            return True
        log.warning("doing %s (%s) again: it has left no trace", type(effect.step).__name__, effect.step.mark)
        return False

    def _is_given_up(self, row: OutboxRow, effect: Do) -> bool:
        if row.acted_at is None or type(effect.step) in REPEATABLE:
            return False
        return self._clock.now() - row.acted_at > self._give_up

    async def _act(self, row: OutboxRow, effect: Do) -> None:
        act = await self._prepared(row, effect)
        if act is None:
            return
        self._without_trace.pop(row.id, None)
        self._engine.begin(row.id)
        try:
            result = await act()
        except Unavailable as problem:
            self._noticed(effect.step, problem)
            self._wait(row, effect.then, problem, self._pause(row), reached=False)
        except OutcomeUnknown as problem:
            self._noticed(effect.step, problem)
            log.warning("unknown outcome of %s (%s): %s", type(effect.step).__name__, effect.step.mark, problem.text)
            until_probe = self._settle - self._between_probes
            self._wait(row, effect.then, problem, until_probe.total_seconds(), reached=True)
        except Refusal as problem:
            self._noticed(effect.step)
            self._refused(row, effect.then, problem)
        else:
            self._noticed(effect.step)
            self._done(row, effect.then, result)

    async def _prepared(self, row: OutboxRow, effect: Do) -> Callable[[], Awaitable[StepResult]] | None:
        """The change to InvenTree, with everything it needs; None if that is unavailable, for good or for now."""
        step = effect.step
        if isinstance(step, SendFile):
            sent = await self._file_result(row, effect.then, partial(self._send_file, step))
            return None if sent is None else partial(_returned, sent)
        if isinstance(step, AttachPhoto | KeepFile):
            longest = step.longest if isinstance(step, KeepFile) else LONGEST_PHOTO
            fetch = partial(self._chat.download, step.file, longest)
            content = await self._file_result(row, effect.then, fetch)
            return None if content is None else partial(self._inventory.attach, step, content)
        return partial(self._inventory.act, step)

    async def _send_file(self, step: SendFile) -> FileSent:
        content = await self._inventory.read_file(step)
        media = await self._chat.upload_sealed(content)
        file = {"url": media.address, **media.decryption}
        return FileSent(file, len(content), hashlib.sha256(content).hexdigest())

    async def _file_result(
        self, row: OutboxRow, then: WhenStepEnds, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T | None:
        """The result of the work; None if that is unavailable, for good or for now.

        A failing homeserver doesn't count against our InvenTree.
        """
        try:
            made = await self._files.take(row.id, work)
        except Refusal as problem:
            self._refused(row, then, problem)
        except InventoryProblem as problem:
            self._wait(row, then, problem, self._pause(row), reached=False)
        except ChatRefused as problem:
            self._refused(row, then, Refusal(Verbatim(Speaker.HOMESERVER, problem.text, problem.code)))
        except ChatProblem as problem:
            if self._clock.now() - row.created_at > FILES_TRIED_FOR:
                self._refused(row, then, Refusal(Verbatim(Speaker.HOMESERVER, problem.text, "not-there")))
            else:
                next_try = self._clock.now() + timedelta(seconds=self._pause(row))
                self._journal.postpone(row.id, next_try, reached=False, problem=problem.text)
        else:
            if made is None:
                self._journal.postpone(row.id, self._clock.now() + FILE_CHECKED_AFTER, reached=False)
            return made
        return None

    def _pause(self, row: OutboxRow) -> float:
        """The seconds to leave the row alone after one more failure."""
        return self._backoffs.setdefault(row.id, Backoff()).failed()

    def _forget(self, row: OutboxRow) -> None:
        self._backoffs.pop(row.id, None)
        self._without_trace.pop(row.id, None)

    def _done(self, row: OutboxRow, then: WhenStepEnds, result: StepResult) -> None:
        self._forget(row)
        self._journal.finish(row.id, StepDone(self._clock.now(), then, result))
        self._engine.decide_all()

    def _refused(self, row: OutboxRow, then: WhenStepEnds, problem: Refusal) -> None:
        self._forget(row)
        event = StepRefused(self._clock.now(), then, problem.problem)
        self._journal.fail(row.id, event, problem.text)
        self._engine.decide_all()

    def _wait(
        self, row: OutboxRow, then: WhenStepEnds, problem: InventoryProblem, seconds: float, *, reached: bool
    ) -> None:
        now = self._clock.now()
        next_try = now + timedelta(seconds=max(seconds, asked_to_wait(problem)))
        event = Waiting(now, then, problem.problem, next_try, silent=is_silence(problem))
        self._journal.postpone(row.id, next_try, event, reached=reached, problem=problem.text)
        self._engine.decide_all()


async def _returned(result: StepResult) -> StepResult:
    return result


def _is_at_a_peer(row: OutboxRow) -> bool:
    return isinstance(row.effect, Do) and not is_at_our_inventree(row.effect.step)


def is_at_our_inventree(step: Step) -> bool:
    """Whether the step goes to our own InvenTree. A peer's token is tried at the peer's."""
    return not (isinstance(step, TryToken) and step.url)


def is_silence(problem: InventoryProblem) -> bool:
    """Whether InvenTree gave no usable answer. A refusal is an answer, and so is an unsupported version."""
    return isinstance(problem, Unavailable | OutcomeUnknown) and problem.reason != VersionFault.UNKNOWN.value


def asked_to_wait(problem: InventoryProblem) -> float:
    """The seconds for which the server asks to be left alone."""
    return problem.seconds if isinstance(problem, Unavailable) else 0.0


def notice(breaker: Breaker, now: datetime, problem: InventoryProblem | None) -> None:
    """Tell the breaker that our InvenTree answered, or didn't."""
    if problem is not None and is_silence(problem):
        breaker.failed(now, asked_to_wait(problem), problem.problem)
    else:
        breaker.worked()


def hold_back(
    engine: Engine, breaker: Breaker, row: OutboxRow, then: Continuation, at_most: datetime | None = None
) -> bool:
    """Postpone the row, `at_most` until then, if InvenTree doesn't answer; return whether it was postponed.

    The rules get one event about the reason.
    """
    now = engine.clock.now()
    until = breaker.holds(now)
    if until is None:
        return False
    until = min(until, at_most) if at_most else until
    problem = breaker.problem or Plain(Fault.SILENT)
    waiting = None if row.problem else Waiting(now, then, problem, until)
    engine.journal.postpone(row.id, until, waiting, reached=False, problem=english(problem))
    engine.decide_all()
    return True


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do the work, and return its result. If we are told to stop, give it a moment (`ORDERLY_STOP`) to end.

    Work that doesn't end in time stays journaled as begun, and is probed at the next start.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=ORDERLY_STOP)
        task.cancel()
        raise


def _replaces(other: OutboxRow, row: OutboxRow) -> bool:
    """Whether a later mirror or label of the same record waits, which makes this one unnecessary."""
    return other.key == row.key and other.id > row.id and other.state == "queued"


async def wait_for_work(engine: Engine, queue: QueueName, pause: float = 0.0) -> None:
    """Wait until the worker is woken, a postponed row may be due, or `pause` (seconds) is over."""
    wake = engine.wake[queue]
    due = engine.journal.next_due(queue)
    until_due = (due - engine.clock.now()).total_seconds() if due else 0.0
    waits = [until_due if until_due > 0 else SECONDS_HELD_BACK] if due else []
    waits += [pause] if pause > 0 else []
    if not waits:
        await wake.wait()
        return
    sleeping = asyncio.ensure_future(engine.clock.sleep(min(waits)))
    waking = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        waking.cancel()


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
                for row in rows[: max(QUERIES_AT_ONCE - len(self._under_way), 0)]:
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
        if self._hold_back(row, effect):
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

    def _hold_back(self, row: OutboxRow, effect: Ask) -> bool:
        """Postpone or give up the query while InvenTree doesn't answer; return whether that happened.

        A person who waits for it is told so.
        """
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
        with_received = [(each, merged_stock.received_for(turn, each)) for each in asked]
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
