"""Orders from the admin's command line to the running bot: reconcile, retry, drop, people, practice.

An order is an event like any other; its sender waits here for the outcome.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import Any

from fedbot.engine.pipeline import Engine, Render
from fedbot.ports.inventory import Inventory, InventoryProblem
from fedbot.ports.journal import Loss
from fedbot.rules import people
from fedbot.rules.connection.provision import access_name
from fedbot.rules.ledger import reconcile
from fedbot.rules.model.books import Reconciliation
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.events import PeopleOrdered, PracticeOrdered, ReconcileOrdered
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.party_config import PRACTICE, Practice, RosterChange
from fedbot.rules.model.queries import InventoryStanding, Overview, PersonPermissions
from fedbot.rules.model.stock import Permissions
from fedbot.rules.names import is_called
from fedbot.rules.state import Turn
from fedbot.web.asking import LONGEST_ORDER
from fedbot.web.server import Order

_LOOK_AGAIN = 10.0
"""The seconds after which to look whether there can still be an outcome."""

LOSSES = {
    Loss.WORD: "What a person said or reacted is never carried out. They have to say it again.",
    Loss.PEER_MESSAGE: "A message of another bot is not read. Its bot sends it again.",
    Loss.OWN_MESSAGE: "The message is never posted. What it tells another bot is sent again later.",
    Loss.QUESTION: "InvenTree is not asked. Whoever waits for the answer is told that there is none.",
    Loss.EVENT: "What it would have led to never happens.",
    Loss.UNKNOWN: "Nothing is set aside under that number.",
    Loss.STEP: "It is a step in InvenTree, or its outcome: without it nobody knows where the stock is. Retry it.",
    Loss.AWAITED: "Something waits for it, and would wait for ever. Try it again after an upgrade.",
    Loss.TIMERS: "Timers come again by themselves, so there is nothing to give up. Try it again.",
}
"""For each kind, the loss if it is dropped, or the reason why it can't be."""


