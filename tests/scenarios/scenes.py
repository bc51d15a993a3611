"""Made-up spaces, people and transfers: attraktor gives things to betaspace, and we are either of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from fedbot.messages import markup
from fedbot.messages.language import Locale
from fedbot.messages.rendering import render
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Cause, NoResponse, Speaker, Verbatim
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer

OUR_LOCALE = Locale("en", "Europe/Berlin")
LOCALES = {"en": OUR_LOCALE, "de": Locale("de", "Europe/Berlin")}
NOW = datetime(2026, 11, 24, 19, 31, tzinfo=UTC)
"""Tue 24 Nov, 20:31 in Berlin."""
ASKED_AT = datetime(2026, 11, 24, 19, 14, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 19, 14, tzinfo=UTC)

ANNA, PIET, KIM = "@anna:attraktor.example", "@piet:attraktor.example", "@kim:attraktor.example"
BEA, CEM, DILEK = "@bea:beta.example", "@cem:beta.example", "@dilek:beta.example"
ALPHA_BOT, BETA_BOT = "@fedbot:attraktor.example", "@fedbot:beta.example"
ROOM = "!room"
PEOPLE = ["Bea", "Cem", "Dilek"]

ALPHA = PartyConfig(
    party="attraktor",
    name="attraktor",
    bot=ALPHA_BOT,
    key="a" * 64,
    people={ANNA: "anna", PIET: "piet", KIM: "kim"},
    rooms=(ROOM,),
    admin_room="!admins",
    time_zone="Europe/Berlin",
    inventory_url="https://inventree.attraktor.example",
    has_admin_token=True,
)
BETA = replace(
    ALPHA, party="beta", name="betaspace", bot=BETA_BOT, key="b" * 64, people={BEA: "bea", CEM: "cem", DILEK: "dilek"}
)

BY_ANNA = Signature(ANNA, "Anna", "attraktor", ASKED_AT, "$asked", "anna")
BY_PIET = Signature(PIET, "Piet", "attraktor", NOW, "$tap", "piet")
BY_BEA = Signature(BEA, "Bea", "beta", NOW, "$tap", "bea")

LENS = Line(
    number=1,
    item=42,
    part=7,
    description=PartDescription("Laser lens 2.0″", "LENS-2"),
    quantity=Decimal(1),
    serial="0042",
    place="Cabinet L1",
    whole=True,
)
BOLTS = Line(
    number=1,
    item=12,
    part=3,
    description=PartDescription("M3 bolt", "M3-BOLT"),
    quantity=Decimal(10),
    place="Workshop/Drawer A3",
)
CABLE = Line(
    number=2,
    item=15,
    part=4,
    description=PartDescription("Speaker cable", units="m"),
    quantity=Decimal("1.5"),
    batch="2025-11",
    status=50,
    status_text="Attention needed",
    place="Wood rack",
)


def transfer(
    *lines: Line,
    role: str = "receiver",
    state: TransferState = TransferState.OPEN,
    note: str = "",
    progress: tuple[Progress, ...] | None = None,
    decided: Signature | None = None,
    wanted: str = "",
    problem: str = "",
) -> Transfer:
    """attraktor gives the lines (by default the lens) to betaspace; `role` says which of the two we are."""
    lines = lines or (LENS,)
    if progress is None:
        placed = tuple(
            Progress(line.number, part=7, part_name="Our thing", match="ipn", place="Laser room") for line in lines
        )
        progress = placed if role == "receiver" else ()
    return Transfer(
        id="k7m2abcdefghjkmnpqrs",
        code="k7m2",
        role=role,
        peer="attraktor" if role == "receiver" else "beta",
        connection="c" * 20,
        room=ROOM,
        terms=Terms("push", "attraktor", "beta", lines, ANNA, "Anna", note),
        terms_hash="h",
        state=state,
        asked=BY_ANNA,
        due=DUE,
        decided=decided,
        wanted=wanted,
        progress=progress,
        problem=problem,
    )


def request(
    *lines: Line,
    role: str = "receiver",
    state: TransferState = TransferState.OPEN,
    note: str = "",
    progress: tuple[Progress, ...] | None = None,
    decided: Signature | None = None,
    wanted: str = "",
    problem: str = "",
) -> Transfer:
    """The same transfer as a request by Bea of betaspace."""
    given = transfer(
        *lines,
        role=role,
        state=state,
        note=note,
        progress=progress,
        decided=decided,
        wanted=wanted,
        problem=problem,
    )
    terms = replace(given.terms, kind="request", asker=BEA, asker_name="Bea")
    return replace(given, terms=terms, asked=replace(BY_BEA, at=ASKED_AT))


def to_be_compared(suspended: Connection) -> Connection:
    """A connection after a rebuild: same bot and key, but nobody has compared them."""
    return replace(suspended, changed_bot=suspended.peer_bot, changed_key=suspended.peer_key)


def connection(
    state: ConnectionState = ConnectionState.OFFERED,
    *,
    ours: bool = False,
    access: str = "relayed",
    decided: Signature | None = None,
    problem: str = "",
    company: int | None = None,
) -> Connection:
    """attraktor asked betaspace to connect; with `ours` we are attraktor."""
    return Connection(
        id="c9x4bcdefghjkmnpqrst",
        code="c9x4",
        peer="beta" if ours else "attraktor",
        peer_name="betaspace" if ours else "attraktor",
        peer_bot=BETA_BOT if ours else ALPHA_BOT,
        peer_key="d" * 64,
        room=ROOM,
        generation=1,
        state=state,
        asked=BY_ANNA,
        ours=ours,
        access=access,
        due=DUE,
        decided=decided,
        problem=problem,
        company=company,
        token_expiry=date(2027, 11, 24) if company else None,
    )


def plain(phrase: Phrase, locale: Locale = OUR_LOCALE) -> str:
    """The phrase as plain text, for a bot in Berlin on Tue 24 Nov 2026 at 20:31."""
    return markup.render(render(phrase, locale, NOW)).plain


def html(phrase: Phrase, locale: Locale = OUR_LOCALE) -> str:
    """The phrase as HTML."""
    return markup.render(render(phrase, locale, NOW)).html


SAYS_NO = Verbatim(Speaker.INVENTREE, "You do not have permission.")
SILENT = NoResponse("inventree.example", Cause.NO_CONNECTION, may_be_done=False)
