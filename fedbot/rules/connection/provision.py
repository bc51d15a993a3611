"""Provisions a peer's access, one step after the other, until our side is ready.

The steps are: company, group and user, token, trial. `relayed`: we try the token that we made, and keep it. `direct`:
we seal it for the peer, who tries it, and we try the peer's. If the bot can't make something, an admin makes it by
hand, and puts the token into the vault under `own_reference` (`fedbot credentials add`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from fedbot import messages
from fedbot.rules.archive import Mark
from fedbot.rules.catalogue.provenance import WriteMirror, mirror_received
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.books import SpaceFigures, figures_written
from fedbot.rules.model.catalogue import Share, Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Do, Edit, Forget, KeepSecret, Phrase, Post, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown, Waiting
from fedbot.rules.model.lending import LendingStop, PlaceInLine
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState
from fedbot.rules.model.queries import OfConnection, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import (
    AccessMade,
    CloseCompany,
    CompanyMade,
    EndAccess,
    MakeAccess,
    MakeCompany,
    MintToken,
    Mirror,
    TokenMinted,
    TokenTried,
    TryToken,
    due_in_a_year,
)
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn

TRY_AGAIN_AFTER = timedelta(minutes=1)
A_DAY = timedelta(days=1)
NO_TOKEN = "no-token"  # noqa: S105 -- a reason, not a secret
TOKEN_CODES = frozenset({"not-permitted", "too-much-right", "too-little-right", "sealed"})
"""The results of a token's trial that the peer is told, besides an unreachable InvenTree."""


def access_name(connection: Connection) -> str:
    """Return the name of the peer's user and group in our InvenTree, new in every generation."""
    return f"fed-{connection.peer}-{connection.generation}"


def own_reference(connection: Connection) -> str:
    """Return the vault's reference for the token that we made for the peer."""
    return made_for(connection.peer, connection.generation)


def made_for(party: str, generation: int) -> str:
    """Return the vault's reference for the token that we make for the party in this generation."""
    return f"made-for/{party}/{generation}"


def next_of(reference: str) -> str:
    """Return the vault's reference for the replacement of the token under `reference`, until its trial succeeds."""
    return f"{reference}/next"


def peer_reference(connection: Connection) -> str:
    """Return the vault's reference for the token that the peer made for us (`direct` only)."""
    return f"got-from/{connection.peer}/{connection.generation}"


def _mark(connection: Connection, step: str) -> str:
    return f"fed:{connection.id}:0:{step}"


def begin(turn: Turn, connection: Connection) -> Connection:
    """Provision what is still missing, after both approvals or a review.

    The deadline starts again, with as much time as there was to decide.
    """
    connection = replace(
        connection,
        state=ConnectionState.MAKING,
        due=turn.now + turn.us.request_open_for,
        decision=None,
        needs="",
        obstacle=None,
        peer_needs="",
        peer_obstacle=None,
    )
    turn.save(connection)
    connection = _next(turn, connection)
    if connection.access == "direct" and connection.peer_url and connection.sees_items is None:
        _try_peers(turn, connection)
    return connection


def _next(turn: Turn, connection: Connection) -> Connection:
    """Want the next step of our side: company, access, token, and its trial or hand-over."""
    then = Provision(connection.id)
    if connection.own_made:
        return _ready_when_complete(turn, connection)
    if connection.company is None:
        step = MakeCompany(
            mark=_mark(connection, "company"),
            link=f"https://matrix.to/#/{connection.peer_bot}?fed={connection.peer}",
            name=connection.peer_name,
            description=f"{connection.peer_name}, connected by fedbot",
        )
        turn.do(Do(then, step))
    elif connection.token_name and connection.access == "direct":
        return _hand_over(turn, connection)
    elif connection.token_name:
        _try_own(turn, connection)
    elif connection.user is None:
        turn.do(Do(then, _access(connection)))
    else:
        turn.do(Do(then, _mint(turn, connection)))
    return connection


