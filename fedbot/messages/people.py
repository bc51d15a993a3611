"""Our people and their permissions, adding and removing them, the greeting of a newcomer, and help."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.markup import Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.ledger import PersonSeen, VerbLine
from fedbot.rules.model.party_config import PartyConfig, RosterChange
from fedbot.rules.model.stock import Permission, Permissions

MOST_PEOPLE = 50
_LONGEST_ID = 120


def people(
    locale: Locale, *, us: PartyConfig, people: tuple[PersonSeen, ...], removed: tuple[str, ...], private: bool
) -> Lines:
    """Our people with their current permissions. `private`: only our own admins can read it."""
    space = naming.space(locale, us.name)
    if not people:
        return [locale.say("Nobody has been added for {space} yet.", space=space), _how_to_add(locale)]
    items: list[tuple[Inline, ...]] = [_person(locale, person) for person in people[:MOST_PEOPLE]]
    if len(people) > MOST_PEOPLE:
        items.append(locale.say("and {number} more", number=len(people) - MOST_PEOPLE))
    lines: Lines = [
        locale.some(
            "{number} person belongs to {space}. I have just read their permissions in InvenTree:",
            "{number} people belong to {space}. I have just read their permissions in InvenTree:",
            len(people),
            space=space,
        ),
        Items(tuple(items)),
    ]
    if private and us.admins:
        lines.append(locale.say("Admins, who may invite me: {people}", people=_ids(locale, us.admins)))
    if private and removed:
        told = locale.say("Removed here, though my settings name them: {people}", people=_ids(locale, removed))
        lines.append(told)
    return [*lines, _how_to_add(locale)]


def _ids(locale: Locale, people: tuple[str, ...]) -> str:
    shown = [locale.short(person, _LONGEST_ID) for person in people[:MOST_PEOPLE]]
    return ", ".join(shown)


def _how_to_add(locale: Locale) -> tuple[Inline, ...]:
    return locale.say(
        "To add somebody, in the encrypted admin room: {line}", line=command("people add @kim:example.org as kim")
    )


def _person(locale: Locale, person: PersonSeen) -> tuple[Inline, ...]:
    names = {"who": naming.person(locale, person.name or person.person), "user": locale.short(person.username, 40)}
    if person.superuser:
        text = locale.say("{who} ({user}): superuser", **names)
    elif person.approver:
        text = locale.say("{who} ({user}): approver", **names)
    else:
        text = locale.say("{who} ({user}): can request", **names)
    return (*text, *locale.say(", added here")) if person.added else text


def added(locale: Locale, *, change: RosterChange, us: PartyConfig, again: bool) -> Lines:
    """The answer to `people add`; `again`: the person was added before."""
    who, space = Code(locale.short(change.person, _LONGEST_ID)), naming.space(locale, us.name)
    user = locale.short(us.people.get(change.person, ""), 40)
    if change.username:
        first = (
            locale.say("✅ {who} was added earlier, and is user {user} of {space}.", who=who, user=user, space=space)
            if again
            else locale.say("✅ {who} is user {user} of {space} now.", who=who, user=user, space=space)
        )
        lines: Lines = [first, locale.say("InvenTree decides what they can do. I tell them after their first line.")]
    else:
        lines = [locale.say("✅ {who} is one of my admins now, and may invite me.", who=who)]
    if change.admin and change.username:
        lines.append(locale.say("They may also invite me."))
    undo = command(f"people remove {change.person}")
    return [*lines, locale.say("To undo it: {line}", line=undo)]


def removed(locale: Locale, *, person: str, configured: bool, us: PartyConfig) -> Lines:
    """The answer to `people remove`; `configured`: the settings file still names the person."""
    who = Code(locale.short(person, _LONGEST_ID))
    lines: Lines = [
        locale.say("✅ {who} doesn't belong to {space} any more.", who=who, space=naming.space(locale, us.name)),
        locale.say("I do nothing for them from now on. Their InvenTree user stays as it is."),
    ]
    if configured:
        told = locale.say(
            "My settings file still names them. Remove them there too: a rebuilt bot reads only that file."
        )
        lines.append(told)
    return lines


def no_matrix_id(locale: Locale, *, word: str) -> Lines:
    """The refusal of a word that isn't one Matrix id; apps turn ids into names."""
    return [
        locale.say("Nothing changed: {word} isn't a Matrix id.", word=Code(locale.short(word, 60))),
        locale.say("Write the whole id, in quotes, so that your app doesn't turn it into a name:"),
        command('people add "@kim:example.org" as kim'),
    ]


