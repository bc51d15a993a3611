"""Photos of what came back, kept with the stock item."""

from __future__ import annotations

from fedbot.chat.content import Code
from fedbot.chat.words.tongue import Lines, Tongue, marked
from fedbot.federation.documents import Transfer

_NO_PHOTO = {
    "too-large": marked("it is larger than 20 MB. Send it smaller."),
    "inactive": marked("you have no active user of InvenTree. See {check}."),
    "too-late": marked("this is over. It can be attached in InvenTree."),
    "no-picture": marked("it is no picture that I know. JPEG, PNG, WebP, GIF and HEIC are fine."),
    "not-there": marked("the homeserver doesn't give it to me. Send it once more."),
    "unreadable": marked("it can't be decrypted. Send it once more."),
    "not-permitted": marked("I lack the role for it, stock: add. See {check}."),
    "unknown": marked("I can't tell whether InvenTree has it. Look at the item's attachments."),
}


def photo_kept(tongue: Tongue, *, transfer: Transfer, items: tuple[int, ...]) -> Lines:
    """A photo as a reply to the card of a return is with the stock item."""
    numbers = ", ".join(f"#{item}" for item in items)
    return [tongue.say("Kept: the photo is with stock {items} in InvenTree. {code}", items=numbers, code=transfer.code)]


def photo_not_kept(tongue: Tongue, *, transfer: Transfer, reason: str, text: str) -> Lines:
    """It isn't, and what helps. `text` is what InvenTree says, where nothing else is known."""
    known = _NO_PHOTO.get(reason)
    why = tongue.say(known, check=Code("fedbot check")) if known else (tongue.short(text, 80),)
    return [tongue.say("The photo is not kept: {why} {code}", why=why, code=transfer.code)]