@dataclass(frozen=True)
class Provision(OfConnection, WhenStepEnds):
    """Carries on after a step that makes, or tries, the peer's access."""

    def done(self, turn: Turn, event: StepDone) -> None:
        """Record the result, and start the next step.

        A step that ends after the connection was called off is undone. Nothing follows while the connection is
        suspended.
        """
        _on_done(turn, self.connection, event, of_peer=False)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admin room what to do, or make a missing token. If a person can fix it, it is tried again."""
        connection = turn.connection(self.connection)
        if connection is None or connection.state is not ConnectionState.MAKING:
            return
        if event.reason == NO_TOKEN:
            _no_token(turn, connection)
        else:
            _own_side_waits(turn, connection, event)


@dataclass(frozen=True)
class TryPeersToken(OfConnection, WhenStepEnds):
    """The trial of the token that the peer made for us, at its InvenTree."""

    at_peer = True

    def done(self, turn: Turn, event: StepDone) -> None:
        """Record that it works, and become ready."""
        _on_done(turn, self.connection, event, of_peer=True)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the room, because the peer's people have to fix it."""
        connection = turn.connection(self.connection)
        if connection is not None and connection.state is ConnectionState.MAKING:
            _peers_token_refused(turn, connection, event)

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """Post that the peer's InvenTree is silent."""
        tell_that_peer_is_silent(turn, self.connection, event.problem)


def _on_done(turn: Turn, identifier: str, event: StepDone, *, of_peer: bool) -> None:
    connection = turn.connection(identifier)
    if connection is None:
        return
    connection = _recorded(connection, event, of_peer=of_peer)
    turn.save(connection)
    turn.note(connection.id, audit.Provisioned(type(event.result).__name__))
    if connection.state not in LIVING_CONNECTION:
        take_back(turn, connection)
    elif connection.state is ConnectionState.MAKING:
        if not of_peer:
            connection = replace(connection, needs="", obstacle=None)
            if isinstance(event.result, TokenTried):
                connection = _on_token_tried(turn, connection)
            else:
                connection = _next(turn, connection)
        else:
            connection = _ready_when_complete(turn, replace(connection, peer_needs="", peer_obstacle=None))
        turn.save(connection)
        mirror(turn, connection)


def _recorded(connection: Connection, event: StepDone, *, of_peer: bool) -> Connection:
    """Return the connection with the result of this step."""
    result = event.result
    if isinstance(result, TokenTried) and not of_peer and connection.token_expiry is None:  # made by hand
        connection = replace(connection, token_name=result.name, token_expiry=result.expiry)
    match result:
        case CompanyMade(company):
            return replace(connection, company=company)
        case AccessMade(user, group):
            return replace(connection, user=user, group=group)
        case TokenMinted(name, expiry):
            return replace(connection, token_name=name, token_expiry=expiry)
        case TokenTried(stock_items) if of_peer or connection.access != "direct":
            return replace(connection, sees_items=stock_items)
    return connection


def _access(connection: Connection) -> MakeAccess:
    for_peer = connection.access == "direct"
    return MakeAccess(_mark(connection, "access"), access_name(connection), connection.id, for_peer)


def _mint(turn: Turn, connection: Connection) -> MintToken:
    user = connection.user
    if user is None:
        raise ValueError(f"connection {connection.id} has no user to mint a token for")
    name = f"{access_name(connection)}-1"
    return MintToken(_mark(connection, "token"), user, name, own_reference(connection), due_in_a_year(turn.now))


def _on_token_tried(turn: Turn, connection: Connection) -> Connection:
    """Hand over the tried token, or become ready. The token can only read. It may have been made by hand."""
    if connection.access == "direct":
        return _hand_over(turn, connection)
    return _ready_when_complete(turn, replace(connection, own_made=True))