def user_missing(locale: Locale, *, person: str) -> Lines:
    """The answer to `people add` without an InvenTree user."""
    line = command(f"people add {person} as USER")
    return [
        locale.say("Nothing changed: which InvenTree user is that?"),
        locale.say("Type {line}, with the user's name in InvenTree.", line=line),
        locale.say("For somebody who may only invite me: {line}", line=command(f"people add {person} --admin")),
    ]


def no_such_user(locale: Locale, *, username: str, inactive: bool, us: PartyConfig) -> Lines:
    """The refusal of a user that our InvenTree doesn't have, or that is inactive."""
    names = {"user": locale.short(username, 40), "space": naming.space(locale, us.name)}
    first = (
        locale.say("Nothing changed: the user {user} in the InvenTree of {space} is inactive.", **names)
        if inactive
        else locale.say("Nothing changed: the InvenTree of {space} has no user {user}.", **names)
    )
    return [first, locale.say("An InvenTree admin creates or activates it. Then type it again.")]


def configured_otherwise(locale: Locale, *, person: str, username: str) -> Lines:
    """The refusal of a user that differs from the one in the settings, which count more."""
    who = Code(locale.short(person, _LONGEST_ID))
    user = locale.short(username, 40)
    return [
        locale.say("Nothing changed: my settings say that {who} is the user {user}.", who=who, user=user),
        locale.say("Change it there, under {key}. I read the file again by myself.", key=Code("people")),
    ]


def approves_by_configuration_only(locale: Locale, *, person: str, username: str) -> Lines:
    """The refusal to add an approver below API 472: only the settings can name approvers there."""
    user = locale.short(username, 40)
    line = Code(f'"{locale.short(person, _LONGEST_ID)}": {user}')
    return [
        locale.say("Nothing changed: {user} is an approver, and this InvenTree is too old.", user=user),
        locale.say("Below API 472 any account can give itself permissions, so only my settings name the approvers."),
        locale.say("Write it there, under {key}: {line}", key=Code("people"), line=line),
    ]


def is_a_bot(locale: Locale, *, person: str) -> Lines:
    """The refusal to add a bot as a person."""
    return [locale.say("Nothing changed: {who} is a bot.", who=Code(locale.short(person, _LONGEST_ID)))]


def not_yourself(locale: Locale) -> Lines:
    """The refusal to remove oneself, because nobody may be left to add people."""
    return [
        locale.say("Nothing changed: you can't remove yourself."),
        locale.say("Another superuser can, or on my machine: {line}", line=Code("fedbot people remove")),
    ]


def not_known(locale: Locale, *, person: str, us: PartyConfig) -> Lines:
    """The answer to `people remove` for somebody who isn't one of our people."""
    who, space = Code(locale.short(person, _LONGEST_ID)), naming.space(locale, us.name)
    return [
        locale.say("Nothing changed: {who} doesn't belong to {space}.", who=who, space=space),
        locale.say("To see the members: {line}", line=command("people")),
    ]


def only_in_the_admin_room(locale: Locale, *, text: str, encrypted: bool) -> Lines:
    """The refusal of `people` outside the encrypted admin room: a homeserver could forge the line."""
    first = (
        locale.say("Nothing changed: that counts only in the admin room.")
        if encrypted
        else locale.say("Nothing changed: that counts only where messages are encrypted.")
    )
    line = Code(locale.short(f"fedbot {text}", 200))
    return [
        first,
        locale.say("Without encryption, the admin of a homeserver could write it in your name."),
        locale.say("Type it in the admin room, with encryption on. Or run on my machine: {line}", line=line),
    ]


