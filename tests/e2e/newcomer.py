"""A newcomer at a terminal: their InvenTree without anything for a bot, and the usual answers to `fedbot init`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fedbot.setup.plan import ROLES
from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.inventree.access import hash_password
from fedbot_demo.inventree.records import User
from fedbot_demo.inventree.seeding import Seeded, Seeder, make_group
from fedbot_demo.inventree.state import system_clock
from fedbot_demo.inventree.versions import Version
from fedbot_demo.person import Person
from tests.setup.terminal import Typist, fedbot


def bare(version: str = "newest", name: str = "Hackbase e.V.") -> Seeded:
    """The InvenTree of a makerspace that doesn't know fedbot: three people and an empty shelf."""
    seeder = Seeder(name, system_clock, Version.named(version))
    seeder.user("hanna", first_name="Hanna", is_staff=True, is_superuser=True)
    seeder.user("piet", first_name="Piet")
    seeder.user("kim", first_name="Kim")
    seeder.location("Shelf")
    return seeder.finished()


@dataclass
class Town:
    """One homeserver for all spaces of this module, and their people."""

    homeserver: Homeserver
    hanna: Person
    bea: Person

    async def bot(self, name: str) -> Account:
        return await self.homeserver.register(name)


@asynccontextmanager
async def at_a_terminal(folder: Path) -> AsyncIterator[Typist]:
    with fedbot(folder, "init") as typist:
        yield typist


def is_by_hand(seeded: Seeded) -> bool:
    return not seeded.server.state.version.makes_tokens


async def usual_answers(typist: Typist, url: str, bot: Account, town: Town, seeded: Seeded, person: str) -> None:
    """Answer each question in the usual way; with an old InvenTree, somebody uses the admin pages."""
    by_hand = is_by_hand(seeded)
    await typist.answers(r"\[1/8\]", url)
    await typist.answers(r"\[2/8\]", "hanna")
    await typist.answers("Password of hanna", seeded.passwords["hanna"])
    await typist.answers(r"\[3/8\]", "")
    await typist.answers(r"\[4/8\]", f"{bot.user_id} {town.homeserver.url}")
    await typist.answers("password", bot.password)
    await typist.answers(r"\[5/8\]", person)
    await typist.answers(r"\[6/8\]", "1=hanna +1")
    if not by_hand:
        await typist.answers(r"\[7/8\]", "")
    await typist.answers(r"\[8/8\]", "")
    if by_hand:
        told = await typist.reads("Press Enter")
        assert f"{url}/admin/auth/user/add/" in told
        password = re.findall("with the password (.*)\n", told)[0]
        typist.types("")
        await typist.reads("Press Enter")
        click(seeded, password)
        typist.types("")


def click(seeded: Seeded, password: str) -> None:
    """Do in Django's admin pages what init asked for."""
    state = seeded.server.state
    group = make_group(state, "fedbot", {role: " ".join(allowed) for role, allowed in ROLES.items()}, exactly=True)
    approvers = make_group(state, "fedbot approvers", {})
    made = User(pk=state.users.next_pk, username="fedbot", groups=(group.pk,), password_hash=hash_password(password))
    state.users.put(made)
    [hanna] = state.users.find("username", "hanna")
    state.users.put(replace(hanna, groups=(approvers.pk,)))


def everything_in(seeded: Seeded) -> dict[str, list[str]]:
    """The names of everything that a practice could leave behind."""
    state = seeded.server.state
    return {
        "parts": [part.name for part in state.parts],
        "categories": [category.name for category in state.categories],
        "companies": [company.name for company in state.companies],
        "users": [user.username for user in state.users],
        "groups": [group.name for group in state.groups],
        "stock": [str(item.pk) for item in state.stock],
    }
