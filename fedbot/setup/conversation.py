"""The conversation of `fedbot init`: eight questions, each answer tested at once, then the plan, then its execution."""

from __future__ import annotations

import os
import tempfile
from asyncio import sleep
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from fedbot.check.findings import told_if_slow
from fedbot.config.secrets import token_in
from fedbot.config.values import is_loopback, name_and_id
from fedbot.files import PRIVATE_FOLDER
from fedbot.journal.copies import FILE as JOURNAL
from fedbot.logs import keep_secret
from fedbot.matrix.login import Account, Session, duration, forget_session, keep_session, read_session
from fedbot.messages.language import languages
from fedbot.ports.chat import ChatLimited, ChatProblem
from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import JournalProblem
from fedbot.setup import inventree, matrix, people
from fedbot.setup.asking import Asker, BadAnswer, Stopped, yes_or_no
from fedbot.setup.inventree import InvenTreeServer, Superuser
from fedbot.setup.matrix import USER_ID, Bot, Homeserver, LoginRefused, RoomFound
from fedbot.setup.people import NotUnderstood, Row
from fedbot.setup.plan import Change, Found, MakeAdminToken, MakeToken, Plan, Wanted, plan
from fedbot.setup.written import Files

AS_IT_IS = "as it is"
IDENTITY = "identity"
MADE_ROOM = "Makerspaces"
_SETTINGS: dict[type, str] = {MakeToken: "token_file", MakeAdminToken: "admin_token_file"}
_SIGN_IN = ("password_file", "access_token_file", "password", "access_token")
_MOST_ROOMS = 2
INVITED_WITHIN_S = 60
"""The seconds for which `fedbot init` waits for an invitation."""
_LOOKS_EVERY_S = 1
LONGEST_WAIT_S = 600
"""The longest wait for a homeserver's limit on logins. After that somebody has to run it again."""

T = TypeVar("T")


@dataclass
class Chosen:
    """The answers and findings so far. `me` is the person at the terminal, if they entered their Matrix id; else ''."""

    server: InvenTreeServer
    superuser: Superuser
    found: Found
    wanted: Wanted
    name: str = ""
    party: str = ""
    homeserver: Homeserver = field(default_factory=lambda: Homeserver(""))
    bot: str = ""
    secret: tuple[str, str] = ("", "")
    me: str = ""
    shared: RoomFound | None = None
    admin: RoomFound | None = None
    rows: tuple[Row, ...] = ()


