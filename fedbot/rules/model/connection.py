"""A connection as a document: two parties that may exchange stock, and the state of their message exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from fedbot.rules.model.decision import NO_CARD, Decision, HasCard, InRoom, KeyCheck, Signature
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.lifecycles import UNFINISHED_CONNECTION, ConnectionState
from fedbot.rules.wire import Draft, past_with


@dataclass(frozen=True)
class Exchange:
    """Our side of the messages about one transfer or connection.

    Each side numbers its messages from 1, and they are read strictly in order. `sent` and `seen` are the highest
    numbers sent and read; `unread` are our messages that the peer hasn't acknowledged. While `awaiting`, they are sent
    again at `resend_at`. `said` is when our last one was written, `repeated` when we last sent some again or answered a
    repeated message. `agreed` is the highest number of ours that the peer has acknowledged; `past` is the hash of our
    messages up to it, and `peer_past` that of the peer's up to `seen` (`wire.past_with`). `differs` is the number
    of ours up to which the peer reports another hash (0: it never did).
    """

    sent: int = 0
    seen: int = 0
    unread: tuple[Draft, ...] = ()
    awaiting: bool = False
    resend_at: datetime | None = None
    resends: int = 0
    said: datetime | None = None
    repeated: datetime | None = None
    agreed: int = 0
    past: str = ""
    peer_past: str = ""
    differs: int = 0

    def past_at(self, number: int) -> str | None:
        """Return the hash of our messages up to that number; None if it is below `agreed`, or one of them is lost."""
        past = self.past
        between = [draft for draft in self.unread if self.agreed < draft.number <= number]
        if number < self.agreed or len(between) != number - self.agreed:
            return None
        for draft in between:
            past = past_with(past, draft.kind, draft.number, draft.terms_hash, draft.body)
        return past


@dataclass(frozen=True)
class Renewal:
    """The rotation of a peer's token. The old token is valid until the new one has been tried.

    `name` and `expiry` are set once the new one exists; `reason` and `problem` while the rotation is stuck. `by_hand`:
    an admin put it into the vault in place of the old one. `by` asked for it in `room`, where the outcome is posted.
    """

    looked: datetime
    name: str = ""
    expiry: date | None = None
    by_hand: bool = False
    reason: str = ""
    problem: Diagnosis | None = None
    by: Signature | None = None
    room: str = ""


@dataclass(frozen=True)
class ShownConnection:
    """Everything that a connection's card shows: both parties with their keys, and the access that an approval makes.

    `name` is the name under which the peer asks.
    """

    own: str
    own_key: str
    peer: str
    peer_bot: str
    peer_key: str
    name: str
    access: str
    makes_access: bool
    asker: str
    generation: int
    room: str
    due: datetime


@dataclass(frozen=True)
class Connection(HasCard):
    """The standing relation of our party with a peer, as one of its two sides.

    `peer_bot`, `peer_key` and `room` are pinned when the connection is requested; `former_keys` were pinned before a
    review. `own_made`: the peer's access exists, and its token was tried (`relayed`) or handed over (`direct`). `needs`
    is why our side waits for a person, `peer_needs` why the peer's token doesn't work (`direct`); `obstacle` and
    `peer_obstacle` are the diagnoses of these. `problem` is why it was declined, or who withdrew the request.
    `peer_events` are the peer's newest messages about it, to which people may reply. `shown`, `reminded`, `card`,
    `own_card`, `card_since` and `in_room` are as in `Transfer`. `peer_shares`: the length of the peer's sharing list as
    it last reported it. `check`: the data for comparing keys, while the connection is requested and while another key
    is reviewed. `new_name`: announced by the peer; it is called `peer_name` until a superuser of ours agrees.
    `peer_has_left`: it ended the connection at once, so no loan can be returned over it any more.
    """

    id: str
    code: str
    peer: str
    peer_name: str
    peer_bot: str
    peer_key: str
    room: str
    generation: int
    state: ConnectionState
    asked: Signature
    ours: bool
    access: str
    due: datetime
    decided: Signature | None = None
    decision: Decision | None = None
    exchange: Exchange = Exchange()
    card_event: str = ""
    peer_events: tuple[str, ...] = ()
    company: int | None = None
    user: int | None = None
    group: int | None = None
    token_name: str = ""
    token_expiry: date | None = None
    token_warned: int = 0
    renewal: Renewal | None = None
    sees_items: int | None = None
    peer_sees_items: int | None = None
    peer_url: str = ""
    own_made: bool = False
    own_ready: bool = False
    peer_ready: bool = False
    needs: str = ""
    obstacle: Diagnosis | None = None
    peer_needs: str = ""
    peer_obstacle: Diagnosis | None = None
    problem: str = ""
    ended_by: Signature | None = None
    new_name: str = ""
    peer_has_left: bool = False
    changed_bot: str = ""
    changed_key: str = ""
    waiting_since: datetime | None = None
    shown: datetime | None = None
    reminded: datetime | None = None
    peer_shares: int | None = None
    changed_room: str = ""
    former_keys: tuple[str, ...] = ()
    check: KeyCheck | None = None
    card: ShownConnection | None = None
    own_card: str = ""
    card_since: datetime | None = None
    in_room: InRoom = NO_CARD

    @property
    def subject_kind(self) -> str:
        """The envelope field that holds its id."""
        return "connection"

    @property
    def is_to_be_compared(self) -> bool:
        """Whether it is suspended only because the journal was rebuilt: bot and key are unchanged, but not reviewed."""
        return bool(self.changed_key) and (self.changed_bot, self.changed_key) == (self.peer_bot, self.peer_key)

    @property
    def is_ending_or_over(self) -> bool:
        """Whether nothing new may start on it."""
        return self.state in {ConnectionState.ENDING, ConnectionState.ENDED}

    def is_overdue(self, now: datetime) -> bool:
        """Whether its deadline has passed without a decision, or without both sides being ready."""
        return self.state in UNFINISHED_CONNECTION and self.decision is None and self.due < now

    @property
    def waits(self) -> bool:
        """Whether the bot sends the peer nothing until a superuser has reviewed its key or its new room."""
        return self.state is ConnectionState.SUSPENDED or bool(self.changed_room)


KEY_EMOJI: tuple[tuple[str, str], ...] = (
    ("🐶", "Dog"),
    ("🐱", "Cat"),
    ("🦁", "Lion"),
    ("🐎", "Horse"),
    ("🦄", "Unicorn"),
    ("🐷", "Pig"),
    ("🐘", "Elephant"),
    ("🐰", "Rabbit"),
    ("🐼", "Panda"),
    ("🐓", "Rooster"),
    ("🐧", "Penguin"),
    ("🐢", "Turtle"),
    ("🐟", "Fish"),
    ("🐙", "Octopus"),
    ("🦋", "Butterfly"),
    ("🌷", "Flower"),
    ("🌳", "Tree"),
    ("🌵", "Cactus"),
    ("🍄", "Mushroom"),
    ("🌏", "Globe"),
    ("🌙", "Moon"),
    ("☁️", "Cloud"),
    ("🔥", "Fire"),
    ("🍌", "Banana"),
    ("🍎", "Apple"),
    ("🍓", "Strawberry"),
    ("🌽", "Corn"),
    ("🍕", "Pizza"),
    ("🎂", "Cake"),
    ("❤️", "Heart"),
    ("😀", "Smiley"),
    ("🤖", "Robot"),
    ("🎩", "Hat"),
    ("👓", "Glasses"),
    ("🔧", "Wrench"),
    ("🎅", "Santa"),
    ("👍", "Thumbs up"),
    ("☂️", "Umbrella"),
    ("⌛", "Hourglass"),
    ("⏰", "Clock"),
    ("🎁", "Gift"),
    ("💡", "Light Bulb"),
    ("📕", "Book"),
    ("✏️", "Pencil"),
    ("📎", "Paperclip"),
    ("✂️", "Scissors"),
    ("🔒", "Lock"),
    ("🔑", "Key"),
    ("🔨", "Hammer"),
    ("☎️", "Telephone"),
    ("🏁", "Flag"),
    ("🚂", "Train"),
    ("🚲", "Bicycle"),
    ("✈️", "Airplane"),
    ("🚀", "Rocket"),
    ("🏆", "Trophy"),
    ("⚽", "Ball"),
    ("🎸", "Guitar"),
    ("🎺", "Trumpet"),
    ("🔔", "Bell"),
    ("⚓", "Anchor"),
    ("🎧", "Headphones"),
    ("📁", "Folder"),
    ("📌", "Pin"),
)
"""The emoji of Matrix device verification, in their order (client-server API, 'SAS method: emoji')."""
