"""`fedbot practice`: the practice parts in our own InvenTree, the friend's account, and the end of it all.

It touches no real data. If anything stops it on the way, `clean` finds and removes everything.

"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fedbot.check.findings import told_if_slow
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder, matrix_account
from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER, write_whole
from fedbot.identity import open_identity
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.journal.lock import StateLock
from fedbot.matrix.login import Account, read_session
from fedbot.ports.chat import ChatLimited, ChatProblem, ChatRefused, ChatUnreachable
from fedbot.ports.inventory import InventoryProblem, Unavailable
from fedbot.ports.journal import StateInUse
from fedbot.setup import matrix
from fedbot.setup.asking import BadAnswer
from fedbot.setup.inventree import Superuser, find
from fedbot.web.asking import order

CATEGORY = "PRACTICE"
PARTS = (
    ("PRACTICE bolt M3", "PRACTICE-BOLT", 50),
    ("PRACTICE laser lens", "PRACTICE-LENS", 0),
    ("PRACTICE drill", "PRACTICE-DRILL", 2),
    ("PRACTICE thermal camera", "PRACTICE-CAMERA", 0),
)
"""Name, IPN, and our initial quantity. The friend knows the same parts, and has some of each."""
_ABOUT = "Made by fedbot practice; removed by fedbot practice --clean"
_IPNS = frozenset(ipn for _, ipn, _ in PARTS)


def make(superuser: Superuser, transit: Iterable[str]) -> tuple[int, ...]:
    """Create the category, its parts and some stock, outside of the `transit` locations; return the parts' keys.

    Raises `InventoryProblem`. `remove` finds what was created before that.
    """
    api = superuser.api
    shelves = (row for row in api.rows("stock/location/") if not row.get("structural"))
    shelf = next((row["pk"] for row in shelves if not {row["name"], row.get("pathstring")} & set(transit)), None)
    there = {"location": shelf} if shelf is not None else {}
    category = _made(api, "part/category/", {"name": CATEGORY, "description": _ABOUT})
    parts = []
    for name, ipn, quantity in PARTS:
        flags = {"active": True, "component": True, "purchaseable": True, "salable": True}
        part = _made(api, "part/", {"name": name, "IPN": ipn, "description": _ABOUT, "category": category, **flags})
        parts.append(part)
        if quantity:
            api.post("stock/", {"part": part, "quantity": quantity, **there})
    return tuple(parts)


def is_there(superuser: Superuser) -> bool:
    """Whether InvenTree has any of it."""
    return bool(_categories(superuser.api) or _parts(superuser.api))


@dataclass(frozen=True)
class OfFriend:
    """InvenTree's records of the friend: keys, and the names of its user and group, which a person may have created."""

    companies: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    accesses: frozenset[str] = frozenset()


def remove(superuser: Superuser, about: OfFriend) -> list[str]:
    """Remove everything that `make` created, and the friend's company, user and group; return the failures.

    The stock goes first: deleting a company would return its stock.
    """
    api = superuser.api
    parts = _parts(api)
    left = list(_remove_stock(api, parts))
    if not left:
        left += list(_each(api, "company/", about.companies, "the company"))
    for part in parts:
        left += list(_one(api, f"part/{part}/", f"the part #{part}", {"active": False}))
    for category in _categories(api):
        content = {"delete_parts": False, "delete_child_categories": False}
        left += list(_one(api, f"part/category/{category}/", f"the category {CATEGORY}", None, content))
    users = about.users | _named(api, "user/", "username", about.accesses)
    groups = about.groups | _named(api, "user/group/", "name", about.accesses)
    left += list(_each(api, "user/", sorted(users), "the user"))
    left += list(_each(api, "user/group/", sorted(groups), "the group"))
    return left


def _named(api: InvenTreeTransport, url: str, field: str, names: frozenset[str]) -> frozenset[int]:
    return frozenset(int(row["pk"]) for row in api.rows(url) if row.get(field) in names) if names else frozenset()


def _made(api: InvenTreeTransport, url: str, content: Mapping[str, Any]) -> int:
    row = api.post(url, content)
    return int(row["pk"]) if isinstance(row, dict) else 0


def _categories(api: InvenTreeTransport) -> list[int]:
    ours = {"name": CATEGORY, "description": _ABOUT}
    return [int(row["pk"]) for row in api.rows("part/category/") if ours.items() <= row.items()]


