"""What the InvenTree edge must be told: where the server is, its tokens, which places and groups count."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class InventorySettings:
    """Settings of one party's own InvenTree; `app` makes them from the configuration.

    `outgoing`, `incoming`, `destination` are stock locations by path (`Workshop/Outgoing`), by unique name,
    or by key (`"12"`). `destination` is where received items go whose part and category have no default
    place; empty: they stay in Incoming. `new_part_category` (path, name or key): where a part may be created
    that we don't have; empty: none is. `approvers_group` empty: the role stock: add makes an approver.
    `pinned_approvers`, `pinned_superusers`: who may count as that, besides what InvenTree says.
    `taken_serial`: the number that a thing gets whose own number is taken here.
    `accept_api`: a superuser's word that writes are fine on this API version, newer than we know.
    `public_url` is another address of the same server: links to it are understood too.
    `token_file`, `admin_token_file`: where the tokens were read from, if it was a file; the next ones go there.
    `timeout` in seconds per call; `certificate`: PEM file with a CA besides the public ones.
    """

    url: str
    token: SecretStr
    admin_token: SecretStr | None = field(default=None)
    token_file: Path | None = None
    admin_token_file: Path | None = None
    approvers_group: str = ""
    pinned_approvers: tuple[str, ...] = ()
    pinned_superusers: tuple[str, ...] = ()
    outgoing: str = "Outgoing"
    incoming: str = "Incoming"
    destination: str = ""
    new_part_category: str = ""
    taken_serial: str = "{serial}-{space}"
    timeout: float = 10.0
    certificate: str = ""
    accept_api: int = 0
    public_url: str = ""
