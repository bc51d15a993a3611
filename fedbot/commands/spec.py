"""A verb as data: parser, permission check, help and the reference page are all made from it."""

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
    """What is read where an argument stands.

    `SPACE`: all words up to the next keyword, a space's id or display name. `SUBJECT`: one word, the id of a
    transfer or connection, which a reply may supply instead. `ITEMS`: stock items with their quantities, one
    or several. `QUANTITY`: one word, a number. `DAY`: a day or a span
    (`fedbot.commands.dates`), and nothing else stands for it. `WORD`: one word. `ANYTHING`: all words that are left.
    `THINGS`: an id and things of that case, all that is left in one text, `BETWEEN_THINGS` between them.
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
"""The name of the argument that says which case is meant, and that a reply may supply instead."""


@dataclass(frozen=True)
class Argument:
    """One argument. In the parsed line it stands under `name`; in usage it is written as `shown`.

    With a `keyword` it is what follows that word (`to SPACE`), or another word for it (`or_keywords`); without one it
    is read by its place.
    """

    name: str
    kind: Kind
    shown: str
    keyword: str = ""
    optional: bool = False
    or_keywords: tuple[str, ...] = ()

    @property
    def keywords(self) -> tuple[str, ...]:
        """All words behind which it stands."""
        return (self.keyword, *self.or_keywords)

    @property
    def usage(self) -> str:
        """As it stands in the verb's usage: `to SPACE`, `[ID]`."""
        text = f"{self.keyword} {self.shown}".strip()
        return f"[{text}]" if self.optional else text


@dataclass(frozen=True)
class Option:
    """`--name TEXT`. In the parsed line it stands under `name`. Without `shown` no text follows, and it is 'yes'.

    `or_names` are other words for it. `in_words` are two words that say the same without `--`, as `by parcel` does.
    `filled_in`: our own lists fill it in, so that no usage tells of it.
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
        """As it is typed."""
        return f"--{self.name} {self.shown}".strip()


class Where(StrEnum):
    """Where a verb may be said."""

    ANYWHERE = "anywhere"
    FEDERATION_ROOM = "federation room"


@dataclass(frozen=True)
class Verb:
    """A verb's spec. `everyday` is its place on the first page of help; 0: on the admin page.

    `only_looks`: it changes nothing, so it may be said in a direct chat too; unless the argument `acts_with` is said.
    `ends_trust`: it takes the access of the
    space that it names. `decides`: it says on a card what a reaction says.
    `fillers` may stand between the verb and what it is about: `wait for LENS-2`.
    `summary` and `details` are English and translated when told. `examples` are typed behind `!fed`.
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
    ends_trust: bool = False
    decides: bool = False
    everyday: int = 0
    fillers: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """What to type behind `!fed`: `push ITEM [QUANTITY] to SPACE [--note TEXT]`."""
        words = [self.name, *(argument.usage for argument in self.arguments)]
        return " ".join([*words, *(f"[{option.usage}]" for option in self.options if not option.filled_in)])

    @property
    def answers(self) -> Answers:
        """Which messages say what it is about, where it takes that from a reply."""
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
    """A verb with what it does; see `fedbot.rules.command.Verbs` for the functions.

    Most verbs have nothing to say while our InvenTree is silent, but that it is: no `answer_without`. `is_outside`: it
    is about what a neighbour without a bot has, so it may be said in the admin room, too.
    """

    spec: Verb
    ask: Ask
    act: Act
    answer_without: AnswerWithout | None = None
    is_outside: bool = False


def nothing_to_ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """For verbs that need nothing from InvenTree."""
    del turn, command
    return ()