def _parts(api: InvenTreeTransport) -> list[int]:
    """The practice parts, by their IPN and the description from `make`, so nobody else's."""
    rows = (row for ipn in sorted(_IPNS) for row in api.rows("part/", IPN=ipn))
    return [int(row["pk"]) for row in rows if row.get("IPN") in _IPNS and row.get("description") == _ABOUT]


def _remove_stock(api: InvenTreeTransport, parts: Iterable[int]) -> Iterator[str]:
    """Delete all stock of these parts, wherever it is: on a shelf, in transit, with a friend."""
    for part in parts:
        for item in api.rows("stock/", part=part):
            if item.get("part") == part:  # a server that ignores the filter would list everything
                yield from _one(api, f"stock/{item['pk']}/", f"the stock item #{item['pk']}")


def _each(api: InvenTreeTransport, url: str, keys: Iterable[int], what: str) -> Iterator[str]:
    for key in keys:
        yield from _one(api, f"{url}{key}/", f"{what} #{key}")


def _one(
    api: InvenTreeTransport,
    url: str,
    what: str,
    before: Mapping[str, Any] | None = None,
    content: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Delete one row, after a change that it needs; yield the failure if there is one.

    A missing row is no failure. Raises `Unavailable` if InvenTree doesn't answer.
    """
    try:
        if api.row_if_there(url) is None:
            return
        if before is not None:
            api.patch(url, before)
        api.delete(url, **({"json": content} if content is not None else {}))
    except Unavailable:
        raise
    except InventoryProblem as problem:
        yield f"{what} ({problem.text})"


# --- the steps of `fedbot practice`: the friend's account, the practice data in InvenTree and Matrix, and the end ---


PASSWORD = "matrix-password"  # noqa: S105 -- the name of a file
INVENTREE, PROGRESS = "inventree.json", "progress.json"
KEPT = ("config.yaml", "inventree-token", "inventree-admin-token", INVENTREE, PROGRESS)
"""The files of the friend, besides its state and its password."""
_SAID_WITHIN = 60.0
_LOOK_EVERY = 0.5


def _sentence(problem: InventoryProblem | ChatProblem) -> str:
    return f"{problem.text.removesuffix('.')}."


class Refused(Exception):
    """Practice can't continue. The text says why, and what to do."""


@dataclass(frozen=True)
class Friend:
    """The pretend friend: its Matrix account, its room, and its state folder.

    `in_admin_room`: the room is our bot's own. `is_known`: it existed before, and continues.
    """

    account: str
    room: str
    folder: Path
    in_admin_room: bool = False
    is_known: bool = False


@dataclass(frozen=True)
class Practising:
    """One bot's practice. An empty `superuser` means the token of the settings. `ask` gets the question's text.

    `clean_line` is the command that removes everything, as shown to people.
    """

    settings: Settings
    superuser: str
    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]
    tell: Callable[[str], None]
    clean_line: str

    @property
    def folder(self) -> Path:
        """The folder with the friend's state."""
        return self.settings.state / "practice"

    @property
    def _identity(self) -> Path:
        return self.folder / "state" / "identity"

    async def begin(self, account: str) -> Friend:
        """Create the friend's account, our practice parts and the room, and get our bot's consent; or find them again.

        Raises `Refused`.
        """
        known = self._order("look")
        try:
            async with AsyncExitStack() as stack:
                if not known["room"]:
                    return await self._put_up(known, account, stack)
                self._refuse_another(known, account)
                bot = await self._signed_in_friend(str(known["bot"]))
                stack.push_async_callback(bot.close)
                in_admin_room = known["room"] == known["admin_room"]
                await self._brought_together(bot, str(known["room"]), in_admin_room=in_admin_room)
                return Friend(bot.user_id, str(known["room"]), self.folder, in_admin_room, is_known=True)
        except (InventoryProblem, ChatProblem) as problem:
            raise Refused(
                f"{_sentence(problem)} Once that works, try again. To remove what was created so far: {self.clean_line}"
            ) from None
        except BadAnswer as problem:
            raise Refused(str(problem)) from None

    def _refuse_another(self, known: Mapping[str, Any], account: str) -> None:
        """Raise `Refused` if our bot knows a friend with another key or account: only the same one can continue."""
        key = open_identity(self._identity).key if self._identity.exists() else ""
        if key != known["key"] or account not in ("", known["bot"]):
            raise Refused(
                f"There is a practice friend already, {known['bot']}, and that isn't {account or 'the one here'}. "
                f"To remove it: {self.clean_line}"
            )

    async def _put_up(self, known: Mapping[str, Any], account: str, stack: AsyncExitStack) -> Friend:
        superuser = self._signed_in_superuser()
        stack.callback(superuser.close)
        if is_there(superuser):
            raise Refused(f"InvenTree still has items of an earlier practice. To remove them: {self.clean_line}")
        bot = await self._signed_in_friend(account)
        stack.push_async_callback(bot.close)
        inventree = self.settings.inventree
        parts = make(superuser, (inventree.outgoing, inventree.incoming))
        self.tell(f"✓ created the category {CATEGORY} in InvenTree, with {len(parts)} parts and some stock")
        if inventree.admin_token is None:
            self.tell("! Your bot has no superuser's token. To connect, click in InvenTree where the bot tells you to.")
        room, people = str(known["admin_room"]), [str(person) for person in known["people"]]
        in_admin_room = bool(room)
        if not in_admin_room:
            name = f"PRACTICE with {self.settings.party.name}"
            room = (await bot.make_room(name, people)).id
            self.tell(f"✓ created the room {name}, and invited {', '.join(people)}")
        key = open_identity(self._identity).key
        self._order("begin", room=room, bot=bot.user_id, key=key, parts=" ".join(map(str, parts)))
        await self._brought_together(bot, room, in_admin_room=in_admin_room)
        return Friend(bot.user_id, room, self.folder, in_admin_room)

    async def _brought_together(self, bot: matrix.Bot, room: str, *, in_admin_room: bool) -> None:
        """Bring the friend and our bot into the room, or let one invite the other. Raises `Refused`."""
        if not in_admin_room:
            if self.settings.matrix.user not in (await bot.room(room)).members:
                await bot.invite(room, self.settings.matrix.user)
                self.tell("✓ invited your bot into the practice room")
            return
        if room not in {each.id for each in await bot.rooms() if each.joined}:
            await self._invited_by_us(bot, room)
            await bot.join(matrix.RoomFound(room, inviter=self.settings.matrix.user, joined=False))
            self.tell(f"✓ {bot.user_id} has joined the admin room")
        if not (await bot.room(room)).may_talk:
            raise Refused(
                f"{bot.user_id} may not write in the admin room. Give it a higher power level, and try again."
            )

    async def _invited_by_us(self, bot: matrix.Bot, room: str) -> None:
        """Let our bot invite the friend, or a person if the bot may not."""
        ours = await matrix.Bot.sign_in(matrix_account(self.settings), identity_folder(self.settings))
        try:
            await ours.invite(room, bot.user_id)
        except ChatRefused:
            while room not in {each.id for each in await bot.rooms()}:
                self.ask(f"Your bot may not invite. Invite {bot.user_id} into the admin room, and press Enter")
        finally:
            await ours.close()

    def _order(self, wants: str, **more: str) -> dict[str, Any]:
        """Order our running bot; return its answer. Raises `Refused` if it refuses."""
        answer = order(self.settings.health_socket, "practice", wants=wants, **more)
        if answer is None:
            state = self.settings.state
            raise Refused(f"The bot isn't running (nobody answers in {state}). Start it first: fedbot run")
        if answer["problem"]:
            raise Refused(str(answer["problem"]))
        return answer

    def _signed_in_superuser(self) -> Superuser:
        """Sign in with the token of the settings, or as the named person. Raises `BadAnswer`."""
        inventree = self.settings.inventree
        server = find(f"{inventree.url} {inventree.ca_file or ''}".strip())
        if inventree.admin_token is not None and not self.superuser:
            return Superuser(server, token=inventree.admin_token.get_secret_value())
        username = self.superuser or self.ask("A superuser's user name in InvenTree")
        return Superuser(server, username=username, password=self.ask_secret(f"Password of {username} (it isn't kept)"))

    async def _signed_in_friend(self, account: str) -> matrix.Bot:
        """Sign in as before, or register, or use the password that a person types; store it for the next time.

        Raises `BadAnswer`.
        """
        ours = self.settings.matrix
        server = ours.user.partition(":")[2]
        account = account or f"@fedbot-practice:{server}"
        found = matrix.USER_ID.fullmatch(account)
        if found is None or found[2] != server:
            raise BadAnswer(f"The friend needs an account at {server}, such as @fedbot-practice:{server}")
        signing_in = self._friends_account(account)
        if not signing_in.password:
            homeserver = matrix.find(server, f"{ours.homeserver} {ours.ca_file or ''}".strip())
            signing_in = replace(signing_in, password=self._password_of(account, found[1], homeserver))
        self._identity.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        bot = await matrix.Bot.sign_in(signing_in, self._identity)
        write_whole(self.folder / PASSWORD, f"{signing_in.password}\n".encode(), PRIVATE_FILE)
        return bot

    def _password_of(self, account: str, local: str, homeserver: matrix.Homeserver) -> str:
        """The password of the account, which is registered now or which a person types. Raises `BadAnswer`."""
        if homeserver.open_to_all and matrix.is_free(homeserver, local):
            password = matrix.register(homeserver, local)
            self.tell(f"✓ registered {account}")
            return password
        self.tell(f"The friend needs a Matrix account of its own. {matrix.by_hand(local, homeserver)}")
        return self.ask_secret(f"Password of {account}")

    async def clean(self) -> list[str]:
        """End the friendship, clean up InvenTree, and let our bot forget it; return what remains. Raises `Refused`.

        If a server doesn't answer, the bot forgets nothing, so that another call finishes what this one has begun.
        """
        self._order("look")  # before anybody types a password, because it needs the bot
        try:
            lock = StateLock(self.folder / "state")
        except StateInUse:
            raise Refused("The practice friend is still running: press Ctrl-C there, then try again.") from None
        try:
            async with AsyncExitStack() as stack:
                superuser = self._signed_in_superuser()
                stack.callback(superuser.close)
                friend = await self._signed_in_again(stack)
                about = await self._ended()
                kept = {kind: frozenset(about[kind]) for kind in ("companies", "users", "groups", "accesses")}
                left = remove(superuser, OfFriend(**kept))
                if friend is not None:
                    await self._gone(friend, str(about["room"]))
        except BadAnswer as problem:
            raise Refused(str(problem)) from None
        except (InventoryProblem, ChatUnreachable, ChatLimited) as problem:
            raise Refused(f"{_sentence(problem)} Once it answers, run this again: {self.clean_line}") from None
        finally:
            lock.release()
        if about["room"]:
            self._order("forget")
            self.tell("✓ the bot has ended the friendship, and forgotten everything about it except in its audit")
        if friend is not None:
            self.tell(f"The account {friend.user_id} stays, and its password in {self.folder / PASSWORD}.")
        shutil.rmtree(self.folder / "state", ignore_errors=not (self.folder / "state").exists())
        for name in KEPT:
            (self.folder / name).unlink(missing_ok=True)
        return left

    async def _ended(self) -> dict[str, Any]:
        """End the friendship and wait until its room has the message; return InvenTree's records of it."""
        about = self._order("end")
        with told_if_slow(self.tell, f"the bot to say in the room that it is over (up to {_SAID_WITHIN:.0f} seconds)"):
            for _ in range(round(_SAID_WITHIN / _LOOK_EVERY)):
                if not about["busy"]:
                    break
                await asyncio.sleep(_LOOK_EVERY)
                about = self._order("look")
        return about

    async def _signed_in_again(self, stack: AsyncExitStack) -> matrix.Bot | None:
        """The friend, if it has signed in before, until the stack closes. Raises `ChatUnreachable`, `ChatLimited`."""
        session = read_session(self._identity) if self._identity.exists() else None
        if session is None:
            return None
        try:
            friend = await matrix.Bot.sign_in(self._friends_account(session.user_id), self._identity)
        except BadAnswer as problem:
            self.tell(f"! {session.user_id} can't leave its room, so remove it there: {problem}")
            return None
        stack.push_async_callback(friend.close)
        return friend

    async def _gone(self, friend: matrix.Bot, room: str) -> None:
        """Let the friend leave the room and sign out. Raises `ChatUnreachable`, `ChatLimited`."""
        try:
            if room:
                await friend.leave(room)
            await friend.sign_out()
        except (ChatUnreachable, ChatLimited):
            raise
        except ChatProblem as problem:
            self.tell(f"! {friend.user_id} could not leave its room: {problem}")

    def _friends_account(self, account: str) -> Account:
        """The friend's account, with its stored password if there is one."""
        file, ours = self.folder / PASSWORD, self.settings.matrix
        password = file.read_text("utf-8").strip() if file.exists() else ""
        return Account(ours.homeserver, account, password=password, certificate=ours.ca_file)
