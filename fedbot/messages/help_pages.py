"""Help, and who somebody is: made from the verbs' specs and from what InvenTree says at that moment."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Code, Inline, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.summaries import PersonSeen, VerbLine

MOST_PEOPLE = 50


def help_overview(
    tongue: Locale, *, home: PartyConfig, person: str, username: str, lines: tuple[VerbLine, ...]
) -> Lines:
    """The first page: the everyday verbs, and who you are."""
    who = naming.person(tongue, person)
    space = naming.space(tongue, home.name)
    return [
        tongue.say("I move things between our spaces' InvenTrees. You ask, someone over there agrees with one tap."),
        Items(tuple(_verb_line(tongue, line) for line in lines)),
        tongue.say(
            "You: {who} of {space}, user {user} in its InvenTree. What you may do: {whoami}",
            who=who,
            space=space,
            user=tongue.short(username, 40),
            whoami=command("whoami"),
        ),
        tongue.say("An item is #42, an IPN, a name or its pasted link."),
        tongue.say("More: {help} · {admin}", help=command("help push"), admin=command("help admin")),
    ]


def _verb_line(tongue: Locale, line: VerbLine) -> tuple[Inline, ...]:
    return (command(line.shown), " – ", tongue.word(line.summary))


def help_admin(tongue: Locale, *, home: PartyConfig, lines: tuple[VerbLine, ...]) -> Lines:
    """The second page: everything else."""
    items = tuple((*_verb_line(tongue, line), *_for_whom(tongue, line.right)) for line in lines)
    return [
        tongue.say("The other things that you can say to {space}'s bot:", space=naming.space(tongue, home.name)),
        Items(items),
        tongue.say(
            "The everyday ones: {help} · one of them: {verb}", help=command("help"), verb=command("help connect")
        ),
    ]


def _for_whom(tongue: Locale, right: Right) -> tuple[Inline, ...]:
    if right is Right.SUPERUSER:
        return (" ", *tongue.say("(superusers)"))
    if right is Right.APPROVER:
        return (" ", *tongue.say("(approvers)"))
    return ()


def help_verb(  # noqa: PLR0913 -- one keyword for each thing that the page tells
    tongue: Locale,
    *,
    usage: str,
    aliases: tuple[str, ...],
    summary: str,
    details: tuple[str, ...],
    examples: tuple[str, ...],
    options: tuple[tuple[str, str], ...],
    right: Right,
    home: PartyConfig,
) -> Lines:
    """One verb: how it goes, what it does, examples, who may."""
    lines: Lines = [(command(usage), " – ", tongue.word(summary)), *(tongue.word(detail) for detail in details)]
    if options:
        lines.append(Items(tuple((Code(option), " – ", tongue.word(what)) for option, what in options)))
    if examples:
        shown: list[Inline] = []
        for example in examples:
            shown += [" · "] * bool(shown) + [command(example)]
        lines.append(tongue.say("For example: {example}", example=shown))
    if aliases:
        lines.append(tongue.say("The same: {names}", names=", ".join(aliases)))
    lines.append(_who_may(tongue, right, naming.space(tongue, home.name)))
    return lines


def _who_may(tongue: Locale, right: Right, space: str) -> tuple[Inline, ...]:
    match right:
        case Right.SUPERUSER:
            return tongue.say("Who may: superusers of {space}'s InvenTree.", space=space)
        case Right.APPROVER:
            return tongue.say("Who may: approvers of {space}.", space=space)
        case Right.MAPPED:
            return tongue.say("Who may: everybody of {space} with an active InvenTree user.", space=space)
        case Right.ANYONE:
            return tongue.say("Who may: everybody of {space} whom I know.", space=space)


def whoami(
    tongue: Locale,
    *,
    home: PartyConfig,
    person: str,
    name: str,
    username: str,
    rights: Rights,
    verbs: tuple[str, ...],
    not_yours: tuple[str, ...],
) -> Lines:
    """Which InvenTree user somebody is, and what that user may do now."""
    space, user = naming.space(tongue, home.name), tongue.short(username, 40)
    who = naming.person(tongue, name or person)
    lines: Lines = [
        tongue.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        _standing(tongue, rights, space, user),
        tongue.say("You may: {verbs}", verbs=", ".join(verbs)),
    ]
    if not_yours:
        lines.append(tongue.say("Not: {verbs}", verbs=", ".join(not_yours)))
    lines.append(tongue.say("I have read that in InvenTree just now."))
    return lines


def whoami_without_rights(
    tongue: Locale, *, home: PartyConfig, person: str, name: str, username: str, problem: str
) -> Lines:
    """Which InvenTree user somebody is, while that InvenTree doesn't say what the user may do."""
    space, user = naming.space(tongue, home.name), tongue.short(username, 40)
    who = naming.person(tongue, name or person)
    lines: Lines = [
        tongue.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        tongue.say("It does not answer now, so I can't read what you may do."),
    ]
    if problem:
        lines.append(tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)))
    return [*lines, tongue.say("These work without it: {verbs}", verbs="help, whoami, status, disconnect --now")]


def _standing(tongue: Locale, rights: Rights, space: str, user: str) -> tuple[Inline, ...]:
    if not rights.known:
        return tongue.say(
            "But {space}'s InvenTree has no user {user}; its admin has to make one, or correct my configuration.",
            space=space,
            user=user,
        )
    if not rights.active:
        return tongue.say("But this user is inactive; an admin of {space}'s InvenTree can switch it on.", space=space)
    if rights.superuser:
        return tongue.say("You are superuser there: you may approve, and make friends with spaces.")
    if rights.approver:
        return tongue.say("You are approver there: you may give things away and decide on offers.")
    return tongue.say("You are neither approver nor superuser there: others decide.")


def people(tongue: Locale, *, home: PartyConfig, people: tuple[PersonSeen, ...]) -> Lines:
    """Our people with their rights, read just now."""
    space = naming.space(tongue, home.name)
    if not people:
        return [
            tongue.say(
                "I know nobody of {space}: there is nobody under {key} in my configuration.",
                space=space,
                key=Code("people"),
            )
        ]
    items: list[tuple[Inline, ...]] = [_person(tongue, person) for person in people[:MOST_PEOPLE]]
    if len(people) > MOST_PEOPLE:
        items.append(tongue.say("and {number} more", number=len(people) - MOST_PEOPLE))
    return [
        tongue.some(
            "I know {number} person of {space}. Rights read in InvenTree just now:",
            "I know {number} people of {space}. Rights read in InvenTree just now:",
            len(people),
            space=space,
        ),
        Items(tuple(items)),
        tongue.say("Who is whom stands in my configuration, under {key}.", key=Code("people")),
    ]


def _person(tongue: Locale, person: PersonSeen) -> tuple[Inline, ...]:
    names = {"who": naming.person(tongue, person.name or person.person), "user": tongue.short(person.username, 40)}
    if person.superuser:
        return tongue.say("{who} ({user}): superuser", **names)
    if person.approver:
        return tongue.say("{who} ({user}): approver", **names)
    return tongue.say("{who} ({user}): may ask", **names)
