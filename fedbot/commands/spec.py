"""A verb as data, for the parser, the permission check, help and the reference page."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from fedbot.rules.model.command import Answers, Command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn


class Kind(StrEnum):
    """The kind of text that the parser reads for an argument.

    `SPACE`: all words up to the next keyword, a space's id or display name. `SUBJECT`: one word, the id of a transfer
    or connection, which a reply may supply instead. `ITEMS`: one or more stock items with their quantities. `QUANTITY`:
    one word, a number. `DAY`: a day or a span (`fedbot.commands.dates`). `WORD`: one word. `ANYTHING`: all remaining
    words. `THINGS`: an id and items of that subject: all remaining words as one text, with `BETWEEN_THINGS` between the
    items.
    """

    SPACE = "space"
    SUBJECT = "subject"
    ITEMS = "items"
    QUANTITY = "quantity"
    DAY = "day"
    WORD = "word"
    ANYTHING = "anything"
    THINGS = "things"


BETWEEN_THINGS = "; "
CASE = "id"
"""The name of the argument that names the subject, and that a reply may supply instead."""


@dataclass(frozen=True)
class Argument:
    """One argument. In the parsed line its key is `name`; in usage it is written as `shown`.

    With a `keyword` it is the text after that word (`to SPACE`), or after another word for it (`or_keywords`); without
    one it is read by its position.
    """

    name: str
    kind: Kind
    shown: str
    keyword: str = ""
    optional: bool = False
    or_keywords: tuple[str, ...] = ()

    @property
    def keywords(self) -> tuple[str, ...]:
        """All words that may precede it."""
        return (self.keyword, *self.or_keywords)

    @property
    def usage(self) -> str:
        """The text in the verb's usage: `to SPACE`, `[ID]`."""
        text = f"{self.keyword} {self.shown}".strip()
        return f"[{text}]" if self.optional else text


@dataclass(frozen=True)
class Option:
    """An option `--name TEXT`. In the parsed line its key is `name`. Without `shown` it has no text, and is 'yes'.

    `or_names` are other words for it. `in_words` mean the same without `--`: two words such as `by parcel`, or one
    at the line's end, such as `broken`; its value is that word.
    `filled_in`: our own lists fill it in, so usage omits it.
    """

    name: str
    shown: str
    summary: str
    most: int = 500
    or_names: tuple[str, ...] = ()
    filled_in: bool = False
    in_words: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The option as typed."""
        return f"--{self.name} {self.shown}".strip()


NOTE = Option("note", "TEXT", "a note for the other space; or type it at the end, after a dash")
UNREAD_NOTE = Option("note", "TEXT", "a note that nobody would read")
"""Stands for the note of a verb without one: it is refused, so that nobody believes that it was read."""
WHY = Option("note", "TEXT", "the reason, for the other space; or type it at the end, after a dash", most=300)


class Where(StrEnum):
    """The rooms in which a verb may be typed."""

    ANYWHERE = "anywhere"
    FEDERATION_ROOM = "federation room"
    ADMIN_ROOM = "admin room"


@dataclass(frozen=True)
class Verb:
    """A verb's spec. `everyday` is its place on the first page of help; 0: on the second, or the superusers' page.

    `only_looks`: it changes nothing, so it is allowed in a direct chat too, unless the argument `acts_with` is given;
    such a line is for the shared room, unless `acts_where` is the admin room, which the verb checks by itself.
    `ends_trust`: it ends the access of the space that it names. `decides`: it means the same as a reaction on a card.
    `fillers` may be between the verb and its item: `wait for LENS-2`. `summary` and `details` are English and
    translated when shown. `examples` are typed after `!fed`. `is_named_in_help`: the first page names it, too.
    """

    name: str
    summary: str
    permission: Permission
    examples: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    where: Where = Where.ANYWHERE
    only_looks: bool = False
    acts_with: str = ""
    acts_where: Where = Where.FEDERATION_ROOM
    ends_trust: bool = False
    decides: bool = False
    everyday: int = 0
    is_named_in_help: bool = False
    fillers: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The text to type after `!fed`: `push ITEM [QUANTITY] to SPACE [--note TEXT]`."""
        words = [self.name, *(argument.usage for argument in self.arguments)]
        return " ".join([*words, *(f"[{option.usage}]" for option in self.options if not option.filled_in)])

    @property
    def answers(self) -> Answers:
        """The messages that a line may refer to by replying."""
        if self.decides:
            return Answers.OUR_CARD
        takes_a_case = any(argument.name == CASE for argument in self.arguments)
        return Answers.OUR_MESSAGE if takes_a_case and not self.only_looks else Answers.ANY_MESSAGE

    def looks(self, arguments: Collection[str]) -> bool:
        """Whether a line with these arguments changes nothing."""
        return self.only_looks and not (self.acts_with and self.acts_with in arguments)

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


Ask = Callable[[Turn, Command], tuple[Query, ...] | Phrase]
Act = Callable[[Turn, Command, tuple[Answer, ...]], Phrase | None]
AnswerWithout = Callable[[Turn, Command, Diagnosis | None], bool]


@dataclass(frozen=True)
class Handler:
    """A verb with its functions; see `fedbot.rules.state.Verbs`.

    While our InvenTree doesn't answer, most verbs only report that: they have no `answer_without`. `is_outside`: it is
    about a loan to a neighbour without a bot, so it is allowed in the admin room, too.
    """

    spec: Verb
    ask: Ask
    act: Act
    answer_without: AnswerWithout | None = None
    is_outside: bool = False


def nothing_to_ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Ask nothing, for verbs that need nothing from InvenTree."""
    del turn, command
    return ()
