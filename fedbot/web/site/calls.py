"""The common part of the API and the pages: one call's caller, what they may read, and what they do."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from decimal import Decimal

from fastapi import Request, Response

from fedbot import messages
from fedbot.messages import markup
from fedbot.messages.language import Locale, languages
from fedbot.messages.rendering import render
from fedbot.ports.inventory import InventoryProblem
from fedbot.rules import budgets
from fedbot.rules.model.command import ANSWERS_KEPT, WebLine
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.events import DecidedOffChat, SaidOffChat
from fedbot.rules.model.queries import StockCounts
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.who_decides import Subject
from fedbot.rules.wire import BY_API, BY_PAGE
from fedbot.web.site.access import Access, Caller
from fedbot.web.site.bot import Bot
from fedbot.web.site.guard import Address
from fedbot.web.site.problems import Problem
from fedbot.web.site.reader import Reader

LONGEST_LINE = 2_000
MOST_SECONDS = 30.0
QUANTITY = re.compile(r"[0-9]{1,10}(\.[0-9]{1,5})?")


@dataclass(frozen=True)
class DecisionMade:
    """A decision.

    `shown` is the hash of the card that the person saw. Repeated calls with the same `key` count once.
    """

    choice: Choice
    shown: str
    quantity: Decimal | None = None
    note: str = ""
    code: str = ""
    key: str = ""


@dataclass(frozen=True)
class Site:
    """Everything that a call needs: the bot, its callers, and its public address."""

    bot: Bot
    access: Access
    address: Address

    @classmethod
    def of(cls, request: Request) -> Site:
        """The site that this request belongs to."""
        site: Site = request.app.state.site
        return site

    async def reader(self, caller: Caller, locale: Locale) -> Reader:
        """A reader of everything that the caller may read now, in this language. Raises `Problem`."""
        permissions = await self.access.permissions(caller)

        def words(phrase: Phrase) -> tuple[str, str]:
            rendered = markup.render(render(phrase, locale, locale.now), on_page=True)
            return rendered.plain, rendered.html

        return Reader(self.bot.turn(), caller.person, permissions, locale, words)

    def own_locale(self) -> Locale:
        """The space's language, for answers to lines and refusals of the API."""
        return replace(self.bot.locale(), now=self.bot.now())

    def locale(self, request: Request) -> Locale:
        """The language that the caller prefers (`Accept-Language`), if we have it; else the bot's."""
        own = self.own_locale()
        wanted = request.headers.get("accept-language", "")
        liked = sorted((_liking(each) for each in wanted.split(",")), reverse=True)
        spoken = languages()
        return next((replace(own, language=name) for weight, name in liked if weight > 0 and name in spoken), own)

    async def says(
        self, caller: Caller, text: str, *, key: str = "", subject: str = "", room: str = "", by_api: bool = False
    ) -> WebLine:
        """Say a line, and wait for its answer as in chat. Raises `Problem`, also if `key` belongs to another line."""
        _may_act(caller)
        event_id = _event_id(caller, key, by_api=by_api)
        told = f"{subject} {room} {text}".strip()
        self._is_the_same(event_id, told)
        self._refuse_over_budget(caller, event_id)
        now = self.bot.now()
        self.bot.put(SaidOffChat(now, event_id, caller.person, text, subject, room, caller.proven, caller.token))
        return await self._answer(event_id)

    async def decides(self, caller: Caller, subject: Subject, made: DecisionMade, *, by_api: bool = False) -> WebLine:
        """Decide on a card, like a reaction on it. Raises `Problem`."""
        _may_act(caller)
        event_id = _event_id(caller, made.key, by_api=by_api)
        self._is_the_same(event_id, f"{made.choice} {subject.id} {made.shown} {made.quantity} {made.note}")
        self._refuse_over_budget(caller, event_id)
        event = DecidedOffChat(
            self.bot.now(),
            event_id,
            caller.person,
            subject.id,
            made.choice,
            made.shown,
            made.quantity,
            made.note,
            made.code,
            caller.proven,
            caller.token,
        )
        self.bot.put(event)
        return await self._answer(event_id)

    async def line(self, caller: Caller, event_id: str, seconds: float) -> WebLine:
        """A line that the caller said, with its answers. Waits up to `seconds` for one. Raises `Problem`."""
        found = self.bot.turn().get(WebLine, event_id)
        if found is None or found.person != caller.person:
            raise Problem(say(messages.web.no_such_line, kept=ANSWERS_KEPT))
        return await self.bot.answered(event_id, min(seconds, MOST_SECONDS))

    async def counts(self) -> StockCounts | None:
        """The stock figures of our InvenTree; None while it doesn't answer."""
        try:
            return await self.bot.counts()
        except InventoryProblem:
            return None

    async def picture(self, reader: Reader, search: str, number: int) -> Response:
        """The picture of this hit. Raises `Problem` if there is none."""
        file = reader.picture(search, number)
        made = await self.bot.picture(file) if file else None
        if made is None:
            raise Problem(say(messages.web.no_such_picture))
        return Response(made.content, media_type=made.kind, headers={"Cache-Control": "private, max-age=600"})

    def transfer(self, reader: Reader, identifier: str) -> Transfer:
        """The transfer with this id or code. Raises `Problem` if the person may not read it."""
        found = reader.subject(identifier)
        if not isinstance(found, Transfer):
            raise Problem(say(messages.web.not_in_your_rooms))
        return found

    def _is_the_same(self, event_id: str, text: str) -> None:
        known = self.bot.turn().get(WebLine, event_id)
        if known is not None and known.text != text:
            raise Problem(say(messages.web.key_used_before))

    def _refuse_over_budget(self, caller: Caller, event_id: str) -> None:
        """Raise `Problem` if the person has no budget left. Nothing is stored, so the same key may be used again."""
        turn = self.bot.turn()  # never committed: only the rules take from the budget
        again = turn.spends("line", caller.person) if turn.get(WebLine, event_id) is None else None
        if again is not None:
            person, most = turn.name_of(caller.person), budgets.LIMITS["line"][0].most
            wait = int((again - self.bot.now()).total_seconds()) + 1
            raise Problem(say(messages.line_errors.says_too_much, person=person, most=most), wait=wait)

    async def _answer(self, event_id: str) -> WebLine:
        try:
            return await self.bot.answered(event_id, MOST_SECONDS)
        except KeyError:  # an unforeseen failure set it aside, and the admins are informed
            raise Problem(say(messages.web.set_aside)) from None


def quantity_in(text: str) -> Decimal | None:
    """A typed quantity; None for an empty field. Raises `Problem`."""
    word = text.strip().replace(",", ".")
    if not word:
        return None
    quantity = Decimal(word) if QUANTITY.fullmatch(word) else Decimal(0)
    if not quantity:
        raise Problem(say(messages.web.quantity_unreadable))
    return quantity


def _may_act(caller: Caller) -> None:
    if not caller.may_act:
        raise Problem(say(messages.web.read_only))


def _liking(wanted: str) -> tuple[float, str]:
    """The weight and the language of an entry of `Accept-Language`: `de-AT;q=0.8` is (0.8, 'de')."""
    name, _, weight = wanted.partition(";")
    try:
        liking = float(weight.partition("=")[2] or 1)
    except ValueError:
        liking = 0.0
    return liking, name.strip().partition("-")[0].casefold()


def _event_id(caller: Caller, key: str, *, by_api: bool) -> str:
    """The id of a line. The same person and key give the same id."""
    word = f"{caller.person} {key}" if key else secrets.token_hex(32)
    return (BY_API if by_api else BY_PAGE) + hashlib.sha256(word.encode()).hexdigest()[:40]
