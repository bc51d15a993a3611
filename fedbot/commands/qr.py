"""`!fed qr ITEM`: the page of one of our items, with the QR code for its label."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN
from fedbot.commands.lookup import found_in
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.model.books import LabelCode
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, Picture, say
from fedbot.rules.model.queries import Answer, FindItems, Query
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

MOST_ITEMS = 5

SPEC = Verb(
    name="qr",
    aliases=("label",),
    summary="get the QR code for an item's label",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("item", Kind.ANYTHING, "ITEM"),),
    examples=("qr #42", "qr LENS-2#0042"),
    details=(
        "I name the item's page, and send its QR code as a picture: save or print it for a label.",
        "If several items fit, I name the pages of all, and each page shows its code.",
        "Anybody who scans it comes to that page. It shows who has the item, and a form to lend or give it.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which items the word means; without pages, a code would lead nowhere."""
    if not turn.us.pages_url:
        return say(messages.web.pages_are_off)
    return (FindItems(_word(command)),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Their pages, and the code of a single one. The items' names stay out of shared rooms."""
    items = found_in(answers).items
    if not items:
        return say(messages.web.no_item_for_a_code, word=_word(command)[:SHOWN])
    if len(items) == 1:
        address = _item_address(turn, items[0].pk)
        code, words = LabelCode(items[0].pk, address), say(messages.web.label_picture, item=items[0].pk)
        key = MessageKind.CODE.of(rest=command.event_id)
        turn.do(Picture(key, command.room, words, code, reply_to=command.event_id))
    pages = tuple((item.pk, _item_address(turn, item.pk)) for item in items[:MOST_ITEMS])
    return say(messages.web.label_codes, pages=pages, more=len(items) - len(pages))


def _item_address(turn: Turn, item: int) -> str:
    """The address of our stock item's page."""
    return f"{turn.us.pages_url.rstrip('/')}/items/{item}"


def _word(command: Command) -> str:
    return str(command.arguments.get("item", "")).strip()


HANDLER = Handler(SPEC, ask, act)
