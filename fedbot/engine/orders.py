"""What the admin's command line orders of the running bot: to compare its books now (`fedbot reconcile`).

The order is an event as any other; whoever gave it waits here until each friend's books are told of.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from fedbot.engine.pipeline import Engine, Render
from fedbot.rules.ledger import reconcile
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.events import ReconcileOrdered
from fedbot.rules.model.names import is_called
from fedbot.rules.state import Turn


class Orders:
    """The orders of one bot's command line."""

    def __init__(self, engine: Engine, render: Render) -> None:
        self._engine = engine
        self._render = render

    async def reconcile(self, space: str, *, repair: bool) -> dict[str, Any]:
        """Compare with this friend (its id or name; '' for all); what came of it, as JSON.

        `problem` is why nothing was begun, '' otherwise; `told` has for each friend its `space`, the `text` that the
        admin room reads too, and whether the books `agree`. A friend that is silent is told of after two minutes.
        """
        now = self._engine.clock.now()
        turn = Turn(self._engine.state, now)
        friends = [c for c in turn.active_connections() if not space or is_called(c.peer, c.peer_name, space)]
        friends = [c for c in friends if c.peer == space] or friends
        if problem := _problem(turn, friends, space):
            return {"problem": problem, "told": []}
        number = secrets.token_hex(4)
        told: dict[str, asyncio.Queue[Phrase]] = {friend.peer: asyncio.Queue() for friend in friends}
        for friend in friends:
            self._engine.listeners[reconcile.outcome_key(friend.id, number)] = told[friend.peer].put_nowait
        peer = friends[0].peer if space else ""
        self._engine.put(ReconcileOrdered(now, number, peer, repair))
        return {"problem": "", "told": [self._told(peer, await phrase.get()) for peer, phrase in told.items()]}

    def retry(self, number: int) -> str:
        """Try again what is set aside under this number; why that can't be, '' if it is done."""
        return "" if self._engine.try_again(number) else f"Nothing is set aside under the number {number}."

    def _told(self, peer: str, phrase: Phrase) -> dict[str, Any]:
        words = self._render(phrase, self._engine.clock.now())
        agree = not phrase.about["problem"] and not phrase.about["reconciliation"].differences
        return {"space": peer, "text": words.plain, "agree": agree}


def _problem(turn: Turn, friends: list[Connection], space: str) -> str:
    """Why it can't begin; '' if it can."""
    if not friends:
        known = ", ".join(c.peer for c in turn.active_connections()) or "nobody"
        return f"There is no friend {space}; friends are: {known}." if space else "There are no friends yet."
    if space and len(friends) > 1:
        return f"Several friends are called {space}: say {' or '.join(sorted(c.peer for c in friends))}."
    if not turn.home.admin_room:
        return "The outcome is told in the admin room, too, and there is none: set admin_room."
    running = [c.peer for c in friends if turn.reconciliation(c.id) is not None]
    return f"The books are being compared with {', '.join(running)} already." if running else ""
