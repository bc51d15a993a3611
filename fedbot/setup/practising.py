"""`fedbot practice`, step by step: the friend's account, what is made in InvenTree and on the homeserver; and the end.

Whatever stops on the way, `clean` finds and removes.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedbot.config.settings import Settings
from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER, write_whole
from fedbot.identity import open_identity
from fedbot.journal.lock import StateLock
from fedbot.matrix.login import Account, read_session
from fedbot.ports.chat import ChatProblem
from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import StateInUse
from fedbot.setup import matrix, practice
from fedbot.setup.asking import NotGood
from fedbot.setup.inventree import Superuser, find
from fedbot.web.asking import order

PASSWORD = "matrix-password"  # noqa: S105 -- the name of a file
_SAID_WITHIN = 60.0
_LOOK_EVERY = 0.5


class Refused(Exception):
    """Why it can't go on, and what to do."""


@dataclass(frozen=True)
class Friend:
    """The friend as it was put up: its Matrix account, its room, and the folder of its state."""

    account: str
    room: str
    folder: Path


@dataclass(frozen=True)
class Practising:
    """One bot's practice. `superuser` '': by the token of the settings. `ask` is told what is to be typed.

    `clean` is the line that removes everything, as it is told to people.
    """

    settings: Settings
    superuser: str
    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]
    tell: Callable[[str], None]
    clean_line: str

    @property
    def folder(self) -> Path:
        """Where the friend's state is."""
        return self.settings.state / "practice"

    @property
    def _identity(self) -> Path:
        return self.folder / "state" / "identity"

    async def begin(self, account: str) -> Friend:
        """The friend's account, our practice parts, the room, and our bot's consent. Raises `Refused`."""
        known = self._order("look")
        if known["room"]:
            raise Refused(f"There is a practice friend already. To remove it: {self.clean_line}")
        try:
            async with AsyncExitStack() as stack:
                signed_in = self._signed_in_superuser()
                stack.callback(signed_in.close)
                if practice.is_there(signed_in):
                    raise Refused(f"InvenTree has things of an earlier practice. To remove them: {self.clean_line}")
                bot = await self._signed_in_friend(account)
                stack.push_async_callback(bot.close)
                return await self._put_up(signed_in, bot, [str(person) for person in known["people"]])
        except (InventoryProblem, ChatProblem) as problem:
            raise Refused(f"{problem.text} To remove what was made until then: {self.clean_line}") from None
        except NotGood as problem:
            raise Refused(str(problem)) from None

    async def _put_up(self, superuser: Superuser, bot: matrix.Bot, people: list[str]) -> Friend:
        name, inventree = self.settings.party.name, self.settings.inventree
        parts = practice.make(superuser, (inventree.outgoing, inventree.incoming))
        self.tell(f"✓ made the category {practice.CATEGORY} in InvenTree, with {len(parts)} parts and some stock")
        room = (await bot.make_room(f"PRACTICE with {name}", people)).id
        key = open_identity(self._identity).key
        self._order("begin", room=room, bot=bot.user_id, key=key, parts=" ".join(map(str, parts)))
        await bot.invite(room, self.settings.matrix.user)
        self.tell(f"✓ made the room PRACTICE with {name}, and invited {', '.join([*people, 'your bot'])}")
        return Friend(bot.user_id, room, self.folder)

    def _order(self, wants: str, **more: str) -> dict[str, Any]:
        """What our running bot says to it. Raises `Refused` if it doesn't do it."""
        answer = order(self.settings.health_socket, "practice", wants=wants, **more)
        if answer is None:
            state = self.settings.state
            raise Refused(f"The bot does not run (nobody answers in {state}). Start it first: fedbot run")
        if answer["problem"]:
            raise Refused(str(answer["problem"]))
        return answer

    def _signed_in_superuser(self) -> Superuser:
        """By the token of the settings, or as the person who is named. Raises `NotGood`."""
        inventree = self.settings.inventree
        place = find(f"{inventree.url} {inventree.ca_file or ''}".strip())
        if inventree.admin_token is not None and not self.superuser:
            return Superuser(place, token=inventree.admin_token.get_secret_value())
        username = self.superuser or self.ask("A superuser's user name in InvenTree")
        return Superuser(place, username=username, password=self.ask_secret(f"Password of {username} (it isn't kept)"))

    async def _signed_in_friend(self, account: str) -> matrix.Bot:
        """As before, or registered, or by the password that a person types; it is kept for the next time.

        Raises `NotGood`.
        """
        ours = self.settings.matrix
        server = ours.user.partition(":")[2]
        account = account or f"@fedbot-practice:{server}"
        found = matrix.USER_ID.fullmatch(account)
        if found is None or found[2] != server:
            raise NotGood(f"The friend needs an account at {server}, such as @fedbot-practice:{server}")
        homeserver = matrix.find(server, f"{ours.homeserver} {ours.ca_file or ''}".strip())
        file = self.folder / PASSWORD
        password = file.read_text("utf-8").strip() if file.exists() else ""
        if not password and homeserver.open_to_all and matrix.is_free(homeserver, found[1]):
            password = matrix.register(homeserver, found[1])
            self.tell(f"✓ registered {account}")
        if not password:
            self.tell(f"The friend needs a Matrix account of its own. {matrix.by_hand(found[1], homeserver)}")
            password = self.ask_secret(f"Password of {account}")
        self._identity.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        signing_in = Account(homeserver.url, account, password=password, certificate=ours.ca_file)
        bot = await matrix.Bot.sign_in(signing_in, self._identity)
        write_whole(file, f"{password}\n".encode(), PRIVATE_FILE)
        return bot

    async def clean(self) -> list[str]:
        """The friendship ends, InvenTree is as it was, our bot forgets it all; what remains. Raises `Refused`."""
        self._order("look")  # before anybody types a password: without the bot it can't be done
        try:
            lock = StateLock(self.folder / "state")
        except StateInUse:
            raise Refused("The practice friend still runs: press Ctrl-C where it does, then try again.") from None
        try:
            superuser = self._signed_in_superuser()
            try:
                about = await self._ended()
                left = practice.remove(superuser, about)
            finally:
                superuser.close()
        except NotGood as problem:
            raise Refused(str(problem)) from None
        except InventoryProblem as problem:
            raise Refused(f"{problem.text} Then try again.") from None
        finally:
            lock.release()
        if about["room"]:
            self._order("forget")
            self.tell("✓ the bot has ended the friendship, and forgotten all of it but what its audit says")
        await self._signed_out(str(about["room"]))
        return left

    async def _ended(self) -> dict[str, Any]:
        """The friendship is over, and its room was told so; what InvenTree holds of it."""
        about = self._order("end")
        for _ in range(round(_SAID_WITHIN / _LOOK_EVERY)):
            if not about["busy"]:
                break
            await asyncio.sleep(_LOOK_EVERY)
            about = self._order("look")
        return about

    async def _signed_out(self, room: str) -> None:
        """The friend's account has left the room, and its state is gone but for the password."""
        session = read_session(self._identity) if self._identity.exists() else None
        if session is not None:
            ours = self.settings.matrix
            signing_in = Account(ours.homeserver, session.user_id, certificate=ours.ca_file)
            try:
                bot = await matrix.Bot.sign_in(signing_in, self._identity)
                try:
                    if room:
                        await bot.leave(room)
                finally:
                    await bot.close(sign_out=True)
            except (NotGood, ChatProblem) as problem:
                self.tell(f"! {session.user_id} could not leave its room: {problem}")
            self.tell(f"The account {session.user_id} stays, and its password in {self.folder / PASSWORD}.")
        shutil.rmtree(self.folder / "state")
        for name in ("config.yaml", "inventree-token", "inventree-admin-token"):
            (self.folder / name).unlink(missing_ok=True)
