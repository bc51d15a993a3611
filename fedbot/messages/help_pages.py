"""Help, and who somebody is: made from the verbs' specs and from what InvenTree says at that moment."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Code, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.messages.people import standing
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.ledger import VerbLine
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Right, Rights


def help_overview(locale: Locale, *, us: PartyConfig, person: str, username: str, lines: tuple[VerbLine, ...]) -> Lines:
    """The first page: the everyday verbs, and who you are."""
    who = naming.person(locale, person)
    space = naming.space(locale, us.name)
    return [
        locale.say("I move things between our spaces' InvenTrees. You ask, someone over there agrees with one tap."),
        Items(tuple(_verb_line(locale, line) for line in lines)),
        locale.say(
            "You: {who} of {space}, user {user} in its InvenTree. What you may do: {whoami}",
            who=who,
            space=space,
            user=locale.short(username, 40),
            whoami=command("whoami"),
        ),
        locale.say("An item is #42, an IPN, a name or its pasted link."),
        locale.say("More: {help} · {admin}", help=command("help push"), admin=command("help admin")),
    ]


def _verb_line(locale: Locale, line: VerbLine) -> tuple[Inline, ...]:
    return (command(line.shown), " – ", locale.word(line.summary))


def help_by_direct_chat(locale: Locale) -> Lines:
    """In a shared room: the page that was asked for stands in the direct chat with who asked."""
    return [locale.say("The help is in our direct chat.")]


def help_admin(locale: Locale, *, us: PartyConfig, lines: tuple[VerbLine, ...]) -> Lines:
    """The second page: everything else."""
    items = tuple((*_verb_line(locale, line), *_for_whom(locale, line.right)) for line in lines)
    return [
        locale.say("The other things that you can say to {space}'s bot:", space=naming.space(locale, us.name)),
        Items(items),
        locale.say(
            "The everyday ones: {help} · one of them: {verb}", help=command("help"), verb=command("help connect")
        ),
    ]


def _for_whom(locale: Locale, right: Right) -> tuple[Inline, ...]:
    if right is Right.SUPERUSER:
        return (" ", *locale.say("(superusers)"))
    if right is Right.APPROVER:
        return (" ", *locale.say("(approvers)"))
    return ()


def help_verb(  # noqa: PLR0913 -- one keyword for each thing that the page tells
    locale: Locale,
    *,
    usage: str,
    aliases: tuple[str, ...],
    summary: str,
    details: tuple[str, ...],
    examples: tuple[str, ...],
    options: tuple[tuple[str, str], ...],
    right: Right,
    us: PartyConfig,
) -> Lines:
    """One verb: how it goes, what it does, examples, who may."""
    lines: Lines = [(command(usage), " – ", locale.word(summary)), *(locale.word(detail) for detail in details)]
    if options:
        lines.append(Items(tuple((Code(option), " – ", locale.word(what)) for option, what in options)))
    if examples:
        shown: list[Inline] = []
        for example in examples:
            shown += [" · "] * bool(shown) + [command(example)]
        lines.append(locale.say("For example: {example}", example=shown))
    if aliases:
        lines.append(locale.say("The same: {names}", names=", ".join(aliases)))
    lines.append(_who_may(locale, right, naming.space(locale, us.name)))
    return lines


def _who_may(locale: Locale, right: Right, space: str) -> tuple[Inline, ...]:
    match right:
        case Right.SUPERUSER:
            return locale.say("Who may: superusers of {space}'s InvenTree.", space=space)
        case Right.APPROVER:
            return locale.say("Who may: approvers of {space}.", space=space)
        case Right.MAPPED:
            return locale.say("Who may: everybody of {space} with an active InvenTree user.", space=space)
        case Right.ANYONE:
            return locale.say("Who may: every configured person of {space}.", space=space)


def whoami(
    locale: Locale,
    *,
    us: PartyConfig,
    person: str,
    name: str,
    username: str,
    rights: Rights,
    verbs: tuple[str, ...],
    not_yours: tuple[str, ...],
) -> Lines:
    """Which InvenTree user somebody is, and what that user may do now."""
    space, user = naming.space(locale, us.name), locale.short(username, 40)
    who = naming.person(locale, name or person)
    lines: Lines = [
        locale.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        standing(locale, rights, space, user),
        locale.say("You may: {verbs}", verbs=", ".join(verbs)),
    ]
    if not_yours:
        lines.append(locale.say("Not: {verbs}", verbs=", ".join(not_yours)))
    lines.append(locale.say("I have read that in InvenTree just now."))
    return lines


def whoami_without_rights(
    locale: Locale, *, us: PartyConfig, person: str, name: str, username: str, problem: Diagnosis | None
) -> Lines:
    """Which InvenTree user somebody is, while that InvenTree doesn't say what the user may do."""
    space, user = naming.space(locale, us.name), locale.short(username, 40)
    who = naming.person(locale, name or person)
    lines: Lines = [
        locale.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        locale.say("It does not answer now, so I can't read what you may do."),
    ]
    if problem is not None:
        lines.append(locale.say("Why: {problem}", problem=diagnosis(locale, problem)))
    return [*lines, locale.say("These work without it: {verbs}", verbs="help, whoami, status, disconnect --now")]
