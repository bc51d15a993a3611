"""The bare chain of one transfer: the calls that the bots make between grace and end, one after the other.

Without rules, journal and waiting, only the time of InvenTree and the network is left. The same chain measures the
transports: it works with anything that has the official client's `get` and `post`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.observed import Call

PART = "RES-10K"
AMOUNT = "5"
_DETAILS = {"part_detail": "true", "location_detail": "true"}
_OK, _ON_ITS_WAY = 10, 50


class Client(Protocol):
    """The common methods of the official `InvenTreeAPI` and our transport."""

    def get(self, url: str, **arguments: Any) -> Any:  # noqa: ANN401
        """Read."""

    def post(self, url: str, data: Any, **arguments: Any) -> Any:  # noqa: ANN401
        """Act."""


@dataclass
class Side:
    """One InvenTree as the chain calls it. `seconds` and `calls` grow with each call."""

    party: str
    client: Client
    seconds: float = 0.0
    calls: list[Call] = field(default_factory=list)

    def get(self, path: str, **params: object) -> Any:  # noqa: ANN401
        """Read, timed."""
        started = time.perf_counter()
        answer = self.client.get(path, params=params)
        self._count("GET", path, started)
        return answer

    def post(self, path: str, content: object) -> Any:  # noqa: ANN401
        """Act, timed."""
        started = time.perf_counter()
        answer = self.client.post(path, content)
        self._count("POST", path, started)
        return answer

    def _count(self, method: str, path: str, started: float) -> None:
        self.seconds += time.perf_counter() - started
        self.calls.append(Call(time.time(), self.party, method, f"/api/{path}"))


@dataclass(frozen=True)
class Ground:
    """The rows that the chain works on, looked up before anything is timed."""

    item: int
    outgoing: int
    company: int
    part: int
    incoming: int
    destination: int


def ground(sender: Client, receiver: Client) -> Ground:
    """Look up the chain's rows, and create the receiver's company at the sender if necessary."""
    sent_part = _only(sender.get("part/", params={"IPN": PART}))
    company = next((row for row in sender.get("company/") if row["is_customer"] and row["name"] == "Betaspace"), None)
    if company is None:
        company = sender.post("company/", {"name": "Betaspace", "is_customer": True, "currency": "EUR"})
    items = sender.get("stock/", params={"part": sent_part["pk"], "in_stock": "true"})
    return Ground(
        item=max(items, key=lambda row: float(row["quantity"]))["pk"],
        outgoing=_place(sender, "Outgoing"),
        company=company["pk"],
        part=_only(receiver.get("part/", params={"IPN": PART}))["pk"],
        incoming=_place(receiver, "Incoming"),
        destination=_place(receiver, "Shelf 2"),
    )


def _place(client: Client, name: str) -> int:
    return int(_only([row for row in client.get("stock/location/") if row["name"] == name])["pk"])


def _only(rows: list[Any]) -> Any:  # noqa: ANN401
    (row,) = rows
    return row


def walk(sender: Side, receiver: Side, on: Ground, name: str) -> None:
    """Make one transfer, under a mark with this name. Each call is one that the bots make too (`differs`)."""
    receiver.get("user/", search="cem")  # the approver's permission, read again
    sender.get("user/", search="piet")  # the asker's permission, just before booking out
    child = _take_out(sender, on, f"fed:{name}:1:out")
    _hand_over(sender, on, child, f"fed:{name}:1:over")
    made = _create(receiver, on, f"https://matrix.to/#/!bench/$card?fed:{name}:1:in")
    _put_away(receiver, on, made, f"fed:{name}:1:away")
    _arrived(sender, child, f"fed:{name}:1:arrived")


def _take_out(sender: Side, on: Ground, mark: str) -> int:
    sender.get("stock/track/", search=mark, limit=50, offset=0)  # was it done already?
    sender.get(f"stock/{on.item}/", **_DETAILS)  # may it leave?
    sender.get(f"company/{on.company}/")  # and go there?
    line = {"pk": on.item, "quantity": AMOUNT, "status": _ON_ITS_WAY}
    sender.post("stock/transfer/", {"items": [line], "location": on.outgoing, "notes": f"{mark} on its way"})
    found = sender.get("stock/track/", search=mark, limit=50, offset=0)["results"]  # the new row's key, and the sum
    return next(int(row["deltas"]["stockitem"]) for row in found if row["item"] == on.item)


def _hand_over(sender: Side, on: Ground, child: int, mark: str) -> None:
    sender.post("stock/assign/", {"items": [{"item": child}], "customer": on.company, "notes": f"{mark} given"})
    row = sender.get(f"stock/{child}/", **_DETAILS)
    if row["customer"] != on.company:
        raise RuntimeError(f"the chain handed nothing over: {row}")


def _create(receiver: Side, on: Ground, link: str) -> int:
    receiver.get("stock/", part=on.part, ordering="-creation_date", limit=100, **_DETAILS)  # is it here already?
    receiver.get(f"part/{on.part}/")  # does it have the unit of the card?
    content = {"part": on.part, "location": on.incoming, "quantity": AMOUNT, "link": link, "status": _OK}
    return int(receiver.post("stock/", content)[0]["pk"])


def _put_away(receiver: Side, on: Ground, made: int, mark: str) -> None:
    line = {"pk": made, "quantity": AMOUNT}
    receiver.post("stock/transfer/", {"items": [line], "location": on.destination, "notes": f"{mark} received"})
    row = receiver.get(f"stock/{made}/", **_DETAILS)
    if row["location"] != on.destination:
        raise RuntimeError(f"the chain put nothing away: {row}")


def _arrived(sender: Side, child: int, mark: str) -> None:
    sender.get("stock/track/", item=child, item_detail="true", limit=10)
    sender.post("stock/change_status/", {"items": [child], "status": _OK, "note": f"{mark} arrived"})
    sender.get(f"stock/{child}/", **_DETAILS)


def differs(bots: list[Call], chain: list[Call]) -> str:
    """The difference between the bots' calls and the chain's, kind by kind; '' if there is none."""
    theirs, ours = Counter(call.kind for call in bots), Counter(call.kind for call in chain)
    more = [f"{count} × {party} {what}" for (party, what), count in sorted((theirs - ours).items())]
    less = [f"{count} × {party} {what}" for (party, what), count in sorted((ours - theirs).items())]
    told = [f"only the bots: {', '.join(more)}"] if more else []
    return "; ".join([*told, *([f"only the chain: {', '.join(less)}"] if less else [])])
