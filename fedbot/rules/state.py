"""The state as the rules read it, and the `Turn` in which rules decide on one event.

`State` holds every document by id, except transfers at rest, which it reads from its `Archive`. A `Turn` collects the
changes and effects of one event. The journal commits it in one transaction; only then does the state take over the
changes (`State.apply`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from heapq import merge
from typing import Any, Protocol, TypeVar, cast

from fedbot import messages
from fedbot.rules import budgets, names, time_zones
from fedbot.rules.archive import (
    Archive,
    Document,
    Mark,
    PeerFlow,
    Place,
    flows_of_transfer,
    is_at_rest,
    is_meant,
    is_restless,
    left_at,
    marks_of,
)
from fedbot.rules.model.audit import AdminsTold, AuditEntry, Fact, Happened, Noted
from fedbot.rules.model.books import StockHistory
from fedbot.rules.model.catalogue import Allowance
from fedbot.rules.model.command import (
    NUMBER_WITHIN,
    About,
    Answers,
    Command,
    Cooldown,
    PendingChoice,
    WebLine,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Effect, Phrase, Post, say
from fedbot.rules.model.from_anyone import Rota, rota_id
from fedbot.rules.model.health import BotStatus, Due, OwnToken, Quarantined
from fedbot.rules.model.lending import QueueEntry
from fedbot.rules.model.lifecycles import FINAL, LIVING_CONNECTION, ConnectionState
from fedbot.rules.model.party_config import PRACTICE, PartyConfig, Practice, Roster, may_be_believed, may_move
from fedbot.rules.model.queries import Able, Answer, Query, WhoMay
from fedbot.rules.model.room import NO_KEY, Account, AnnouncedParty, Announcement, MessageKey, MessageKind, Room
from fedbot.rules.model.stock import Permission, Permissions, StockItem
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.wire import SubjectKind, is_off_chat, kind_of

__all__ = ["CODE_LENGTH", "AuditEntry", "State", "Turn"]

CODE_LENGTH = 4

D = TypeVar("D", bound=Document)


class State:
    """The documents that may still change, by class and id. `archive` has finished transfers and our messages' keys.

    `us` is our own party: as configured, with the people added and removed since. `nonce` returns 32 bytes (hex) for a
    purpose; nobody else can compute them (`Identity.nonce`). `unseal` decrypts a text that a peer sealed to our key
    (sealed text, the binding); it raises BadEnvelope. `regular` returns when scheduled work is due next
    (`engine.schedule`). `quarantined` returns failures that wait for an admin. Rules that run by the clock skip the
    documents whose ids are in `passed_over`.
    """

    def __init__(
        self,
        us: PartyConfig,
        unseal: Callable[[str, str], dict[str, Any]],
        nonce: Callable[[str], str],
        archive: Archive,
    ) -> None:
        self._configured = self.us = us
        self.unseal = unseal
        self.nonce = nonce
        self.archive = archive
        self._documents: dict[str, dict[str, Document]] = {}
        self._restless: dict[str, Transfer] = {}
        self.regular: Callable[[], tuple[Due, ...]] = tuple
        self.quarantined: Callable[[], tuple[Quarantined, ...]] = tuple
        self.passed_over: frozenset[str] = frozenset()

    def configure(self, us: PartyConfig) -> None:
        """Use this configuration of our party from now on."""
        self._configured = us
        self._update_us()

    @property
    def configured(self) -> PartyConfig:
        """Our party as in the settings, without later changes."""
        return self._configured

    def _update_us(self) -> None:
        self.us = self.as_configured(self.get(Roster, Roster.id), self.get(Practice, PRACTICE))

    def as_configured(self, roster: Roster | None, practice: Practice | None) -> PartyConfig:
        """Return our party as in the settings, with these people, and with the room of a practice peer."""
        us = roster.over(self._configured) if roster else self._configured
        return practice.over(us) if practice else us

    def apply(self, turn: Turn) -> None:
        """Take over a committed turn's changes. Documents that it finished leave memory for the archive."""
        self.take_over(turn.changes)

    def take_over(self, changes: dict[tuple[str, str], Document | None]) -> None:
        """Replace these documents; None removes one."""
        for (kind, identifier), document in changes.items():
            of_kind = self._documents.setdefault(kind, {})
            if document is None or (isinstance(document, Transfer) and is_at_rest(document)):
                of_kind.pop(identifier, None)
            else:
                of_kind[identifier] = document
            if kind == Transfer.__name__:
                self._index(identifier, cast("Transfer | None", document))
            elif kind in {Roster.__name__, Practice.__name__}:
                self._update_us()

    def _index(self, identifier: str, transfer: Transfer | None) -> None:
        """Index the transfers that may need work. After years nearly all are finished and needn't be looked at."""
        if transfer is not None and is_restless(transfer):
            self._restless[identifier] = transfer
        else:
            self._restless.pop(identifier, None)

    def restless_transfers(self) -> Iterator[Transfer]:
        """Iterate over the transfers that a timer may concern (`is_restless`)."""
        return iter(self._restless.values())

    def everything(self) -> list[Document]:
        """Return every document except the transfers at rest."""
        return [document for of_kind in self._documents.values() for document in of_kind.values()]

    def get(self, kind: type[D], identifier: str) -> D | None:
        """Return the document, also a transfer at rest; None if there is none."""
        found = self._documents.get(kind.__name__, {}).get(identifier)
        if found is None and kind is Transfer:
            found = self.archive.transfer_at_rest(identifier)
        return cast("D | None", found)

    def holds(self, kind: type[Document]) -> bool:
        """Whether there is a document of that class; transfers at rest don't count."""
        return bool(self._documents.get(kind.__name__))

    def all(self, kind: type[D]) -> Iterator[D]:
        """Iterate over the documents of that class, oldest first, except transfers at rest."""
        return cast("Iterator[D]", iter(self._documents.get(kind.__name__, {}).values()))


