"""The acts by which a peer gets access to an InvenTree and loses it, and our own tokens are renewed.

With the other steps they can be had in `steps`, where marks and notes are explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class MakeCompany:
    """The customer company that stands for a peer; found again by `link` in every generation.

    Result: `CompanyMade`.
    """

    mark: str
    link: str
    name: str
    description: str


@dataclass(frozen=True)
class CompanyMade:
    """`foreign` is set when a company of that name exists and isn't ours: a person must decide."""

    company: int


@dataclass(frozen=True)
class MakeAccess:
    """A group with view-only roles, and in it the peer's service user (admin token needed).

    `name` is `fed-<party>-<generation>`, for both; `last_name` holds the connection's id. `for_peer`: its token will
    be handed over (`direct`), which is refused where any account can make itself admin. Result: `AccessMade`.
    """

    mark: str
    name: str
    last_name: str
    for_peer: bool = False


@dataclass(frozen=True)
class AccessMade:
    """The peer's user and group in our InvenTree."""

    user: int
    group: int


@dataclass(frozen=True)
class MintToken:
    """A token for the peer's user, one year; the secret goes into the vault under `reference`.

    Name `fed-<party>-<generation>-<number>`. With an unknown outcome that number is revoked and the next one
    minted, since a token's value is shown only once. Result: `TokenMinted`.
    """

    mark: str
    user: int
    name: str
    reference: str
    expiry: date


@dataclass(frozen=True)
class TokenMinted:
    """The token is in the vault; `name` is the one that was really minted."""

    name: str
    expiry: date


@dataclass(frozen=True)
class TryToken:
    """Read an inventory under the token in the vault: ours for relayed answers, the peer's for direct.

    `url` is empty for our own InvenTree; `private`: it may be at a private address. Fails unless the token can read
    stock and cannot write it. `for_peer`: as with `MakeAccess`. Result: `TokenTried`.
    """

    mark: str
    reference: str
    url: str = ""
    for_peer: bool = False
    private: bool = False


@dataclass(frozen=True)
class TokenTried:
    """What the token can see; its own name and end, where the server tells them (API ≥ 293)."""

    stock_items: int
    api: int
    name: str = ""
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeToken:
    """Revoke the token of that name, once another one has taken its place. Result: `TokenRevoked`."""

    mark: str
    user: int
    name: str


@dataclass(frozen=True)
class TokenRevoked:
    """No token of that name is good any more."""


@dataclass(frozen=True)
class RenewOwnToken:
    """The next token of our own, in place of the one in the setting (`token`, `admin_token`), with that name.

    Made, tried, written into the file that the setting names, used from then on; the old one stays good. Asked for
    again by the same name it is the same token. Result: `OwnTokenRenewed`.
    """

    mark: str
    setting: str
    name: str


@dataclass(frozen=True)
class OwnTokenRenewed:
    """The new one is in use. `pk` is InvenTree's key of it."""

    name: str
    pk: int
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeOwnToken:
    """Revoke the token of ours with that key, once another one is in use. Result: `TokenRevoked`."""

    mark: str
    setting: str
    token: int


@dataclass(frozen=True)
class EndAccess:
    """Deactivate the peer's user first (a token can mint tokens), then revoke its tokens. Result: `AccessEnded`."""

    mark: str
    user: int
    reference: str


@dataclass(frozen=True)
class CloseCompany:
    """Set the peer's company inactive; it is never deleted. Result: `AccessEnded`."""

    mark: str
    company: int


@dataclass(frozen=True)
class AccessEnded:
    """Nothing of the peer's access is left."""


def due_in_a_year(moment: datetime) -> date:
    """The expiry of a token minted now: one year, as the seed's UC1 says."""
    year, month, day = moment.year + 1, moment.month, moment.day
    return date(year, month, 28) if (month, day) == (2, 29) else date(year, month, day)
