"""A fake of the port `Archive`, in memory. Tests add archived documents by hand, as the journal does on a commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from fedbot.rules.archive import (
    Archive,
    Document,
    Mark,
    PeerFlow,
    Place,
    flows_of_transfer,
    is_at_rest,
    is_meant,
    left_at,
    marks_of,
)
from fedbot.rules.model.room import MessageKey
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import State, Turn


class RememberedArchive(Archive):
    """`transfers` are the archived ones by id; `posts` are the keys of our messages by event."""

    def __init__(self) -> None:
        self.transfers: dict[str, Transfer] = {}
        self.posts: dict[str, str] = {}

    def commits(self, state: State, turn: Turn) -> None:
        """Commit as the journal and then the engine do."""
        self.posts.update({event_id: key for event_id, key, _ in turn.found_posts})
        self.keeps(turn.changes)
        state.apply(turn)

    def keeps(self, changes: Mapping[tuple[str, str], Document | None]) -> None:
        """Archive the transfers at rest among these changes, and remove the others."""
        for (kind, identifier), document in changes.items():
            if kind == Transfer.__name__:
                self.transfers.pop(identifier, None)
            if isinstance(document, Transfer) and is_at_rest(document):
                self.transfers[identifier] = document

    def transfer_at_rest(self, identifier: str) -> Transfer | None:
        return self.transfers.get(identifier)

    def ids_at_rest(self, beginning: str) -> tuple[str, ...]:
        return tuple(sorted(each for each in self.transfers if each.startswith(beginning)))

    def marked(self, mark: Mark, value: str, after: str = "") -> Iterator[Transfer]:
        found = (t for t in self.transfers.values() if t.id > after and (mark, value) in marks_of(t))
        return iter(sorted(found, key=lambda transfer: transfer.id))

    def newest(
        self,
        rooms: Sequence[str] | None = None,
        peer: str = "",
        since: datetime | None = None,
        behind: Place | None = None,
    ) -> Iterator[Transfer]:
        found = (t for t in self.transfers.values() if is_meant(t, rooms, peer, since))
        before = (t for t in found if behind is None or (t.asked.at, t.id) < behind)
        return iter(sorted(before, key=lambda t: (t.asked.at, t.id), reverse=True))

    def count(self, rooms: Sequence[str] | None = None, peer: str = "", since: datetime | None = None) -> int:
        return len(list(self.newest(rooms, peer, since)))

    def flows(self, rooms: Sequence[str] | None = None, since: datetime | None = None) -> Iterable[PeerFlow]:
        here = (t for t in self.transfers.values() if rooms is None or t.room in rooms)
        return [flow for t in here if since is None or left_at(t) >= since for flow in flows_of_transfer(t)]

    def peers_at_rest(self) -> tuple[str, ...]:
        return tuple(sorted({t.peer for t in self.transfers.values()}))

    def key_of(self, event_id: str) -> MessageKey:
        return MessageKey(self.posts.get(event_id, ""))
