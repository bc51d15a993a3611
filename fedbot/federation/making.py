"""What each side makes for a peer, one act after the other, and how a side becomes ready (DESIGN §2, UC1).

Company, then group and user, then the token, then its trial. `relayed`: we try the token that we made and keep
it. `direct`: it goes to the peer, sealed, and the peer tries it; we try the one that we got.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from fedbot.federation import letters
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.effects import Do, Edit, Forget, KeepSecret, Post, say
from fedbot.federation.envelope import Envelope
from fedbot.federation.events import Context, StepDone, StepRefused, StepUnknown
from fedbot.federation.state import Turn
from fedbot.federation.steps import (
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

TRY_AGAIN_AFTER = timedelta(minutes=1)
A_DAY = timedelta(days=1)
# why an admin makes user and token by hand: no superuser's token, or a version that can't do it over REST
BY_HAND = frozenset({"no-admin-token", "unsupported"})


def access_name(connection: Connection) -> str:
    """The name of the peer's user and group in our InvenTree, new in every generation."""
    return f"fed-{connection.peer}-{connection.generation}"


def own_reference(connection: Connection) -> str:
    """Where the vault keeps the token that we made for the peer."""
    return f"made-for/{connection.peer}/{connection.generation}"


def peer_reference(connection: Connection) -> str:
    """Where the vault keeps the token that the peer made for us (`direct` only)."""
    return f"got-from/{connection.peer}/{connection.generation}"


def _mark(connection: Connection, step: str) -> str:
    return f"fed:{connection.id}:0:{step}"


def begin(turn: Turn, connection: Connection) -> Connection:
    """Both sides have said yes: begin with the company."""
    connection = replace(connection, state=ConnectionState.MAKING, verdict=None, needs="", problem="")
    turn.save(connection)
    step = MakeCompany(
        mark=_mark(connection, "company"),
        link=f"https://matrix.to/#/{connection.peer_bot}?fed={connection.peer}",
        name=connection.peer_name,
        description=f"{connection.peer_name}, connected by fedbot",
    )
    turn.do(Do(Context("making", connection.id), step))
    return connection


def on_done(turn: Turn, event: StepDone) -> None:
    """One act of the making is done: note what came of it, go on with the next."""
    connection = turn.connection(event.context.subject)
    if connection is None or connection.state not in {ConnectionState.MAKING, ConnectionState.READY}:
        return
    connection = replace(connection, needs="", problem="")
    match event.result:
        case CompanyMade(company):
            connection = replace(connection, company=company)
            step = MakeAccess(_mark(connection, "access"), access_name(connection), connection.id)
            turn.do(Do(Context("making", connection.id), step))
        case AccessMade(user, group):
            connection = replace(connection, user=user, group=group)
            turn.do(Do(Context("making", connection.id), _mint(turn, connection)))
        case TokenMinted(name, expiry):
            connection = replace(connection, token_name=name, token_expiry=expiry)
            connection = _on_token(turn, connection)
        case TokenTried(stock_items):
            if connection.access == "direct" and event.context.detail.get("whose") == "own":
                connection = _hand_over(turn, connection)
            else:
                connection = _on_tried(turn, replace(connection, sees_items=stock_items))
    turn.note(connection.id, f"made: {type(event.result).__name__}")
    turn.save(connection)
    mirror(turn, connection)


def _mint(turn: Turn, connection: Connection) -> MintToken:
    user = connection.user
    if user is None:
        raise ValueError(f"connection {connection.id} has no user to mint a token for")
    name = f"{access_name(connection)}-1"
    return MintToken(_mark(connection, "token"), user, name, own_reference(connection), due_in_a_year(turn.now))


def _on_token(turn: Turn, connection: Connection) -> Connection:
    if connection.access == "direct":
        return _hand_over(turn, connection)
    _try_own(turn, connection)
    return connection


def _hand_over(turn: Turn, connection: Connection) -> Connection:
    body = {"url": turn.home.inventory_url}
    secrets = {"token": own_reference(connection)}
    return letters.send(turn, connection, "credentials", body, awaits=True, secrets=secrets)


def _try_own(turn: Turn, connection: Connection) -> None:
    context = Context("making", connection.id, detail={"whose": "own"})
    turn.do(Do(context, TryToken(_mark(connection, "trial"), own_reference(connection))))


def _try_peers(turn: Turn, connection: Connection) -> None:
    context = Context("making", connection.id, detail={"whose": "peer"})
    step = TryToken(_mark(connection, "trial"), peer_reference(connection), connection.peer_url)
    turn.do(Do(context, step))