def met(locale: Locale, *, us: PartyConfig, name: str, permissions: Permissions, knows_help: bool = False) -> Lines:
    """The reply to a person's first line: their user and permissions. `knows_help`: that line was `help`."""
    names = {
        "who": naming.person(locale, name),
        "space": naming.space(locale, us.name),
        "user": locale.short(permissions.username, 40),
    }
    more = {"help": command("help"), "whoami": command("whoami")}
    lines: Lines = [
        locale.say("Hello {who}: you are user {user} of {space}.", **names),
        standing(locale, permissions, names["space"], names["user"]),
    ]
    if not knows_help:
        lines.append(locale.say("What you can type: {help} · your permissions: {whoami}", **more))
    return lines


def greeted(locale: Locale) -> Lines:
    """The reply to a greeting."""
    return [locale.say("Hello! What you can type: {help}", help=command("help"))]


def thanked(locale: Locale) -> Lines:
    """The reply to thanks."""
    return [locale.say("You're welcome.")]


def standing(locale: Locale, permissions: Permissions, space: str, user: str) -> tuple[Inline, ...]:
    """The person's permissions in InvenTree."""
    if not permissions.known:
        return locale.say(
            "But the InvenTree of {space} has no user {user}. Its admin has to create one, or correct"
            " my configuration.",
            space=space,
            user=user,
        )
    if not permissions.active:
        return locale.say("But this user is inactive. An InvenTree admin of {space} can activate it.", space=space)
    if permissions.superuser:
        return locale.say("You are a superuser there: you can approve, and connect with other spaces.")
    if permissions.approver:
        return locale.say("You are an approver there: you can give items away and decide on offers.")
    return locale.say("You are neither an approver nor a superuser there, so others decide.")


# --- Help and `whoami`: made from the verbs' specs, and from the permissions in InvenTree at that moment.


def help_overview(
    locale: Locale,
    *,
    us: PartyConfig,
    person: str,
    username: str,
    lines: tuple[VerbLine, ...],
    named: tuple[str, ...],
    example: str = "",
) -> Lines:
    """The first page: the everyday verbs, the names of some others, and who you are.

    `example`: a line with the words in brackets, which are the English verbs.
    """
    who = naming.person(locale, person)
    space = naming.space(locale, us.name)
    more: dict[str, Words] = {"names": ", ".join(named), "help": command("help more")}
    more |= {"verb": command("help push"), "admin": command("help admin")}
    return [
        locale.say(
            "I move items between the InvenTrees of our spaces. You ask, and somebody at the other"
            " space approves with one tap."
        ),
        Items(tuple(_verb_line(locale, line) for line in lines)),
        locale.say(
            "You: {who} of {space}, user {user} in its InvenTree. Your permissions: {whoami}",
            who=who,
            space=space,
            user=locale.short(username, 40),
            whoami=command("whoami"),
        ),
        locale.say("An item is #42, an IPN, a name or its pasted link."),
        *([locale.say("The words in brackets work too: {line}", line=command(example))] if example else []),
        locale.say("{names} and more: {help} · about one verb: {verb} · for superusers: {admin}", **more),
    ]


def _verb_line(locale: Locale, line: VerbLine) -> tuple[Inline, ...]:
    also: tuple[Inline, ...] = (" (", Code(line.also), ")") if line.also else ()
    return (command(line.shown), *also, " – ", locale.word(line.summary))


def help_by_direct_chat(locale: Locale) -> Lines:
    """The help was sent to the person's direct chat, and this says so in the shared room."""
    return [locale.say("The help is in our direct chat.")]