def _hand_over(turn: Turn, connection: Connection) -> Connection:
    body = bodies.Credentials(url=turn.us.inventory_url, token="")
    secrets = {"token": own_reference(connection)}
    connection = replace(connection, own_made=True)
    connection = sequencing.send(turn, connection, body, awaits=True, secrets=secrets)
    return _ready_when_complete(turn, connection)


def _try_own(turn: Turn, connection: Connection) -> None:
    for_peer = connection.access == "direct"
    step = TryToken(_mark(connection, "trial"), own_reference(connection), for_peer=for_peer)
    turn.do(Do(Provision(connection.id), step))


def _try_peers(turn: Turn, connection: Connection) -> None:
    private = connection.peer in turn.us.private_peers
    step = TryToken(_mark(connection, "trial"), peer_reference(connection), connection.peer_url, private=private)
    turn.do(Do(TryPeersToken(connection.id), step))


def on_credentials(turn: Turn, connection: Connection, envelope: Message[bodies.Credentials]) -> None:
    """Put the peer's token, which is sealed to us, into the vault, and try it at the peer's InvenTree."""
    if connection.access != "direct" or connection.state is not ConnectionState.MAKING:
        turn.save(connection)
        return
    binding = sequencing.bound_to(envelope.sender, envelope.to, envelope.subject, envelope.seq)
    connection = replace(connection, peer_url=envelope.body.url)
    turn.save(connection)
    turn.do(KeepSecret(TryPeersToken(connection.id), peer_reference(connection), envelope.body.token, binding))
    _try_peers(turn, connection)


def _ready_when_complete(turn: Turn, connection: Connection) -> Connection:
    """Become ready once our side is provisioned and (`direct`) the peer's token works.

    Then active, if the peer is too.
    """
    tried = connection.access != "direct" or connection.sees_items is not None
    if not (connection.own_made and tried) or connection.own_ready:
        return connection
    connection = replace(connection, own_ready=True, state=ConnectionState.READY, waiting_since=turn.now)
    body = bodies.Ready(items=connection.sees_items)
    connection = sequencing.send(turn, connection, body, awaits=not connection.peer_ready)
    return become_active(turn, connection)


def become_active(turn: Turn, connection: Connection) -> Connection:
    """Become `active` once our own trial passed and the peer's `ready` is here, and tell people."""
    is_checked = connection.check is None or not connection.check.is_open
    is_ready = connection.own_ready and connection.peer_ready and connection.state is ConnectionState.READY
    if not (is_checked and is_ready):
        turn.save(connection)
        return connection
    connection = sequencing.at_rest(replace(connection, state=ConnectionState.ACTIVE, waiting_since=None))
    turn.save(connection)
    turn.note(connection.id, audit.Active(connection.peer))
    _adopt(turn, connection)
    phrase = say(messages.connect.connected, connection=connection, us=turn.us)
    if connection.ours:
        people = [connection.asked.person, connection.decided.person if connection.decided else ""]
        mentions = tuple(person for person in people if person)
        turn.do(Post(MessageKind.END.of(connection.id), connection.room, phrase, mentions=mentions))
    else:
        turn.do(Edit(MessageKind.CARD.of(connection.id), connection.room, phrase))
    mirror(turn, connection)
    return connection


def _adopt(turn: Turn, connection: Connection) -> None:
    """Continue open transfers and loans of an earlier generation under this one, and send their messages again."""
    adopted = []
    closed_alone = [t for t in turn.marked(Mark.KEPT, connection.peer) if balance.is_closed_alone(t)]
    for transfer in [*turn.open_transfers(), *turn.loans(), *(balance.reopened(t) for t in closed_alone)]:
        was_left_open = transfer.peer == connection.peer and transfer.connection != connection.id
        if was_left_open and transfer.room in announcements.lineage(turn, connection.room):
            here = replace(transfer, connection=connection.id, room=connection.room)
            mine = sequencing.address_again(here, connection)
            turn.save(mine)
            turn.note(transfer.id, audit.GoesOn(connection.generation))
            sequencing.send_again(turn, mine)
            if mine.is_on_loan and mine.role == "receiver":
                sequencing.ask(turn, mine)  # the lender may have settled it alone meanwhile
            adopted.append(mine)
            if transfer.id in {t.id for t in closed_alone}:
                _show_on_loan_again(turn, mine)
    if adopted and connection.ours:
        phrase = say(messages.disconnect.goes_on_from_before, connection=connection, transfers=tuple(adopted))
        turn.do(Post(MessageKind.ADOPTED.of(connection.id), connection.room, phrase))


