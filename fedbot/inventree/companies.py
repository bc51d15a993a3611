"""The customer company that stands for a peer: one for all generations of the connection (UC1, UC5).

It is found by our link, and never deleted: deleting it would return its items to stock.
"""

from __future__ import annotations

from typing import Any

from inventree.company import Company as Companies

from fedbot.inventree.rows import Row, address, plain, same
from fedbot.inventree.server import Server
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.access_steps import AccessEnded, CloseCompany, CompanyMade, MakeCompany
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain

_READY = {"is_customer": True, "is_supplier": False, "is_manufacturer": False, "active": True}


def find_company_made(server: Server, step: MakeCompany) -> CompanyMade | None:
    """Probe of `MakeCompany`: ours by its link, or by its name if that has no link yet, and ready for use."""
    row = _found(server.for_companies(), step)
    ready = row is not None and row.get("link") == address(step.link) and _is_ready(row)
    return CompanyMade(int(row["pk"])) if row is not None and ready else None


def make_company(server: Server, step: MakeCompany) -> CompanyMade:
    """Make the company, or take up the one that we made before.

    Raises `Refusal` with reason `foreign-company` if one of that name has another link: a person decides.
    """
    transport = server.for_companies()
    row = _found(transport, step)
    if row is None:
        content = {
            "name": plain(step.name),
            "description": plain(step.description),
            "link": address(step.link),
            **_READY,
        }
        transport.post(Companies.URL, content)
    else:
        transport.patch(f"company/{row['pk']}/", {"link": address(step.link), **_READY})
    made = _found(transport, step)
    if made is None or not _is_ready(made):
        raise OutcomeUnknown(Named(NameFault.COMPANY_NOT_AS_MADE, step.name))
    return CompanyMade(int(made["pk"]))


def find_company_closed(server: Server, step: CloseCompany) -> AccessEnded | None:
    """Probe of `CloseCompany`."""
    row = server.for_companies().row(f"company/{step.company}/")
    closed = all(row.get(field) == value for field, value in server.version.closed_company().items())
    return AccessEnded() if closed else None


def close_company(server: Server, step: CloseCompany) -> AccessEnded:
    """Set the company inactive; its history stays, and a new connection takes it up again."""
    transport = server.for_companies()
    transport.patch(f"company/{step.company}/", server.version.closed_company())
    found = find_company_closed(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.COMPANY_STAYS))
    return found


def _found(transport: InvenTreeTransport, step: MakeCompany) -> dict[str, Any] | None:
    """Our company: by link (nothing filters by it, so all are read), else one of that name without a link."""
    rows = transport.rows(Companies.URL)
    ours = next((row for row in rows if row.get("link") == address(step.link)), None)
    if ours is not None:
        return ours
    namesake = next((row for row in rows if same(str(row.get("name") or ""), step.name)), None)
    if namesake is not None and namesake.get("link"):
        raise Refusal(Named(NameFault.FOREIGN_COMPANY, step.name))
    return namesake


def _is_ready(row: Row) -> bool:
    return bool(row.get("is_customer")) and row.get("active") is not False