def help_more(locale: Locale, *, us: PartyConfig, lines: tuple[VerbLine, ...]) -> Lines:
    """The second page: all other verbs, except those for superusers."""
    first = locale.say("The other verbs that the bot of {space} knows:", space=naming.space(locale, us.name))
    return _other_verbs(locale, first, lines, "wait")


def help_admin(locale: Locale, *, us: PartyConfig, lines: tuple[VerbLine, ...]) -> Lines:
    """The superusers' page."""
    first = locale.say("For superusers in the InvenTree of {space}:", space=naming.space(locale, us.name))
    return _other_verbs(locale, first, lines, "connect")


def _other_verbs(locale: Locale, first: tuple[Inline, ...], lines: tuple[VerbLine, ...], verb: str) -> Lines:
    items = tuple((*_verb_line(locale, line), *_for_whom(locale, line.permission)) for line in lines)
    return [
        first,
        Items(items),
        locale.say(
            "Everyday verbs: {help} · about one verb: {verb}", help=command("help"), verb=command(f"help {verb}")
        ),
    ]


def _for_whom(locale: Locale, permission: Permission) -> tuple[Inline, ...]:
    if permission is Permission.APPROVER:
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
    permission: Permission,
    us: PartyConfig,
) -> Lines:
    """One verb: usage, effect, options, examples, and who can use it."""
    lines: Lines = [(command(usage), " – ", locale.word(summary)), *(locale.word(detail) for detail in details)]
    if options:
        lines.append(Items(tuple((Code(option), " – ", locale.word(what)) for option, what in options)))
    if examples:
        shown: list[Inline] = []
        for example in examples:
            shown += [" · "] * bool(shown) + [command(example)]
        lines.append(locale.say("For example: {example}", example=shown))
    if aliases:
        lines.append(locale.say("You can also type: {names}", names=", ".join(aliases)))
    lines.append(_who_may(locale, permission, naming.space(locale, us.name)))
    return lines


def _who_may(locale: Locale, permission: Permission, space: str) -> tuple[Inline, ...]:
    match permission:
        case Permission.SUPERUSER:
            return locale.say("Who can use it: InvenTree superusers of {space}.", space=space)
        case Permission.APPROVER:
            return locale.say("Who can use it: approvers of {space}.", space=space)
        case Permission.MAPPED:
            return locale.say("Who can use it: everybody of {space} with an active InvenTree user.", space=space)
        case Permission.ANYONE:
            return locale.say("Who can use it: every configured person of {space}.", space=space)


def whoami(
    locale: Locale,
    *,
    us: PartyConfig,
    person: str,
    name: str,
    username: str,
    permissions: Permissions,
    verbs: tuple[str, ...],
    not_yours: tuple[str, ...],
) -> Lines:
    """The person's InvenTree user, and the user's permissions now."""
    space, user = naming.space(locale, us.name), locale.short(username, 40)
    who = naming.person(locale, name or person)
    lines: Lines = [
        locale.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        standing(locale, permissions, space, user),
        locale.say("You can use: {verbs}", verbs=", ".join(verbs)),
    ]
    if not_yours:
        lines.append(locale.say("You can't use: {verbs}", verbs=", ".join(not_yours)))
    lines.append(locale.say("I have just read that in InvenTree."))
    return lines


def whoami_without_permissions(
    locale: Locale, *, us: PartyConfig, person: str, name: str, username: str, problem: Diagnosis | None
) -> Lines:
    """The person's InvenTree user, while InvenTree doesn't return the permissions."""
    space, user = naming.space(locale, us.name), locale.short(username, 40)
    who = naming.person(locale, name or person)
    lines: Lines = [
        locale.say("You are {who} of {space}: user {user} in its InvenTree.", who=who, space=space, user=user),
        locale.say("I can't read your permissions in InvenTree now."),
    ]
    if problem is not None:
        lines.append(locale.say("Why: {problem}", problem=diagnosis(locale, problem)))
    return [*lines, locale.say("These work without it: {verbs}", verbs="help, whoami, status, disconnect --now")]