def _show_on_loan_again(turn: Turn, loan: Transfer) -> None:
    """Show in the card and our InvenTree that an item whose loan we had closed alone is on loan again."""
    turn.note(loan.id, audit.Fact.ON_LOAN_AGAIN)
    if loan.has_card:
        peer_name = turn.party_name(loan.peer)
        card = say(
            messages.transfer_card.transfer_card,
            transfer=loan,
            us=turn.us,
            peer_name=peer_name,
            people=[],
            changes=(),
        )
        turn.do(Edit(MessageKind.CARD.of(loan.id), loan.room, card))
    for progress in loan.progress:
        if progress.stage in balance.ARRIVED:
            mirror_received(turn, loan, progress)


# --- obstacles ---------------------------------------------------------------------------------------------


def _no_token(turn: Turn, connection: Connection) -> None:
    """Make a token, because nobody put one into the vault by hand; or another one, because ours got lost."""
    if connection.user is None:
        turn.do(Do(Provision(connection.id), _access(connection)))
        return
    connection = replace(connection, token_name="")
    turn.save(connection)
    turn.do(Do(Provision(connection.id), _mint(turn, connection)))


def _own_side_waits(turn: Turn, connection: Connection, event: StepRefused | StepUnknown) -> None:
    reason, problem = event.reason, event.problem
    connection = replace(connection, needs=reason, obstacle=problem, waiting_since=turn.now)
    turn.save(connection)
    if not turn.tell_once(f"making:{connection.id}:{reason}", A_DAY):
        return
    turn.note(connection.id, audit.ProvisionWaits(problem))
    names = {"name": access_name(connection), "reference": own_reference(connection)}
    phrase = say(
        messages.provision.making_waits, connection=connection, us=turn.us, reason=reason, problem=problem, **names
    )
    turn.tell_admins(phrase, f"making:{connection.id}:{reason}:{turn.now.isoformat()}")
    _tell_room_once(
        turn, connection, "waits", say(messages.provision.making_waits_in_room, connection=connection, us=turn.us)
    )


def _peers_token_refused(turn: Turn, connection: Connection, event: StepRefused | StepUnknown) -> None:
    """Tell the room that the peer's token doesn't work, because its own people have to fix it."""
    reason, problem = event.reason, event.problem
    connection = replace(connection, peer_needs=reason, peer_obstacle=problem, waiting_since=turn.now)
    turn.save(connection)
    if turn.tell_once(f"peers:{connection.id}:{reason}", A_DAY):
        turn.note(connection.id, audit.PeersTokenRefused(problem))
        _tell_peers_token(turn, connection, problem, told_to_peers(reason))


def tell_that_peer_is_silent(turn: Turn, identifier: str, problem: Diagnosis) -> None:
    """Post that the peer's InvenTree can't be reached. The trial is repeated by itself."""
    connection = turn.connection(identifier)
    if connection is None:
        return
    if connection.state is ConnectionState.MAKING and connection.peer_obstacle != problem:
        connection = replace(connection, peer_obstacle=problem)
        turn.save(connection)
        turn.note(connection.id, audit.PeerSilent(problem))
        _tell_peers_token(turn, connection, problem, told_to_peers("unreachable"))


def told_to_peers(reason: str) -> str:
    """Return the reason why a peer's token doesn't work, without details of our network that the peer may not learn."""
    return reason if reason in TOKEN_CODES else "unreachable"


