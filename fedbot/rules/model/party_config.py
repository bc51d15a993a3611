"""What the rules know of their own party: the part of the configuration that decisions depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time, timedelta


@dataclass(frozen=True)
class PartyConfig:
    """Our own party, as configured; `name` is how it is called (`names`).

    `people` maps Matrix ids to InvenTree user names; `admins` may invite the bot, besides them. `key` is the
    public half of our signing key (hex), by which peers pin us. Times of day are in `time_zone` (IANA name), as is
    `stats_schedule` (cron, read by `app.timetable`, as is `reconcile_at`). `look_every`: how often our own house is
    looked at (InvenTree's version, our tokens); None: never.
    """

    party: str
    name: str
    bot: str
    key: str
    people: dict[str, str] = field(default_factory=dict)
    admins: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    admin_room: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    discoverable: bool = True
    peer_access: str = "relayed"
    inventory_url: str = ""
    private_peers: tuple[str, ...] = ()
    has_admin_token: bool = False
    self_approval: bool = False
    grace: timedelta = timedelta(seconds=5)
    request_open_for: timedelta = timedelta(days=7)
    parcel_reminder: timedelta = timedelta(days=7)
    line_too_old_after: timedelta = timedelta(minutes=15)
    quiet_from: time = time(22)
    quiet_until: time = time(8)
    disclose_in_room: tuple[str, ...] = ("stats", "find")
    stats_disclose: tuple[str, ...] = ("parts", "stock_items", "categories", "locations", "shared", "balance")
    stats_schedule: str = ""
    reconcile_at: time | None = None
    look_every: timedelta | None = None
    connects_a_day: int = 5
    connects_a_day_per_peer: int = 2
    questions_an_hour_per_peer: int = 60
    resend_after: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(days=1),
    )