class Orders:
    """The orders that one bot takes from its command line; `taken` has them by name."""

    def __init__(self, engine: Engine, inventory: Inventory, render: Render) -> None:
        self._engine = engine
        self._inventory = inventory
        self._render = render

        self.taken: dict[str, Order] = {
            "reconcile": self._reconcile,
            "retry": self._retry,
            "drop": self._drop,
            "people": self._people,
            "practice": self._practice,
        }

    async def _reconcile(self, order: dict[str, Any]) -> dict[str, Any]:
        return await self.reconcile(str(order["space"]), repair=order["repair"] is True)

    async def _retry(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"problem": self.retry(int(order["number"]))}

    async def _drop(self, order: dict[str, Any]) -> dict[str, Any]:
        return self.drop(int(order["number"]), is_sure=order["sure"] is True)

    async def _people(self, order: dict[str, Any]) -> dict[str, Any]:
        person, username = str(order["person"]), str(order["username"])
        return await self.people(RosterChange(order["adds"] is True, person, username, order["admin"] is True))

    async def _practice(self, order: dict[str, Any]) -> dict[str, Any]:
        wants = str(order["wants"])
        if wants != "begin":
            return self.practice(wants)
        parts = tuple(int(part) for part in str(order["parts"]).split())
        return self.practice(wants, Practice(str(order["room"]), str(order["bot"]), str(order["key"]), parts))

    async def reconcile(self, space: str, *, repair: bool) -> dict[str, Any]:
        """Reconcile with this friend (its id or name; '' for all); return the outcome as JSON.

        `problem` is why nothing was started, '' otherwise. `told` has for each friend its `space`, the `text` that the
        admin room gets too, and whether the books `agree`. A friend that doesn't answer is reported after two minutes.
        If there will be no outcome, `text` says why.
        """
        now = self._engine.clock.now()
        turn = Turn(self._engine.state, now)
        friends = [c for c in turn.active_connections() if not space or is_called(c.peer, c.peer_name, space)]
        friends = [c for c in friends if c.peer == space] or friends
        if problem := _problem(turn, friends, space):
            return {"problem": problem, "told": []}
        number = secrets.token_hex(4)
        keys = {reconcile.outcome_key(friend.id, number): friend for friend in friends}
        outcomes: dict[str, asyncio.Future[Phrase]] = {key: asyncio.get_running_loop().create_future() for key in keys}
        try:
            for key, outcome in outcomes.items():
                self._engine.listeners[key] = outcome.set_result
            self._engine.put(ReconcileOrdered(now, number, friends[0].peer if space else "", repair))
            latest = now + LONGEST_ORDER
            told = [await self._told(friend, number, outcomes[key], latest) for key, friend in keys.items()]
            return {"problem": "", "told": told}
        finally:
            for key in keys:
                self._engine.listeners.pop(key, None)

    def retry(self, number: int) -> str:
        """Try the entry with this number again; return why that failed, '' if it worked."""
        return "" if self._engine.try_again(number) else f"Nothing is set aside under the number {number}."

    def drop(self, number: int, *, is_sure: bool) -> dict[str, Any]:
        """Drop the entry with this number: `problem` if that can't be done, or else what it `loses`."""
        loses = self._engine.drop(number, is_sure=is_sure)
        if loses.is_possible:
            return {"problem": "", "loses": LOSSES[loses]}
        return {"problem": f"{number} is not given up. {LOSSES[loses]}", "loses": ""}

    async def people(self, change: RosterChange) -> dict[str, Any]:
        """Add or remove a person: `problem` is why it was not done, '' if it was; `told` is the outcome."""
        by = people.ON_THE_COMMAND_LINE
        permissions, abilities = Permissions(change.username), tuple[str, ...]()
        phrase = people.objection(self._turn(), change, by)
        if phrase is None and change.adds and change.username:
            try:
                read = await self._inventory.answer(PersonPermissions(change.username))
                standing = await self._inventory.answer(Overview())
            except InventoryProblem as silent:
                return {"problem": f"Nothing changed: InvenTree doesn't tell of that user. {silent.text}", "told": ""}
            if isinstance(read, Permissions) and isinstance(standing, InventoryStanding):
                permissions, abilities = read, standing.abilities
            phrase = people.objection(self._turn(), change, by, permissions, abilities)
        if phrase is not None:
            return {"problem": self._words(phrase), "told": ""}
        self._engine.put(PeopleOrdered(self._engine.clock.now(), change, permissions, abilities))
        who = self._engine.state.us
        is_known = change.person in who.people or change.person in who.admins
        return {"problem": "", "told": f"{change.person} {'belongs' if is_known else 'does not belong'} to {who.name}."}

    def practice(self, wants: str, friend: Practice | None = None) -> dict[str, Any]:
        """Create a pretend friend (`begin`), end the friendship with it (`end`), or forget it entirely (`forget`).

        `look` changes nothing. `problem` is why it wasn't done, '' if it was. The rest is the state afterwards: `room`,
        `bot` and `key` of the pretend friend ('' if there is none), `friends` (whether we are), `busy` (whether
        messages for that room still wait), and what InvenTree has for it: `companies`, `users`, `groups`, and
        `accesses`, the names of the users and groups, including those that somebody created by hand. `admin_room` is
        the one that the bot is in, '' if none; `people` are our people in it, or else all of our people.
        """
        turn = self._turn()
        problem = ""
        if wants == "begin" and (turn.practice() is not None or self._with_practice(turn)):
            problem = "There is a practice friend already. To end that: fedbot practice --clean"
        elif friend is not None and not friend.is_whole:
            problem = "A practice friend needs a room, an account and a key."
        elif wants != "look":
            self._engine.put(PracticeOrdered(self._engine.clock.now(), wants, friend))
        if wants == "forget" and self._turn().practice() is not None:
            problem = "The friendship has not ended yet."
        return {"problem": problem, **self._about_practice(self._turn())}

    @staticmethod
    def _with_practice(turn: Turn) -> list[Connection]:
        return [connection for connection in turn.connections() if connection.peer == PRACTICE]

    def _about_practice(self, turn: Turn) -> dict[str, Any]:
        practice, known = turn.practice(), self._with_practice(turn)
        admins = turn.room(turn.us.admin_room)
        here = [person for person in turn.us.people if admins is not None and person in admins.members]
        return {
            "room": practice.room if practice else "",
            "bot": practice.bot if practice else "",
            "key": practice.key if practice else "",
            "admin_room": admins.id if admins is not None and admins.joined and admins.may_talk else "",
            "friends": any(connection.state is ConnectionState.ACTIVE for connection in known),
            "busy": practice is not None and self._engine.has_to_say(practice.room),
            "people": here or list(turn.us.people),
            "companies": sorted({c.company for c in known if c.company is not None}),
            "users": sorted({c.user for c in known if c.user is not None}),
            "groups": sorted({c.group for c in known if c.group is not None}),
            "accesses": sorted({access_name(c) for c in known}),
        }

    def _turn(self) -> Turn:
        return Turn(self._engine.state, self._engine.clock.now())

    def _words(self, phrase: Phrase) -> str:
        return self._render(phrase, self._engine.clock.now()).plain

    async def _told(
        self, friend: Connection, order: str, outcome: asyncio.Future[Phrase], latest: datetime
    ) -> dict[str, Any]:
        """The outcome of this order for one friend; or why there will be none."""
        phrase = await self._outcome(friend, order, outcome, latest)
        if phrase is None:
            return {"space": friend.peer, "text": self._why_none(friend, order), "agree": False}
        agree = not phrase.about["problem"] and not phrase.about["reconciliation"].differences
        return {"space": friend.peer, "text": self._words(phrase), "agree": agree}

    async def _outcome(
        self, friend: Connection, order: str, outcome: asyncio.Future[Phrase], latest: datetime
    ) -> Phrase | None:
        """Wait for it. None if nothing is on its way to one any more, or it takes too long."""
        clock = self._engine.clock
        while not outcome.done() and clock.now() < latest:
            sleeping = asyncio.create_task(clock.sleep(_LOOK_AGAIN))
            try:
                await asyncio.wait((outcome, sleeping), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
            await self._engine.settled()
            if not self._is_running(friend, order):
                break
        return outcome.result() if outcome.done() else None

    def _is_running(self, friend: Connection, order: str) -> bool:
        running = self._turn().get(Reconciliation, friend.id)
        return running is not None and running.order == order

    def _why_none(self, friend: Connection, order: str) -> str:
        if self._engine.journal.quarantined():
            return (
                f"The comparison with {friend.peer_name} came to no end: the bot has set something aside. "
                "fedbot status lists it, and fedbot retry tries it again."
            )
        if self._is_running(friend, order):
            return f"The comparison with {friend.peer_name} takes long. The admin room will be told its outcome."
        return f"The comparison with {friend.peer_name} ended without an outcome. Try again: fedbot reconcile"


def _problem(turn: Turn, friends: list[Connection], space: str) -> str:
    """Why it can't begin; '' if it can."""
    if not friends:
        known = ", ".join(c.peer for c in turn.active_connections()) or "nobody"
        return f"There is no friend {space}; friends are: {known}." if space else "There are no friends yet."
    if space and len(friends) > 1:
        return f"Several friends are called {space}: say {' or '.join(sorted(c.peer for c in friends))}."
    if not turn.us.admin_room:
        return "The outcome is told in the admin room, too, and there is none: set admin_room."
    running = [c.peer for c in friends if turn.get(Reconciliation, c.id) is not None]
    return f"The books are being compared with {', '.join(running)} already." if running else ""