def _tell_peers_token(turn: Turn, connection: Connection, problem: Diagnosis, code: str) -> None:
    phrase = say(messages.provision.peers_access_waits, connection=connection, us=turn.us, problem=problem)
    turn.tell_admins(phrase, f"peers:{connection.id}:{turn.now.isoformat()}")
    in_room = say(messages.provision.peers_access_waits_in_room, connection=connection, us=turn.us, code=code)
    _tell_room_once(turn, connection, f"peers:{code}", in_room)


def _tell_room_once(turn: Turn, connection: Connection, what: str, phrase: Phrase) -> None:
    """Post in the thread of the card (or of our request), so that both sides' people know what it waits for."""
    if turn.tell_once(f"making:{connection.id}:{what}", A_DAY):
        thread = MessageKind.OFFER.of(connection.id) if connection.ours else MessageKind.CARD.of(connection.id)
        key = MessageKind.MAKING.of(connection.id, f"{what}:{turn.now.isoformat()}")
        turn.do(Post(key, connection.room, phrase, thread=thread))


def next_try(connection: Connection) -> datetime | None:
    """When to try again a step that waits for a person; None if none does, or it is being tried."""
    waits = connection.state is ConnectionState.MAKING and (connection.needs or connection.peer_needs)
    return connection.waiting_since + TRY_AGAIN_AFTER if waits and connection.waiting_since else None


def try_again(turn: Turn, connection: Connection) -> None:
    """Try again each minute what waits for a person's help."""
    at = next_try(connection)
    if at is None or at > turn.now:
        return
    connection = replace(connection, waiting_since=None)  # set again at the next refusal
    turn.save(connection)
    if connection.peer_needs:
        _try_peers(turn, connection)
    if connection.needs and connection.company is not None and connection.user is None:
        _try_own(turn, connection)  # an admin may have made the access by hand
    elif connection.needs:
        turn.save(_next(turn, connection))


def take_back(turn: Turn, connection: Connection) -> None:
    """Withdraw the access of an ended connection: deactivate the user, revoke its tokens, close the company."""
    if connection.user is not None:
        shut = EndAccess(_mark(connection, "end"), connection.user, own_reference(connection))
        turn.do(Do(ShutAccess(connection.id), shut))
    elif connection.own_made:
        phrase = say(messages.disconnect.access_made_by_hand, connection=connection, name=access_name(connection))
        turn.tell_admins(phrase, f"access:{connection.id}")
    for reference in (own_reference(connection), peer_reference(connection)):
        turn.do(Forget(reference), Forget(next_of(reference)))
    if not balance.of_connection(turn, connection):
        close_company(turn, connection)


def close_company(turn: Turn, connection: Connection) -> None:
    """Close the peer's company, never delete it, because none of our loans is with it any more.

    It stays open if the next connection, which uses the same company, has begun already.
    """
    living = turn.connection_with(connection.peer)
    is_used = living is not None and living.id != connection.id
    if connection.company is not None and not is_used:
        close = CloseCompany(_mark(connection, "close"), connection.company)
        turn.do(Do(ShutCompany(connection.id), close))


@dataclass(frozen=True)
class ShutCompany(OfConnection, WhenStepEnds):
    """Carries on after closing the company of a peer whose connection has ended."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.connection, audit.StepWasDone(audit.CLOSED_COMPANY))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Ask the admins to do it by hand."""
        connection = turn.connection(self.connection)
        if connection is not None:
            phrase = say(
                messages.provision.access_not_ended,
                connection=connection,
                name=access_name(connection),
                problem=event.problem,
            )
            turn.tell_admins(phrase, f"access:{connection.id}")


@dataclass(frozen=True)
class ShutAccess(ShutCompany):
    """Carries on after deactivating the user of a peer whose connection has ended, and revoking its tokens."""

    def done(self, turn: Turn, event: StepDone) -> None:
        """Tell the room, if the connection has ended."""
        super().done(turn, event)
        connection = turn.connection(self.connection)
        if connection is not None and connection.state is ConnectionState.ENDED:
            tell_ended(turn, connection)