class Verbs(Protocol):
    """The verbs, as the rules use them."""

    def parse(self, turn: Turn, text: str) -> tuple[str, dict[str, Any]] | Phrase:
        """Return the verb and its arguments, or the sentence that says what is wrong with the line."""

    def permission(self, verb: str) -> Permission:
        """Return the permission that the verb needs."""

    def answers(self, verb: str) -> Answers:
        """Return the kinds of message that name the subject of a line with this verb, if the line replies to one."""

    def ask(self, turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
        """Return the queries that the verb needs first; or its answer to the person, if it needs none."""

    def about(self, verb: str, arguments: dict[str, Any]) -> About:
        """Return the subject of a line with these arguments, as far as its words name it."""

    def act(self, turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        """Carry out the line. Return the answer to it; None if an effect in the turn answers it."""

    def answer_without(self, turn: Turn, command: Command, problem: Diagnosis | None) -> bool:
        """Answer the line although our InvenTree doesn't answer; False if the verb can't."""

    def is_safe_for(self, turn: Turn, room: str, verb: str, arguments: dict[str, Any], others: frozenset[str]) -> bool:
        """Whether all spaces of a person whom `others` list too may answer at once. Then nothing is done twice."""


def _by_id(transfer: Transfer) -> str:
    return transfer.id


def _by_time(transfer: Transfer) -> tuple[datetime, str]:
    return transfer.asked.at, transfer.id


class Turn:
    """The decision on one event: reads through to the state, and collects changes, effects and audit entries."""

    def __init__(self, state: State, now: datetime, *, by_the_clock: bool = False, verbs: Verbs | None = None) -> None:
        """Begin a turn on `state` at `now`.

        `by_the_clock`: no particular document is asked for, so quarantined ones are skipped. `verbs`: what people can
        type, in a turn that decides on an event.
        """
        self.state = state
        self.us = state.us
        self.now = now
        self._verbs = verbs
        self._passed_over = state.passed_over if by_the_clock else frozenset()
        self.changes: dict[tuple[str, str], Document | None] = {}
        self.effects: list[Effect] = []
        self.audit: list[AuditEntry] = []
        self.found_posts: list[tuple[str, str, str]] = []
        self.voided_subjects: list[str] = []

    @property
    def verbs(self) -> Verbs:
        """The verbs that people can type. Raises LookupError in a turn that only reads."""
        if self._verbs is None:
            raise LookupError("this turn only reads")
        return self._verbs

    def apart(self) -> Turn:
        """Return a copy of this turn to try something in. Its changes and effects don't count."""
        copy = Turn(self.state, self.now, verbs=self._verbs)
        copy.us, copy._passed_over, copy.changes = self.us, self._passed_over, dict(self.changes)
        return copy

    # changes, effects and audit

    def save(self, document: Document) -> None:
        """Save this document. Raises ValueError for a connection or transfer whose id is of another kind."""
        if isinstance(document, Connection | Transfer):
            kind = document.terms.kind if isinstance(document, Transfer) else SubjectKind.CONNECTION
            if kind_of(document.id) != kind:
                raise ValueError(f"{document.id} can't name a {kind}")
        self.changes[type(document).__name__, document.id] = document

    def drop(self, document: Document) -> None:
        """Remove this document."""
        self.changes[type(document).__name__, document.id] = None

    def do(self, *effects: Effect) -> None:
        """Want these effects, in this order within their queue. Messages mention only people whose budget allows it."""
        self.effects.extend(self._mentioning_few(e) if isinstance(e, Post) and e.mentions else e for e in effects)

    def _mentioning_few(self, post: Post) -> Post:
        """Return the message without mentions of people whom this peer's affairs have mentioned too often lately."""
        about = self.transfer(post.key.subject) or self.connection(post.key.subject)
        whose = about.peer if about else self.us.party
        mentions = tuple(person for person in post.mentions if self.spends("mention", f"{whose} {person}") is None)
        return replace(post, mentions=mentions)

    def spends(self, what: str, whose: str) -> datetime | None:
        """Take one from that budget (`budgets.LIMITS`). Return None, or if it is empty, when it has one again."""
        known, again = budgets.spend(self.allowance(f"{what}:{whose}"), budgets.limits(self.us, what), self.now)
        if again is None:
            self.save(known)
        return again

    def answer(self, command: Command, phrase: Phrase | None, *, refuses: bool = False) -> None:
        """Answer a line with a quiet reply. `phrase` is None if an effect in the turn answers it."""
        if phrase is not None:
            key = MessageKind.ANSWER.of(command.subject, command.event_id)
            self.do(Post(key, command.room, phrase, reply_to=command.event_id, answers=command.sender, refuses=refuses))

    def choose(
        self,
        room: str,
        event_id: str,
        person: str,
        phrase: Phrase,
        lines: tuple[str, ...],
        more: str = "",
        *,
        mentions: bool = False,
    ) -> None:
        """Post a numbered list for a person, as the answer to the line `event_id`; a number picks a whole line.

        `more` is the line for the next page. `mentions`: it comes later than an answer, so it mentions the person.
        """
        key = MessageKind.CHOICE.of(rest=event_id)
        self.save(PendingChoice(key, person, room, lines, self.now + NUMBER_WITHIN, more=more))
        mentioned = (person,) if mentions else ()
        self.do(Post(key, room, phrase, reply_to=event_id, answers=person, mentions=mentioned))

    def find_post(self, event_id: str, key: MessageKey, room: str) -> None:
        """Record the key of one of our messages that we didn't know, or whose meaning has changed."""
        self.found_posts.append((event_id, key, room))

    def void(self, subject: str) -> None:
        """Cancel the steps about this subject that wait in the outbox, but not those of this turn."""
        self.voided_subjects.append(subject)

    def note(self, subject: str, what: Noted | Fact, who: str = "", event_id: str = "", says: str = "") -> None:
        """Add an audit entry, without secrets. `says`: the peer that reports it about one of our people."""
        user = "" if says else self.us.people.get(who, "")
        account, transfer = self.account(user), self.transfer(subject)
        terms_hash = transfer.terms_hash if transfer else ""
        key = account.key if account else 0
        noted = Happened(what) if isinstance(what, Fact) else what
        through = self.said_through(event_id)
        self.audit.append(AuditEntry(subject, noted, who, event_id, says, user, key, terms_hash, through))

    def note_by(self, subject: str, what: Noted | Fact, by: Signature | None) -> None:
        """Add an audit entry by this person; with the peer's id if only a peer reports it about ours."""
        if by is None:
            self.note(subject, what)
        else:
            says = by.party if self._is_said_of_ours(by.person, by.party) else ""
            self.note(subject, what, by.person, by.event_id, says)

    def _is_said_of_ours(self, person: str, party: str) -> bool:
        return person in self.us.people and party not in {"", self.us.party}

    def has_read(self, permissions: Permissions) -> None:
        """Remember the InvenTree user with that name, for the audit."""
        if permissions.known and self.account(permissions.username) != (
            account := Account(permissions.username, permissions.key)
        ):
            self.save(account)

    def tell_admins(self, phrase: Phrase, key: str, *mentions: str) -> None:
        """Post a message to our own admin room. Without such a room it is only noted in the audit.

        If there are many of one kind, the admins get some, and a pointer to the audit for the rest.
        """
        self.note("admin", AdminsTold(phrase.name, key))
        if not self.us.admin_room:
            return
        if self.spends("admin message", phrase.name) is None:
            self.do(Post(MessageKind.ADMIN.of(rest=key), self.us.admin_room, phrase, mentions=mentions))
        elif self.tell_once(f"left-out:{phrase.name}", budgets.HOUR):
            left_out = say(messages.health.admin_messages_left_out)
            self.do(Post(MessageKind.ADMIN.of(rest=f"left-out:{key}"), self.us.admin_room, left_out))

    def tell_once(self, what: str, for_how_long: timedelta) -> bool:
        """Return whether this wasn't told within `for_how_long`, and remember that it is told now."""
        known = self.get(Cooldown, what)
        if known and known.until > self.now:
            return False
        self.save(Cooldown(what, self.now + for_how_long))
        return True

    def today(self) -> date:
        """The current day in our time zone."""
        return time_zones.day_at(self.now, "", self.us.time_zone)

    def day_of(self, transfer: Transfer) -> date:
        """The current day in the time zone of the transfer's lender, in which its days count."""
        return time_zones.day_at(self.now, transfer.terms.time_zone, self.us.time_zone)

    # reading: any document by its class, and named methods where there is more to it

    def get(self, kind: type[D], identifier: str) -> D | None:
        """Return the document of that class with that id, as of this turn; None if there is none."""
        key = (kind.__name__, identifier)
        return cast("D | None", self.changes[key]) if key in self.changes else self.state.get(kind, identifier)

    def all(self, kind: type[D]) -> list[D]:
        """Return every document of that class, as of this turn: of transfers only `living_transfers`."""
        name = kind.__name__
        changed = {identifier: cast("D | None", doc) for (of, identifier), doc in self.changes.items() if of == name}
        known = [doc for doc in self.state.all(kind) if doc.id not in changed]
        found = known + [doc for doc in changed.values() if doc is not None]
        return [doc for doc in found if doc.id not in self._passed_over] if self._passed_over else found

    def holds(self, *kinds: type[Document]) -> bool:
        """Whether there is a document of one of these classes, or was before this turn."""
        if any(map(self.state.holds, kinds)):
            return True
        names = {kind.__name__ for kind in kinds}
        return any(kind in names for kind, _ in self.changes)

    def holds_where(self, kind: type[D], where: Callable[[D], bool]) -> bool:
        """Whether `where` is true of a document of that class, quarantined ones included, transfers at rest not."""
        changed = (document for document in self.changes.values() if isinstance(document, kind))
        known = (doc for doc in self.state.all(kind) if (kind.__name__, doc.id) not in self.changes)
        return any(map(where, changed)) or any(map(where, known))

    def everything(self) -> list[Document]:
        """Return every document as of before this turn, except transfers at rest."""
        return self.state.everything()

    def room(self, identifier: str) -> Room | None:
        """Return the room; None if unknown. A line by page has a room of its own, like a direct chat with us."""
        if is_off_chat(identifier):
            line = self.get(WebLine, identifier)
            members = {self.us.bot: self.us.name, line.person: self._shown_name(line.person)} if line else {}
            return Room(identifier, members=members) if line else None
        return self.get(Room, identifier)

    def connection(self, identifier: str) -> Connection | None:
        """Return the connection with that id; None if unknown."""
        return self.get(Connection, identifier)

    def connections(self) -> list[Connection]:
        """Return every connection, past ones too."""
        return self.all(Connection)

    def transfer(self, identifier: str) -> Transfer | None:
        """Return the transfer with that id; None if unknown."""
        return self.get(Transfer, identifier)

    def brought(self, item: StockItem) -> tuple[Transfer, Line] | None:
        """Return the transfer and line that brought an item of ours, by its mark; None if unknown."""
        if item.mark is None:
            return None
        identifier, number = item.mark
        transfer = self.transfer(identifier)
        if transfer is None or transfer.role != "receiver":
            return None
        return next(((transfer, line) for line in transfer.terms.lines if line.number == number), None)

    def transfers(self) -> list[Transfer]:
        """Return every transfer, past ones too, oldest first. This reads the whole past, so prefer a narrower query."""
        return self._in_order([*self._at_rest(self.state.archive.newest()), *self.living_transfers()])

    def living_transfers(self) -> list[Transfer]:
        """Return every transfer that wasn't at rest before this turn, or was changed by it."""
        return self.all(Transfer)

    def marked(self, mark: Mark, value: str | int | None) -> list[Transfer]:
        """Return the transfers with that mark (`marks_of`), past ones too, oldest first."""
        wanted = (mark, "" if value is None else str(value))
        if not wanted[1]:
            return []
        living = [transfer for transfer in self.living_transfers() if wanted in marks_of(transfer)]
        return self._in_order([*self._at_rest(self.state.archive.marked(*wanted)), *living])

    def with_peer(self, peer: str, after: str = "") -> Iterator[Transfer]:
        """Iterate over the transfers with that party, past ones too, in the order of their ids, after `after`."""
        living = [t for t in self.living_transfers() if t.peer == peer and t.id > after]
        past = self._at_rest(self.state.archive.marked(Mark.PEER, peer, after), living)
        return merge(sorted(living, key=_by_id), past, key=_by_id)

    def newest(
        self,
        rooms: Sequence[str] | None = None,
        peer: str = "",
        since: datetime | None = None,
        behind: Place | None = None,
    ) -> Iterator[Transfer]:
        """Iterate over the transfers, past ones too, newest request first (`Archive.newest`)."""
        living = sorted(self._living(rooms, peer, since), key=_by_time, reverse=True)
        living = [transfer for transfer in living if behind is None or _by_time(transfer) < behind]
        past = self._at_rest(self.state.archive.newest(rooms, peer, since, behind), living)
        return merge(living, past, key=_by_time, reverse=True)

    def count(self, rooms: Sequence[str] | None = None, peer: str = "", since: datetime | None = None) -> int:
        """Return the number of transfers that `newest` would yield."""
        twice = [t for t in self._no_longer_at_rest() if is_meant(t, rooms, peer, since)]
        return len(self._living(rooms, peer, since)) + self.state.archive.count(rooms, peer, since) - len(twice)

    def _living(self, rooms: Sequence[str] | None, peer: str, since: datetime | None) -> list[Transfer]:
        return [t for t in self.living_transfers() if is_meant(t, rooms, peer, since)]

    def _no_longer_at_rest(self) -> list[Transfer]:
        """Return the transfers that this turn has changed and the archive still has, as they are there."""
        changed = (identifier for kind, identifier in self.changes if kind == Transfer.__name__)
        return [t for t in map(self.state.archive.transfer_at_rest, changed) if t is not None]

    def flows(self, rooms: Sequence[str] | None, since: datetime | None) -> list[PeerFlow]:
        """Return the quantities that moved in these rooms since then, to be summed.

        Those of a past transfer that this turn has changed are taken off again by a flow below zero.
        """

        def of(transfers: Iterable[Transfer]) -> Iterator[PeerFlow]:
            here = (t for t in transfers if rooms is None or t.room in rooms)
            return (flow for t in here if since is None or left_at(t) >= since for flow in flows_of_transfer(t))

        taken_off = (replace(f, lines=-f.lines, pieces=-f.pieces) for f in of(self._no_longer_at_rest()))
        return [*self.state.archive.flows(rooms, since), *taken_off, *of(self.living_transfers())]

    def peers(self) -> list[str]:
        """Return every party with which we ever had a transfer."""
        return sorted({*self.state.archive.peers_at_rest(), *(t.peer for t in self.living_transfers())})

    def _at_rest(self, found: Iterable[Transfer], living: Iterable[Transfer] = ()) -> Iterator[Transfer]:
        """Leave out transfers changed by this turn, and the `living`, which may come to rest during the iteration."""
        known = {transfer.id for transfer in living}
        return (t for t in found if (Transfer.__name__, t.id) not in self.changes and t.id not in known)

    @staticmethod
    def _in_order(found: list[Transfer]) -> list[Transfer]:
        return sorted(found, key=lambda transfer: transfer.asked.at)

    def subjects(self) -> list[Connection | Transfer]:
        """Return everything that people may decide on: connections, and transfers that haven't ended."""
        return [*self.open_transfers(), *self.connections()]

    def restless_transfers(self) -> list[Transfer]:
        """Return the transfers that a timer may concern (`is_restless`)."""
        changed = [doc for doc in self.changes.values() if isinstance(doc, Transfer) and is_restless(doc)]
        known = self.state.restless_transfers()
        found = [t for t in known if (Transfer.__name__, t.id) not in self.changes] + changed
        return [t for t in found if t.id not in self._passed_over] if self._passed_over else found

    def open_transfers(self) -> list[Transfer]:
        """Return the transfers that haven't ended."""
        return [transfer for transfer in self.restless_transfers() if transfer.state not in FINAL]

    def loans(self) -> list[Transfer]:
        """Return all loans, given and taken, by due date."""
        found = [t for t in self.restless_transfers() if t.is_on_loan]
        return sorted(found, key=lambda t: (t.due_day or date.max, t.id))

    def loans_away(self) -> list[Transfer]:
        """Return all loans whose items the lender doesn't have, on loan or on their way there, by due date."""
        travelling = (t for t in self.open_transfers() if t.is_on_its_way)
        return sorted((*self.loans(), *travelling), key=lambda t: (t.due_day or date.max, t.id))

    def announcement(self, room: str, bot: str) -> Announcement | None:
        """Return the bot's last announcement in the room, even if we don't believe it."""
        return self.get(Announcement, Announcement(room, bot).id)

    def is_still(self, person: str, username: str) -> bool:
        """Whether the person is still mapped to that InvenTree user. They may be removed while a permission is read."""
        return self.us.people.get(person) == username

    def who_may(self, permission: Permission) -> WhoMay:
        """Return the query for those of our people who have a permission."""
        return WhoMay(permission, tuple(dict.fromkeys(self.us.people.values())))

    def names_of(self, able: Able, room: str) -> list[str]:
        """Return the names, as in that room, of our people who have a permission, in the configuration's order."""
        return [self.name_of(person, room) for person, user in self.us.people.items() if user in able.usernames]

    def roster(self) -> Roster:
        """Return the people added and removed since the settings were written."""
        return self.get(Roster, Roster.id) or Roster()

    def enlist(self, roster: Roster) -> None:
        """Save the people added and removed. They count at once, in this turn too."""
        self.save(roster)
        self.us = self.state.as_configured(roster, self.practice())

    def practice(self) -> Practice | None:
        """Return the practice peer, while there is one."""
        return self.get(Practice, PRACTICE)

    def may_move(self, peer: str, part: int) -> bool:
        """Whether that part of ours may move to or from this party (`party_config.may_move`)."""
        return may_move(self.practice(), peer, part)

    def announcements(self, room: str) -> list[Announcement]:
        """Return the announcements of other bots in this room: each party once, from the bot that we believe."""
        return [
            replace(a, parties=tuple(p for p in a.parties if (a.bot, p) in self.announced(room, p.id)))
            for a in self._announcements(room)
        ]

    def _announcements(self, room: str) -> list[Announcement]:
        known, practice = self.room(room), self.practice()
        members = known.members if known is not None else {}
        return [
            replace(a, parties=tuple(p for p in a.parties if may_be_believed(practice, room, a.bot, p)))
            for a in self.all(Announcement)
            if a.room == room and a.bot in members and a.bot != self.us.bot
        ]

    def status(self) -> BotStatus:
        """Return the bot's status: its last catch-up, InvenTree's state and so on."""
        return self.get(BotStatus, "standing") or BotStatus()

    def own_token(self, setting: str) -> OwnToken:
        """Return our own token in that setting, `token` or `admin_token`, as far as we know it."""
        return self.get(OwnToken, setting) or OwnToken(setting)

    def rota_of(self, transfer: Transfer) -> Rota | None:
        """Return the rota of this request of ours; None if it has none."""
        opening = transfer.opening
        asks_several = transfer.terms.confirm and transfer.role == "receiver" and opening is not None
        return self.get(Rota, rota_id(opening.cause.word)) if asks_several and opening is not None else None

    def queue(self) -> list[QueueEntry]:
        """Return all entries of the queue for our items."""
        return sorted(self.all(QueueEntry), key=lambda entry: entry.number)

    def account(self, username: str) -> Account | None:
        """Return the user of our InvenTree, as last read."""
        return self.get(Account, username) if username else None

    def allowance(self, identifier: str) -> Allowance:
        """Return the state of that budget."""
        return self.get(Allowance, identifier) or Allowance(identifier)

    def stock_history(self) -> StockHistory:
        """Return the stock counts at each time that figures were posted."""
        return self.get(StockHistory, "stock-history") or StockHistory()

    # searching

    def subject(self, identifier: str) -> Connection | Transfer | None:
        """Return the transfer or connection of that id. The id's own kind decides which of them is searched."""
        is_connection = kind_of(identifier) is SubjectKind.CONNECTION
        return self.connection(identifier) if is_connection else self.transfer(identifier)

    def connection_with(self, peer: str) -> Connection | None:
        """Return the newest connection with that party that hasn't ended; None if there is none."""
        living = [c for c in self.connections() if c.peer == peer and c.state in LIVING_CONNECTION]
        return max(living, key=lambda c: c.generation, default=None)

    def active_connections(self, room: str = "") -> list[Connection]:
        """Return the connections that carry transfers now (in this room, if given)."""
        return [c for c in self.connections() if c.state is ConnectionState.ACTIVE and (not room or c.room == room)]

    def claims(self, room: str, party: str) -> list[tuple[str, AnnouncedParty]]:
        """Return the validly signed claims in this room to host that party, oldest first, as (bot, party)."""
        claims = [(a.bot, each) for a in self._announcements(room) for each in a.parties if each.id == party]
        return sorted(claims, key=lambda claim: claim[1].since or self.now)

    def announced(self, room: str, party: str) -> list[tuple[str, AnnouncedParty]]:
        """Return the claim to host that party in this room that we believe, (bot, party), as a list of one or none.

        The bot or key that a living connection pins always wins; else the oldest claim.
        """
        claims, pinned = self.claims(room, party), self.connection_with(party)
        if pinned is not None:
            by_bot = [claim for claim in claims if claim[0] == pinned.peer_bot]
            claims = by_bot or [claim for claim in claims if claim[1].key == pinned.peer_key]
        return claims[:1]

    def subject_of(self, event_id: str) -> str:
        """Return the id that a message is about: by our key (`card:ID`, `offer:ID`, …), as we read a peer's, or ''."""
        key = self.key_of(event_id)
        if key or not event_id:
            return key.subject
        subjects: list[Connection | Transfer] = [*self.marked(Mark.EVENT, event_id), *self.connections()]
        return next((s.id for s in subjects if event_id == s.asked.event_id or event_id in s.peer_events), "")

    def key_of(self, event_id: str) -> MessageKey:
        """Return the key of our message with that event id; '' if it isn't ours."""
        return self.state.archive.key_of(event_id) if event_id else NO_KEY

    def own_subject_of(self, event_id: str) -> str:
        """Return the id of the subject of our message; '' for another bot's message."""
        return self.subject_of(event_id) if self.key_of(event_id) else ""

    def card_subject_of(self, event_id: str) -> str:
        """Return the id of the subject if that message is our newest card of it; else ''."""
        key = self.key_of(event_id)
        subject = self.transfer(key.subject) or self.connection(key.subject)
        is_card = key.kind is MessageKind.CARD and subject is not None and subject.asks_on(event_id)
        return key.subject if is_card else ""

    def by_code(self, word: str) -> list[Connection | Transfer]:
        """Return the transfers and connections whose id begins with the typed word (4 characters at least)."""
        word = word.lower()
        if len(word) < CODE_LENGTH:
            return []
        living = {t.id: t for t in self.living_transfers() if t.id.startswith(word)}
        past = (self.transfer(identifier) for identifier in self.state.archive.ids_at_rest(word))
        found = self._in_order([*({t.id: t for t in past if t} | living).values()])
        return [*found, *(c for c in self.connections() if c.id.startswith(word))]

    def short_code(self, identifier: str) -> str:
        """Return the shortest prefix of this id, 4 characters at least, that no other subject has."""
        past = self.state.archive.ids_at_rest(identifier[:CODE_LENGTH])
        ids = (*past, *(s.id for s in self.living_transfers()), *(c.id for c in self.connections()))
        others = [other for other in ids if other != identifier]
        length = CODE_LENGTH
        while any(other.startswith(identifier[:length]) for other in others) and length < len(identifier):
            length += 1
        return identifier[:length]

    def name_of(self, person: str, room: str = "") -> str:
        """Return a person's label: their Matrix id, with the display name in the room where that is safe."""
        return self.called(self._shown_name(person, room), person)

    def _shown_name(self, person: str, room: str = "") -> str:
        """Return the person's display name, preferably the one in that room; '' if unknown."""
        known = self.get(Room, room) if room else None
        return next((c.members[person] for c in [known, *self.all(Room)] if c and c.members.get(person)), "")

    def called(self, name: str, person: str, says: str = "") -> str:
        """Return the label of a person with that display name (`names`), for whom the party `says` vouches."""
        if self._is_said_of_ours(person, says):
            return names.of_ours(name, person, says)
        return names.of_person(name, person, self.us.bot.partition(":")[2])

    def signature_of(self, command: Command) -> Signature:
        """Return the signature of a line's sender."""
        return self.signature(command.sender, command.room, command.at, command.event_id, command.username)

    def signature(
        self, person: str, room: str, at: datetime, event_id: str, username: str, note: str = ""
    ) -> Signature:
        """Return the signature of one of our people who asked or decided by that line or reaction."""
        name, through = self.name_of(person, room), self.said_through(event_id)
        return Signature(person, name, self.us.party, at, event_id, username, note, through)

    def said_through(self, event_id: str) -> str:
        """Return the name of the API token by which the line was sent; '' if by none."""
        line = self.get(WebLine, event_id) if is_off_chat(event_id) else None
        return line.through if line is not None else ""

    def party_name(self, party: str) -> str:
        """Return the label of a party (`names`): with the last name to which our people agreed."""
        if party == self.us.party:
            return names.of_party(self.us.name, party)
        known = [c for c in self.connections() if c.peer == party]
        agreed = [c for c in known if c.decided is not None] or known
        newest = max(agreed, key=lambda connection: connection.generation, default=None)
        return newest.peer_name if newest else party
