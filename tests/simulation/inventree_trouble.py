"""Trouble with an InvenTree: faults on the way to it, people who change it, permissions that change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fedbot.ports.inventory import InventoryProblem
from fedbot.rules.model.lifecycles import FINAL
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.seeds import APPROVERS
from tests.simulation.party import Party

if TYPE_CHECKING:
    from tests.simulation.federation import Federation


WRITES = "POST|PATCH|PUT|DELETE"
PATHS = (
    "",
    "stock/transfer/",
    "stock/assign/",
    "/api/stock/$",
    "/api/stock/$",
    "stock/change_status/",
    "stock/return/",
)
STEPS = ("/api/stock/$", "/api/stock/$", "stock/assign/", "stock/transfer/")
KINDS = (
    (FaultKind.ERROR_BEFORE, 500),
    (FaultKind.ERROR_AFTER, 500),
    (FaultKind.ERROR_AFTER, 502),
    (FaultKind.TIMEOUT_BEFORE, 500),
    (FaultKind.TIMEOUT_AFTER, 500),
    (FaultKind.RESET_AFTER, 500),
    (FaultKind.REFUSED, 500),
    (FaultKind.LATE, 500),
    (FaultKind.ERROR_BEFORE, 400),
    (FaultKind.ERROR_BEFORE, 400),
    (FaultKind.LATE, 500),
)


def actions(federation: Federation) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
    """The actions on an InvenTree by name."""
    trouble = _Trouble(federation)
    return {
        "fault": trouble.fault,
        "refuse": trouble.refuse,
        "late": trouble.late,
        "outage": trouble.outage,
        "fixed": trouble.fixed,
        "forbidden": trouble.forbidden,
        "meddle": trouble.meddle,
        "meddle between": trouble.meddle_between,
        "rights": trouble.permissions,
    }


def release(federation: Federation, party: Party) -> None:
    """Let the server do the requests that clients have given up on."""
    party.wire.late_since = None
    done = party.simulated.faults.release(party.seeded.server)
    federation.tell(f"  {party.id}'s InvenTree does {len(done)} late requests: {[each.status for each in done]}")
    federation.auditor.look(party)


def fix(party: Party) -> None:
    """Remove the faults; late requests are done in time."""
    party.simulated.faults.clear()
    party.is_down = False


class _Trouble:
    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    def _troubled(self, party: Party, what: str) -> None:
        self._federation.auditor.troubled.add(party.id)
        self._federation.tell(f"{party.id}'s InvenTree: {what}")

    async def fault(self, a: int, b: int, c: int, d: int) -> None:
        """Let the next matching writing calls end like this."""
        party = self._federation.party(a)
        kind, status = KINDS[b % len(KINDS)]
        path = PATHS[c % len(PATHS)]
        party.simulated.faults.add(Fault(kind, WRITES, path, times=1 + d % 2, status=status))
        self._troubled(party, f"{kind} {status} on the next {path or 'write'} ({1 + d % 2} times)")

    async def refuse(self, a: int, b: int, _: int, d: int) -> None:
        """Refuse one of the steps that move stock."""
        party = self._federation.aimed(a, d)
        path = STEPS[b % len(STEPS)]
        party.simulated.faults.add(Fault(FaultKind.ERROR_BEFORE, WRITES, path, times=1, status=400))
        self._troubled(party, f"says no to the next {path}")

    async def late(self, a: int, b: int, _: int, d: int) -> None:
        """Do one of the steps that move stock only after its client has given up."""
        party = self._federation.aimed(a, d)
        path = STEPS[b % len(STEPS)]
        party.simulated.faults.add(Fault(FaultKind.LATE, WRITES, path, times=1))
        self._troubled(party, f"will be late with the next {path}")

    async def outage(self, a: int, b: int, *_: int) -> None:
        party = self._federation.party(a)
        kind = (FaultKind.REFUSED, FaultKind.TIMEOUT_BEFORE, FaultKind.ERROR_BEFORE)[b % 3]
        party.simulated.faults.add(Fault(kind, ".*", "", times=None, status=502))
        party.is_down = True
        self._troubled(party, f"down ({kind})")

    async def fixed(self, a: int, *_: int) -> None:
        fix(self._federation.party(a))
        self._federation.tell(f"{self._federation.party(a).id}'s InvenTree answers again")

    async def forbidden(self, a: int, b: int, *_: int) -> None:
        party = self._federation.party(a)
        kind = ".*" if b % 2 else WRITES
        party.simulated.faults.add(Fault(FaultKind.ERROR_BEFORE, kind, "", times=None, status=403))
        party.is_down = True
        self._troubled(party, "fedbot's roles are taken away")

    async def permissions(self, a: int, b: int, c: int, d: int) -> None:
        """An approver loses or regains the permission."""
        party = self._federation.aimed(a, d)
        username = party.people.approver
        users, groups = party.inventree.users, party.inventree.groups
        user = users.find("username", username)[0]
        group = groups.find("name", APPROVERS)[0].pk
        if username in party.lost_permission:
            del party.lost_permission[username]
            users.put(replace(user, groups=(*(g for g in user.groups if g != group), group), is_active=True))
        elif c % 3:
            party.lost_permission[username] = party.clock.now()
            if self._federation.auditor.liar is not None and c % 2:  # not a person of the honest space
                users.put(replace(user, is_active=False))
            else:
                users.put(replace(user, groups=tuple(g for g in user.groups if g != group)))
        self._federation.tell(
            f"{username} of {party.id}: right {'lost' if username in party.lost_permission else 'there'}"
        )

    # --- people who change InvenTree ----------------------------------------------------------------------

    async def meddle(self, a: int, b: int, c: int, d: int) -> None:
        self._meddle(self._federation.party(a), b, c, d)

    async def meddle_between(self, a: int, b: int, c: int, d: int) -> None:
        """The same just before one of the bot's next writing calls."""
        party = self._federation.party(a)
        party.wire.meddling.append((d % 3, lambda: self._meddle(party, b, c, d)))
        self._federation.auditor.clicked.add(party.id)
        self._troubled(party, f"somebody will click in it before the bot's write {d % 3}")

    def _concerned(self, party: Party) -> list[StockItem]:
        """The rows of open transfers first, then all others."""
        stock = party.inventree.stock
        under_way = [transfer for transfer in party.transfers() if transfer.state not in FINAL]
        keys = [line.item for transfer in under_way if transfer.role == "sender" for line in transfer.terms.lines]
        keys += [p.item for transfer in under_way for p in transfer.progress if p.item is not None]
        concerned = [row for row in map(stock.get, dict.fromkeys(keys)) if row is not None]
        return concerned or [row for row in stock if row.customer is None]

    def _meddle(self, party: Party, b: int, c: int, d: int) -> None:
        self._federation.auditor.look(party)  # read the bot's changes now, because they may be gone in a moment
        rows = self._concerned(party)
        if not rows:
            return
        row = rows[c % len(rows)]
        places = [place.pk for place in party.inventree.locations]
        place = places[d % len(places)]
        others = [o for o in party.inventree.stock.find("part", row.part) if o.pk != row.pk and not o.serial]
        one = {"pk": row.pk, "quantity": "1"}
        whole = {"pk": row.pk, "quantity": str(row.quantity)}
        merged = [{"item": row.pk}, *({"item": other.pk} for other in others[:1])]
        calls: list[tuple[str, str, dict[str, object]]] = [
            ("moves some of", "stock/transfer/", {"items": [one], "location": place, "notes": "tidying up"}),
            ("moves", "stock/transfer/", {"items": [whole], "location": place, "notes": "tidying up"}),
            ("merges", "stock/merge/", {"items": merged, "location": place, "allow_mismatched_status": True}),
            ("uses up some of", "stock/remove/", {"items": [one], "notes": "used"}),
            ("uses up", "stock/remove/", {"items": [whole], "notes": "used"}),
            ("adds to", "stock/add/", {"items": [one], "notes": "bought"}),
            ("sets the status of", "stock/change_status/", {"items": [row.pk], "status": 65, "note": "broken"}),
            ("deletes", f"stock/{row.pk}/", {}),
        ]
        what, url, content = calls[b % len(calls)]
        try:
            if what == "deletes":
                party.clerk.delete(url)
            else:
                party.clerk.post(url, content)
        except InventoryProblem as problem:
            self._federation.tell(f"  {party.id}: nobody can do that ({what} #{row.pk}: {problem.text[:60]})")
            return
        self._federation.auditor.clicked.add(party.id)
        self._troubled(party, f"somebody {what} #{row.pk}")