def tell_ended(turn: Turn, connection: Connection) -> None:
    """Update the message about the end: the access is withdrawn."""
    on_loan = tuple(balance.as_still_out(turn, loan) for loan in balance.of_connection(turn, connection))
    phrase = say(messages.disconnect.disconnected, connection=connection, us=turn.us, on_loan=on_loan)
    turn.do(Edit(MessageKind.DISCONNECTING.of(connection.id), connection.room, phrase))


PLACES, WANTS = TypeAdapter(tuple[PlaceInLine, ...]), TypeAdapter(tuple[Want, ...])
STOP = TypeAdapter(LendingStop)


def _kept_data(turn: Turn, connection: Connection) -> dict[str, Any]:
    """Return our people's places and wants with this peer, and a stop on new loans. No message in a room has them."""
    kept: dict[str, Any] = {}
    places = tuple(each for each in turn.all(PlaceInLine) if each.connection == connection.id and each.is_living)
    wants = tuple(each for each in turn.all(Want) if connection.id in each.told and each.is_living)
    if places:
        kept["places"] = PLACES.dump_python(places, mode="json", exclude_defaults=True)
    if wants:
        kept["wants"] = WANTS.dump_python(wants, mode="json", exclude_defaults=True)
    if (stop := turn.get(LendingStop, connection.peer)) is not None:
        kept["stop"] = STOP.dump_python(stop, mode="json", exclude_defaults=True)
    return kept


def follow(turn: Turn) -> None:
    """After an event: mirror changed places, wants and stops on new loans."""
    concerned: dict[str, None] = {}
    for (kind, identifier), document in list(turn.changes.items()):
        if isinstance(document, PlaceInLine):
            before = turn.state.get(PlaceInLine, identifier)
            if before is None or before.is_living != document.is_living:
                concerned[document.connection] = None
        elif isinstance(document, Want):
            known = turn.state.get(Want, identifier)
            if known is None or (known.is_living, known.told) != (document.is_living, document.told):
                concerned |= dict.fromkeys(document.told)
        elif kind == LendingStop.__name__ and (friend := turn.connection_with(identifier)) is not None:
            concerned[friend.id] = None
    for connection in filter(None, map(turn.connection, concerned)):
        is_just_found = turn.state.get(Connection, connection.id) is None  # after a loss it is already there
        if connection.state is ConnectionState.ACTIVE and not is_just_found:
            mirror(turn, connection)


def mirror(turn: Turn, connection: Connection) -> None:
    """Mirror the connection and its open requests into the company's metadata."""
    if connection.company is None:
        return
    requests = [
        {"id": t.id, "state": t.state.value, "role": t.role, "terms": t.terms_hash}
        for t in turn.open_transfers()
        if t.connection == connection.id
    ]
    value: dict[str, Any] = {
        "connection": connection.id,
        "generation": connection.generation,
        "party": connection.peer,
        "bot": connection.peer_bot,
        "key": connection.peer_key,
        "former_keys": list(connection.former_keys),
        "room": connection.room,
        "state": connection.state.value,
        "access": connection.access,
        "ours": connection.ours,
        "user": connection.user,
        "group": connection.group,
        "token": connection.token_name,
        "token_expiry": connection.token_expiry.isoformat() if connection.token_expiry else "",
        "peer_url": connection.peer_url,
        "requests": requests,
    }
    if shares := turn.all(Share):
        value["shares"] = [
            [s.model, s.pk, s.name, s.by, s.at.isoformat(), list(s.above), s.is_template] for s in shares
        ]
    value |= _kept_data(turn, connection)
    if figures := turn.get(SpaceFigures, connection.peer):
        value["stats"] = {"at": figures.at.isoformat(), "days": figures.days, **figures_written(figures)}
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    turn.do(
        Do(
            WriteMirror(connection.id),
            Mirror(_mark(connection, "mirror"), "company", connection.company, text, is_new=True),
        )
    )