def on_credentials(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer's token, sealed to us: into the vault, then try it at the peer's InvenTree."""
    sealed = envelope.body.get("token")
    url = str(envelope.body.get("url", ""))
    if connection.access != "direct" or not isinstance(sealed, str) or not url.startswith(("https://", "http://")):
        turn.save(connection)
        return
    binding = letters.bound_to(envelope.sender, envelope.to, envelope.subject, envelope.seq)
    connection = replace(connection, peer_url=url)
    turn.save(connection)
    turn.do(KeepSecret(Context("making", connection.id), peer_reference(connection), sealed, binding))
    _try_peers(turn, connection)


def _on_tried(turn: Turn, connection: Connection) -> Connection:
    """Our trial passed: we are ready, and active once the peer is too."""
    connection = replace(connection, own_ready=True, waiting_since=turn.now)
    if connection.state is ConnectionState.MAKING:
        connection = replace(connection, state=ConnectionState.READY)
    body = {"items": connection.sees_items}
    connection = letters.send(turn, connection, "ready", body, awaits=not connection.peer_ready)
    return become_active(turn, connection)


def become_active(turn: Turn, connection: Connection) -> Connection:
    """`active` when our own trial passed and the peer's `ready` is here; the people are told."""
    if not (connection.own_ready and connection.peer_ready and connection.state is ConnectionState.READY):
        turn.save(connection)
        return connection
    connection = replace(connection, state=ConnectionState.ACTIVE, waiting_since=None)
    turn.save(connection)
    turn.note(connection.id, f"active with {connection.peer}")
    if connection.ours:
        phrase = say("connected", connection=connection, home=turn.home)
        people = [connection.asked.person, connection.decided.person if connection.decided else ""]
        rings = tuple(person for person in people if person)
        turn.do(Post(f"end:{connection.id}", connection.room, phrase, rings=rings))
    else:
        turn.do(
            Edit(
                f"card:{connection.id}",
                connection.room,
                say("connected", connection=connection, home=turn.home),
            )
        )
    mirror(turn, connection)
    return connection


def on_refused(turn: Turn, event: StepRefused | StepUnknown) -> None:
    """An act of the making can't go on by itself: say in the admin room what to do; keep trying what may mend."""
    connection = turn.connection(event.context.subject)
    if connection is None or connection.state is not ConnectionState.MAKING:
        return
    reason = event.reason if isinstance(event, StepRefused) else "unknown"
    if connection.needs and reason == "no-token":
        return
    connection = replace(connection, needs=reason, problem=event.text, waiting_since=turn.now)
    turn.save(connection)
    turn.note(connection.id, f"making waits: {reason}", detail=event.text)
    if not turn.tell_once(f"making:{connection.id}:{reason}", A_DAY):
        return
    names = {"name": access_name(connection), "reference": own_reference(connection)}
    phrase = say("making_waits", connection=connection, reason=reason, text=event.text, **names)
    turn.tell_admins(phrase, f"making:{connection.id}:{reason}:{event.at.isoformat()}")
    turn.do(
        Post(
            f"making:{connection.id}:{reason}:{event.at.isoformat()}",
            connection.room,
            say("making_waits_in_room", connection=connection, home=turn.home),
            thread=f"card:{connection.id}" if not connection.ours else f"offer:{connection.id}",
        )
    )


def try_again(turn: Turn, connection: Connection) -> None:
    """A making that waits for a person's help is looked at again each minute: the act that was refused."""
    if connection.state is not ConnectionState.MAKING or not connection.needs:
        return
    if connection.waiting_since is None or connection.waiting_since + TRY_AGAIN_AFTER > turn.now:
        return
    connection = replace(connection, waiting_since=turn.now)
    context = Context("making", connection.id)
    if connection.company is None:
        begin(turn, connection)
    elif connection.peer_url and connection.needs not in BY_HAND:
        turn.save(connection)
        _try_peers(turn, connection)
    elif connection.token_name or connection.needs in BY_HAND:
        turn.save(connection)
        _try_own(turn, connection)
    elif connection.user is None:
        turn.save(connection)
        turn.do(Do(context, MakeAccess(_mark(connection, "access"), access_name(connection), connection.id)))
    else:
        turn.save(connection)
        turn.do(Do(context, _mint(turn, connection)))


def take_back(turn: Turn, connection: Connection) -> None:
    """What was made for a connection that is over: the user deactivated, its tokens revoked, the company closed."""
    context = Context("taking-back", connection.id)
    if connection.user is not None:
        turn.do(Do(context, EndAccess(_mark(connection, "end"), connection.user, own_reference(connection))))
    else:
        turn.do(Forget(own_reference(connection)))
    if connection.company is not None:
        turn.do(Do(context, CloseCompany(_mark(connection, "close"), connection.company)))
    turn.do(Forget(peer_reference(connection)))


def mirror(turn: Turn, connection: Connection) -> None:
    """The connection and its open requests, as they stand, into the company's metadata (DESIGN §6)."""
    if connection.company is None:
        return
    requests = [
        {"id": t.id, "state": t.state.value, "role": t.role, "terms": t.terms_hash}
        for t in turn.open_transfers()
        if t.connection == connection.id
    ]
    value = {
        "connection": connection.id,
        "generation": connection.generation,
        "party": connection.peer,
        "bot": connection.peer_bot,
        "key": connection.peer_key,
        "room": connection.room,
        "state": connection.state.value,
        "requests": requests,
    }
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    turn.do(
        Do(
            Context("mirror", connection.id),
            Mirror(_mark(connection, "mirror"), "company", connection.company, text),
        )
    )