class Conversation:
    """One run of `fedbot init`. If it ends early, everything that it created stays; the next run creates the rest."""

    def __init__(self, asker: Asker, files: Files, *, dry_run: bool = False) -> None:
        self._asker = asker
        self._files = files
        self._dry_run = dry_run
        self._bot_password = files.password_to_set or inventree.made_up_password()
        keep_secret(self._bot_password)
        self._stack = AsyncExitStack()

    async def run(self) -> Chosen | None:
        """Ask, show the plan, carry it out. Return None if nothing was done. Raises `Stopped`."""
        self._asker.say(
            "I ask eight questions, and try each answer at once. Enter takes the answer in [brackets], Ctrl-C stops. "
            "Before the last question I list everything that I will create. You can run this again at any time."
        )
        try:
            async with self._stack:
                if not self._dry_run:
                    self._files.try_to_write()
                return await self._all()
        except InventoryProblem as problem:
            raise Stopped(f"InvenTree: {problem.text}") from None
        except ChatProblem as problem:
            raise Stopped(f"Matrix: {problem.text}") from None
        except JournalProblem as problem:
            raise Stopped(str(problem)) from None
        except OSError as problem:
            raise Stopped(f"{problem.filename or self._files.config} can't be written: {problem.strerror}.") from None

    async def _all(self) -> Chosen | None:
        server = await self._ask_for_inventree()
        superuser = await self._ask_for_superuser(server)
        self._stack.callback(superuser.close)
        self._take_up_the_bots_token(server)
        wanted = self._wanted(server)
        chosen = Chosen(server, superuser, self._look(superuser, wanted), wanted)
        await self._ask_for_name(chosen)
        bot = await self._ask_for_bot(chosen)
        await self._ask_for_rooms(chosen, bot)
        await self._ask_for_people(chosen, bot)
        await self._ask_for_admin_token(chosen)
        made = plan(chosen.found, chosen.wanted)
        if made.obstacles:
            raise Stopped("\n".join(made.obstacles))
        self._tell(chosen, made)
        if self._dry_run:
            self._asker.say("\nThat was a dry run: nothing was created or written.")
            return None
        if self._is_done(chosen, made):
            return chosen
        if not await self._ask("go", "Do all that?", yes_or_no, default="yes", last=True):
            raise Stopped("Nothing was created or written.")
        await self._make_in_inventree(chosen, made)
        await self._make_in_matrix(chosen, bot)
        self._write(chosen)
        return chosen

    async def _ask(
        self, key: str, text: str, test: Callable[[str], Awaitable[T]], *, default: str = "", last: bool = False
    ) -> T:
        """Ask like the asker. If Matrix or InvenTree fails, ask again, so no answer gets lost."""

        async def tried(said: str) -> T:
            try:
                return await test(said)
            except (ChatProblem, InventoryProblem) as problem:
                raise BadAnswer(problem.text) from None

        return await self._asker.ask(key, text, tried, default=default, last=last)

    def _told_if_slow(self, what: str) -> AbstractContextManager[None]:
        return told_if_slow(self._asker.say, f"{what} (up to {inventree.SECONDS:.0f} seconds a call)")

    # --- InvenTree -------------------------------------------------------------------------------------------

    async def _ask_for_inventree(self) -> InvenTreeServer:
        async def test(said: str) -> InvenTreeServer:
            with self._told_if_slow(said):
                return inventree.find(said)

        before = " ".join(str(self._files.said("inventree", name)) for name in ("url", "ca_file")).strip()
        server = await self._ask("inventree", "InvenTree's address, as in the browser", test, default=before)
        self._asker.say(f"✓ {server}")
        if server.url.startswith("http:") and not is_loopback(server.url):
            self._asker.say("! Without https, anybody between here and there can read the tokens.")
        return server

    async def _ask_for_superuser(self, server: InvenTreeServer) -> Superuser:
        stored = [find("inventree", "admin_token") for find in (self._files.secret, self._files.left_over)]
        kept = next((token for token in stored if inventree.whose(server, token)[1]), "")
        usable = bool(kept)

        async def test(said: str) -> Superuser:
            username, password, token = said, "", ""
            if said == AS_IT_IS and usable:
                username, token = "", kept
            elif said:
                password = self._asker.secret("superuser_password", f"Password of {said} (it isn't kept)")
            else:
                token = token_in(self._asker.secret("superuser_token", "A superuser's token (it isn't kept)"))
                if not token:
                    raise BadAnswer("Write the user name of a superuser, or paste a superuser's token.")
            with self._told_if_slow(server.url):
                return Superuser(server, username=username, password=password, token=token)

        text = "A superuser's user name there (or just Enter, to use a token)"
        if usable:
            text = f"A superuser's user name there ({AS_IT_IS!r} uses the stored token)"
        found = await self._ask("superuser", text, test, default=AS_IT_IS if usable else "")
        self._asker.say(f"✓ {found.username} is a superuser")
        return found

    def _take_up_the_bots_token(self, server: InvenTreeServer) -> None:
        """Use the bot's token of a run that ended before it wrote the settings, so that nobody makes another one."""
        is_valid = bool(inventree.whose(server, self._files.secret("inventree", "token"))[0])
        if not is_valid and inventree.whose(server, self._files.left_over("inventree", "token"))[0]:
            self._files.adopt("inventree", "token")

    def _wanted(self, server: InvenTreeServer) -> Wanted:
        """The wanted users, groups and places, with the names that the settings already have."""
        said, wanted = self._files.said, Wanted()
        user, _ = inventree.whose(server, self._files.secret("inventree", "token"))
        parts = said("inventree", "new_parts") is not False
        return Wanted(
            user=user or wanted.user,
            approvers_group=str(said("inventree", "approvers_group") if self._files.before else wanted.approvers_group),
            outgoing=str(said("inventree", "outgoing") or wanted.outgoing),
            incoming=str(said("inventree", "incoming") or wanted.incoming),
            category=str(said("inventree", "new_part_category") or wanted.category) if parts else "",
        )

    def _look(self, superuser: Superuser, wanted: Wanted) -> Found:
        with self._told_if_slow(superuser.server.url):
            return inventree.look(
                superuser,
                wanted,
                token=self._files.secret("inventree", "token"),
                admin_token=self._files.secret("inventree", "admin_token"),
                bot_password=self._bot_password,
            )

    async def _ask_for_name(self, chosen: Chosen) -> None:
        before = str(self._files.said("party", "name") or chosen.server.name)
        party = str(self._files.said("party", "id"))

        async def test(said: str) -> tuple[str, str]:
            try:
                found = name_and_id(said, party if said == before else "")
            except ValueError as problem:
                raise BadAnswer(str(problem)) from None
            if party and found[1] != party and (self._files.state / JOURNAL).exists():
                raise BadAnswer(f"Friends know this bot as {party}, so that stays: write {found[0]} = {party}")
            return found

        text = "Your makerspace's name"
        chosen.name, chosen.party = await self._ask("name", text, test, default=before)
        self._asker.say(
            f"✓ {chosen.name}; people type {chosen.party}, as in: !fed push … to {chosen.party}"
            + ("" if party == chosen.party else f" (for another word, run this again and answer {chosen.name} = WORD)")
        )

    # --- the bot's account -----------------------------------------------------------------------------------

    async def _ask_for_bot(self, chosen: Chosen) -> Bot:
        before = str(self._files.said("matrix", "user"))
        address = " ".join(str(self._files.said("matrix", name)) for name in ("homeserver", "ca_file")).strip()

        async def test(said: str) -> Bot:
            user, _, where = said.strip().partition(" ")
            found = USER_ID.fullmatch(user)
            if found is None:
                raise BadAnswer(f"Write the whole Matrix id of the bot, for example @{chosen.party}-bot:example.org")
            where = where.strip() or (address if user == before else "")
            with self._told_if_slow(where or found[2]):
                chosen.homeserver = matrix.find(found[2], where)
            chosen.bot = user
            return await self._sign_in(chosen, found[1])

        text = f"The bot's own Matrix id, such as @{chosen.party}-bot:example.org (it may be new)"
        bot = await self._ask("bot", text, test, default=before)
        self._stack.push_async_callback(bot.close, sign_out=self._dry_run and bot.session != self._kept_session())
        self._asker.say(f"✓ signed in as {bot.user_id} at {chosen.homeserver.url}")
        return bot

    async def _sign_in(self, chosen: Chosen, local: str) -> Bot:
        homeserver = chosen.homeserver
        kept = {name: self._files.secret("matrix", name) for name in ("password", "access_token")}
        account = Account(
            homeserver.url,
            chosen.bot,
            password=kept["password"],
            token=kept["access_token"],
            certificate=Path(homeserver.ca) if homeserver.ca else None,
        )
        if str(self._files.said("matrix", "user")) == chosen.bot and any(kept.values()):
            return await self._signed_in(account, self._identity(account))
        earlier = self._kept_session()
        if earlier is not None and earlier.is_of(account) and not homeserver.takes_passwords:
            with suppress(BadAnswer):  # that session may have ended since
                bot = await self._by_token(replace(account, password="", token=earlier.token))
                chosen.secret = ("access_token_file", earlier.token)
                return bot
        is_free = matrix.is_free(homeserver, local)
        secret = self._asker.secret("bot_password", self._secret_question(homeserver, is_free=is_free))
        by_token = is_free and matrix.registers(homeserver, secret)
        opens = is_free and (by_token or (homeserver.open_to_all and not secret))
        if opens and not self._dry_run:
            secret = matrix.register(homeserver, local, secret)
            self._asker.say(f"✓ registered {chosen.bot}")
        elif opens:
            raise Stopped(
                f"I would register {chosen.bot} now. A dry run ends here, because the rest needs that account."
            )
        elif not secret:
            raise BadAnswer(f"I can't continue without a password or token. {matrix.by_hand(local, homeserver)}")
        if matrix.is_token(secret) or not homeserver.takes_passwords:
            if homeserver.by_sso and not matrix.is_token(secret):
                secret = matrix.token_by_sso(homeserver, secret, chosen.bot)
            chosen.secret = ("access_token_file", secret)
            return await self._by_token(replace(account, password="", token=secret))
        chosen.secret = ("password_file", secret)
        account = replace(account, password=secret, token="")
        try:
            return await self._signed_in(account, self._identity(account, is_typed=True))
        except LoginRefused as problem:
            raise BadAnswer(
                f"{problem} {'' if homeserver.open_to_all else matrix.by_hand(local, homeserver)}"
            ) from None

    def _secret_question(self, homeserver: Homeserver, *, is_free: bool) -> str:
        if is_free and not homeserver.open_to_all:
            return (
                "There is no such account yet. Give a registration token, and I register it. "
                "Or give its password or token"
            )
        if is_free:
            return "There is no such account yet. Press Enter, and I register it. Or give its password or access token"
        if homeserver.takes_passwords:
            return "Its password (or an access token)"
        if not homeserver.by_sso:
            return "This homeserver takes no passwords. Give an access token that was created for the bot alone"
        self._asker.say(
            "This homeserver takes no passwords. Open this page in a private window and sign in as the bot. The "
            "browser ends at an empty page whose address begins with http://localhost: copy that whole address.",
            matrix.sso_address(homeserver),
        )
        return "The address (or an access token that was created for the bot alone)"

    async def _by_token(self, account: Account) -> Bot:
        """Sign in with a token.

        Its device must be the bot's alone, because the bot creates its own keys for encrypted rooms.
        """
        folder = self._identity(account, is_typed=True)
        bot = await self._signed_in(account, folder)
        if await bot.is_taken(folder):
            await bot.close()
            raise BadAnswer(
                "That token belongs to a session of another client, or to none: encrypted rooms would not work. Give "
                "the password, or a token of a session that nothing else has used."
            )
        return bot

    async def _signed_in(self, account: Account, folder: Path) -> Bot:
        """Sign in. Homeservers limit logins, so after some wrong passwords this may have to wait a moment."""
        try:
            with told_if_slow(self._asker.say, _homeserver_at(account.homeserver)):
                return await Bot.sign_in(account, folder)
        except ChatLimited as problem:
            if problem.retry_after > LONGEST_WAIT_S:
                raise
            wait = duration(problem.retry_after)
            self._asker.say(f"The homeserver allows the next login in {wait}. Waiting until then.")
            await sleep(problem.retry_after)
        return await Bot.sign_in(account, folder)

    def _identity(self, account: Account, *, is_typed: bool = False) -> Path:
        """The folder of the session, where `fedbot run` will find it; for a dry run, a temporary one.

        The session of an earlier run is used again, because each login adds a device to the account. `is_typed`: the
        password or token was just typed, so it is tried; a password on the device of the earlier run.
        """
        kept = self._kept_session()
        if self._dry_run:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fedbot-")))
            if kept is not None and not is_typed:
                keep_session(folder, kept)
            return folder
        folder = self._files.state / IDENTITY
        for each in (self._files.state, folder):
            each.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        if kept is None or (self._files.state / JOURNAL).exists():  # a bot has worked with it
            return folder
        if not kept.is_of(account) or (is_typed and account.token):
            forget_session(folder)
        elif is_typed:
            keep_session(folder, replace(kept, token=""))
        return folder

    def _kept_session(self) -> Session | None:
        return read_session(self._files.state / IDENTITY)

    # --- rooms and people ------------------------------------------------------------------------------------

    async def _ask_for_rooms(self, chosen: Chosen, bot: Bot) -> None:
        configured = [str(room) for room in self._files.said("rooms") or ()]
        admin = str(self._files.said("admin_room"))
        is_there = any(room.id in configured and room.joined for room in await self._rooms(chosen, bot))
        server = bot.user_id.partition(":")[2]

        async def test(said: str) -> None:
            rooms = await self._rooms(chosen, bot)
            if not (rooms or said):
                rooms = await self._rooms_once_invited(chosen, bot)
            if said == AS_IT_IS and is_there:
                by_id = {room.id: room for room in rooms}
                chosen.shared = next(by_id[room] for room in configured if room in by_id)
                chosen.admin = by_id.get(admin)
                return
            if USER_ID.fullmatch(said) and not await bot.knows(said):
                raise BadAnswer(f"The homeserver doesn't know {said}. Check the spelling.")
            chosen.me = said if USER_ID.fullmatch(said) else chosen.me
            chosen.shared, chosen.admin = (*_picked(rooms, said, bot.user_id), None, None)[:_MOST_ROOMS]
            await self._join_picked_rooms(chosen, bot, server)

        text = (
            f"Invite {bot.user_id} into the room that you share with other makerspaces, then press Enter. "
            "(No room yet? Type your own Matrix id, and I create one and invite you)"
        )
        await self._ask("rooms", text, test, default=AS_IT_IS if is_there else "")
        shared = f"the room {chosen.shared}" if chosen.shared else f"a new room {MADE_ROOM}"
        own = f"the room {chosen.admin}" if chosen.admin else "a new private room"
        self._asker.say(f"✓ shared with others: {shared}; for your admins: {own}")

    async def _rooms(self, chosen: Chosen, bot: Bot) -> list[RoomFound]:
        with told_if_slow(self._asker.say, _homeserver_at(chosen.homeserver.url)):
            return sorted(await bot.rooms(), key=lambda room: room.id)

    async def _rooms_once_invited(self, chosen: Chosen, bot: Bot) -> list[RoomFound]:
        """Wait for the first invitation, until somebody types the next answer, or not any longer."""
        self._asker.say(
            f"Waiting up to {INVITED_WITHIN_S} seconds for somebody to invite {bot.user_id}. "
            "To continue without a room, type your own Matrix id: I create one and invite you."
        )
        for _ in range(INVITED_WITHIN_S // _LOOKS_EVERY_S):
            await sleep(_LOOKS_EVERY_S)
            if (rooms := await self._rooms(chosen, bot)) or self._asker.has_typed():
                return rooms
        return []

    async def _join_picked_rooms(self, chosen: Chosen, bot: Bot, server: str) -> None:
        """Join the picked rooms, if the inviter is on our homeserver, or the person at the terminal confirms it."""
        for name in ("shared", "admin"):
            room: RoomFound | None = getattr(chosen, name)
            if room is None:
                continue
            by_us = room.inviter.partition(":")[2] == server
            if not chosen.me and room.inviter and not room.joined and not by_us:
                raise BadAnswer(
                    f"{room.inviter} of another homeserver has invited me into {room.name or room.id}. If you want me "
                    "there, write your own Matrix id."
                )
            if not room.joined and not self._dry_run:
                with told_if_slow(self._asker.say, _homeserver_at(chosen.homeserver.url)):
                    setattr(chosen, name, await bot.join(room))

    async def _ask_for_people(self, chosen: Chosen, bot: Bot) -> None:
        if self._dry_run and chosen.shared is not None and not chosen.shared.joined:
            self._asker.say("! I can't see who is in the room before I join it, so a dry run doesn't ask who is who.")
            return
        known = {str(person): str(user) for person, user in (self._files.said("people") or {}).items()}
        members: dict[str, str] = {chosen.me: chosen.me} if chosen.me else {}
        members |= {person: person for person in known}
        bots = {bot.user_id}
        for room in (chosen.shared, chosen.admin):
            if room is not None:
                members |= room.members
                bots |= room.bots
        group, users = chosen.wanted.approvers_group, chosen.found.users
        rows = people.suggested(
            {person: name for person, name in members.items() if person not in bots},
            users,
            known=known,
            approvers_group=group,
            homeserver=bot.user_id.partition(":")[2],
            me=chosen.me,
        )

        async def test(said: str) -> tuple[Row, ...]:
            try:
                found = people.corrected(rows, said, users, approvers_group=group)
            except NotUnderstood as problem:
                raise BadAnswer(f"{problem}.") from None
            ours = tuple(row for row in found if row.user)
            if not any(row.approves for row in ours):
                raise BadAnswer("None of these people could approve anything. Write who can, for example: 1=anna +1")
            return ours

        self._asker.say("", *people.table(rows))
        text = (
            "Who is who in InvenTree, and who approves? Enter if this is right. To correct it: 3=kim (number 3 is user "
            "kim), 4=- (not a member), +3 (an approver), -2 (no approver)"
        )
        chosen.rows = await self._ask("people", text, test)
        approvers = tuple(row.user for row in chosen.rows if row.approves)
        chosen.wanted = replace(chosen.wanted, approvers=approvers)
        for row in chosen.rows:
            self._asker.say(f"✓ {row.person} is InvenTree's user {row.user}{', who approves' if row.approves else ''}")
        if not any(row.superuser for row in chosen.rows):
            self._asker.say(
                "! None of them is a superuser in InvenTree. Only a superuser can connect with other makerspaces."
            )

    async def _ask_for_admin_token(self, chosen: Chosen) -> None:
        if not chosen.server.version.makes_users or chosen.found.admin_token:
            chosen.wanted = replace(chosen.wanted, keep_admin=chosen.found.admin_token)
            return
        is_there = inventree.whose(chosen.server, self._files.left_over("inventree", "admin_token"))[1]
        what = (
            "keep the superuser's token that an earlier run created"
            if is_there
            else "create and keep a superuser's token"
        )
        text = (
            f"May I {what}? I use it when you connect with a friend, or disconnect. "
            "Without it, I tell you then what to click"
        )
        keep = await self._ask("keep_superuser", text, yes_or_no, default="yes")
        chosen.wanted = replace(chosen.wanted, keep_admin=keep)
        if is_there and keep:
            self._files.adopt("inventree", "admin_token")
            chosen.found = replace(chosen.found, admin_token=True)
        elif is_there:
            self._asker.say(
                "! I won't use it, but it stays valid: revoke it in InvenTree (its name begins with "
                f"fedbot-{chosen.party}), and delete {self._files.file_of('inventree', 'admin_token')}."
            )

    # --- the plan and its execution --------------------------------------------------------------------------

    def _tell(self, chosen: Chosen, made: Plan) -> None:
        lines = [f"  • you: {click.splitlines()[0].replace('{password}', '…')}" for click in made.clicks]
        lines += [f"  • {change}" for change in made.changes]
        self._asker.say("\nIn InvenTree:", *(lines or ["  • nothing: everything is there already"]))
        lines = []
        invited = ", ".join(_admins_of_new_rooms(chosen)) or "your superusers"
        if chosen.shared is None:
            lines.append(f"create the room {MADE_ROOM}, encrypted, and invite {invited}")
        elif not chosen.shared.joined:
            lines.append(f"join the room {chosen.shared}")
        elif chosen.shared.may_change_power and not chosen.shared.may_announce:
            lines.append(f"let makerspaces announce themselves in the room {chosen.shared}")
        if chosen.admin is None:
            lines.append(f"create the private, encrypted room {_admin_room(chosen)}, and invite {invited}")
        self._asker.say("In Matrix:", *(f"  • {line}" for line in lines or ["nothing: everything is there already"]))
        is_secret = any(type(change) in _SETTINGS for change in made.changes)
        where = f" and {self._files.secrets}/" if is_secret or chosen.secret[1] else ""
        told = f"write {self._files.config}{where} (for you alone)"
        self._asker.say(
            "On this machine:", f"  • {'nothing: everything is there already' if self._is_done(chosen, made) else told}"
        )

    def _is_done(self, chosen: Chosen, made: Plan) -> bool:
        """Whether nothing remains to be created or written."""
        if made.changes or made.clicks or chosen.secret[1] or chosen.shared is None or chosen.admin is None:
            return False
        is_in = chosen.shared.joined and chosen.admin.joined
        may_announce = chosen.shared.may_announce or not chosen.shared.may_change_power
        return is_in and may_announce and self._files.says(settings_of(chosen, self._files))

    async def _make_in_inventree(self, chosen: Chosen, made: Plan) -> None:
        while made.clicks:
            if any("{password}" in click for click in made.clicks):
                self._files.keep_password_to_set(self._bot_password)
            self._asker.say("\nThis InvenTree can't do the following over REST. Please do it there, as a superuser:")
            for number, click in enumerate(made.clicks, start=1):
                self._asker.say(
                    f"{number:>3}. " + click.replace("{password}", self._bot_password).replace("\n", "\n       ")
                )
            self._asker.wait("Press Enter once it is done. Then I check.")
            chosen.found = self._look(chosen.superuser, chosen.wanted)
            made = plan(chosen.found, chosen.wanted)
        for change in made.changes:
            try:
                self._make(chosen, change)
            except InventoryProblem as problem:
                raise Stopped(
                    f"I could not {change}: {problem.text} "
                    "Everything created so far stays. Fix that, then run fedbot init again."
                ) from None
            self._asker.say(f"✓ {change}")
        self._files.forget_password_to_set()
        chosen.found = self._look(chosen.superuser, chosen.wanted)
        left = plan(chosen.found, chosen.wanted)
        if left.changes or left.clicks:
            raise Stopped("InvenTree reported success, but this isn't there: " + ", ".join(map(str, left.changes)))

    def _make(self, chosen: Chosen, change: Change) -> None:
        """Make the change, and store its token. If that ends between the two, name the token that nobody has."""
        is_kept = not isinstance(change, MakeToken | MakeAdminToken)
        try:
            secret = inventree.do(chosen.superuser, change, party=chosen.party, bot_password=self._bot_password)
            if secret:
                self._files.keep("inventree", _SETTINGS[type(change)], secret)
            is_kept = True
        finally:
            if not is_kept:
                whose = change.username if isinstance(change, MakeToken) else chosen.superuser.username
                self._asker.say(
                    f"! InvenTree may have created a token of {whose} that I could not store. Look there for a token "
                    f"of today whose name begins with fedbot-{chosen.party}, and revoke it."
                )

    async def _make_in_matrix(self, chosen: Chosen, bot: Bot) -> None:
        if chosen.shared is None:
            chosen.shared = await bot.make_room(MADE_ROOM, _admins_of_new_rooms(chosen))
            self._asker.say(f"✓ created the room {MADE_ROOM}: look at your invitations")
        elif chosen.shared.may_change_power and not chosen.shared.may_announce:
            await bot.let_announce(chosen.shared.id)
            self._asker.say("✓ makerspaces may announce themselves in the shared room")
        if chosen.admin is None:
            chosen.admin = await bot.make_room(_admin_room(chosen), _admins_of_new_rooms(chosen))
            self._asker.say(f"✓ created the room {_admin_room(chosen)}: look at your invitations")

    def _write(self, chosen: Chosen) -> None:
        setting, secret = chosen.secret
        if secret:
            self._files.keep("matrix", setting, secret)
        old = self._files.write(settings_of(chosen, self._files))
        self._asker.say(f"✓ wrote {self._files.config}" + (f" (the old one is in {old})" if old else ""))


def _homeserver_at(url: str) -> str:
    return f"{url} (up to {Account.request_timeout:.0f} seconds a call)"


def _picked(rooms: Sequence[RoomFound], said: str, bot: str) -> tuple[RoomFound, ...]:
    """The shared room and the admins' room, if they exist. Raises `BadAnswer`."""
    numbers = said.split()
    if numbers and all(number.isdecimal() for number in numbers):
        if len(numbers) > _MOST_ROOMS or not all(0 < int(number) <= len(rooms) for number in numbers):
            raise BadAnswer(f"Write one or two numbers from 1 to {len(rooms)}.")
        return tuple(rooms[int(number) - 1] for number in numbers)
    if said and not USER_ID.fullmatch(said):
        raise BadAnswer("Invite me and press Enter, or write your own Matrix id, such as @anna:example.org.")
    found = [room for room in rooms if not said or said == room.inviter or said in room.members]
    if not found and not said:
        raise BadAnswer(
            f"No invitation of {bot} has come. Send it and press Enter again, or write your own Matrix id: I make a "
            "room and invite you."
        )
    if len(found) > 1:
        listed = "\n".join(f"{number:>4}  {room}" for number, room in enumerate(rooms, start=1))
        raise BadAnswer(
            f"I am in several rooms, or invited to them:\n{listed}\nWrite the number of the shared one, and if one is "
            "for your admins only, its number behind that: 1 2"
        )
    return tuple(found)


def _admins_of_new_rooms(chosen: Chosen) -> list[str]:
    """The admins of the new rooms: the person at the terminal and our superusers; without any, our approvers."""
    found = [row.person for row in chosen.rows if row.superuser] or [row.person for row in chosen.rows if row.approves]
    return list(dict.fromkeys([*([chosen.me] if chosen.me else []), *found]))


def _admin_room(chosen: Chosen) -> str:
    return f"{chosen.name} admins"


def settings_of(chosen: Chosen, files: Files) -> dict[str, Any]:
    """The chosen settings; everything else in the file stays."""
    mine = {row.person: row.user for row in chosen.rows}
    if chosen.shared is None or chosen.admin is None:
        raise ValueError("the rooms are made before the settings are written")
    rooms = [room for room in map(str, files.said("rooms") or ()) if not room.startswith("!replace-with-")]
    found: dict[str, Any] = {
        "party": {"id": chosen.party, "name": chosen.name, **_machine_settings(files)},
        "matrix": {
            "homeserver": chosen.homeserver.url,
            "user": chosen.bot,
            "ca_file": chosen.homeserver.ca or None,
            **{other: None for other in _SIGN_IN if chosen.secret[1] and other != chosen.secret[0]},
        },
        "rooms": rooms if chosen.shared.id in rooms else [*rooms, chosen.shared.id],
        "admin_room": chosen.admin.id,
        "people": mine,
        "inventree": {
            "url": chosen.server.url,
            "approvers_group": chosen.wanted.approvers_group or None,
            "new_part_category": chosen.wanted.category or None,
            "ca_file": chosen.server.ca or None,
        },
    }
    if chosen.me and chosen.me not in mine:
        found["admins"] = sorted({chosen.me, *(files.said("admins") or ())})
    if not chosen.server.version.permissions_are_safe:
        superusers = [row.user for row in chosen.rows if row.superuser]
        pinned = [row.user for row in chosen.rows if row.approves and not row.superuser]
        found["rules"] = {"pinned_approvers": pinned, "pinned_superusers": superusers}
    return found


def _machine_settings(files: Files) -> dict[str, str]:
    """Time zone and language of this machine, unless the settings already have them."""
    found = {}
    if not files.said("party", "time_zone"):
        found["time_zone"] = _time_zone()
    language = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "en")[:2].lower()
    if not files.said("party", "language") and language in languages():
        found["language"] = language
    return found


def _time_zone() -> str:
    """The IANA name of this machine's time zone; UTC if unknown."""
    linked = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    for name in (os.environ.get("TZ", ""), linked):
        try:
            return ZoneInfo(name).key if name else "UTC"
        except (ValueError, OSError, LookupError):
            continue
    return "UTC"
