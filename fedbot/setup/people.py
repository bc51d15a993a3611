"""Matching people in a Matrix room to InvenTree users: suggestions by name, and a person's corrections."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fedbot.setup.plan import UserFound

NOBODY = "-"
MOST_SHOWN = 40


@dataclass(frozen=True)
class Row:
    """A member of the room and their InvenTree user; `user` is '' for a person who doesn't belong to us."""

    person: str
    name: str
    user: str = ""
    approves: bool = False
    superuser: bool = False


class NotUnderstood(Exception):
    """A correction that can't be understood. The text says how to write one."""


def suggested(
    members: Mapping[str, str],
    users: Sequence[UserFound],
    *,
    known: Mapping[str, str],
    approvers_group: str,
    homeserver: str,
    me: str,
) -> tuple[Row, ...]:
    """Each member (Matrix id and display name) with the user that the names suggest, ours first.

    `known` are the settings' pairs. Superusers and members of the group approve. Anybody may choose a superuser's name
    as their display name. So a user who may decide is only suggested for `me`, the person at the terminal, and for the
    account with that user's name on the bot's own homeserver. Each user is suggested once.
    """
    by_name = {user.username: user for user in users}
    taken = set(known.values())
    rows = []
    for person, name in sorted(members.items(), key=lambda each: (each[0] != me, each[0])):
        user = by_name.get(known.get(person, ""))
        if user is None:
            near = by_name.get(_same(person, name, users))
            local, _, server = person[1:].partition(":")
            is_sure = person == me or (server == homeserver and near is not None and near.username == local)
            user = near if near is not None and (is_sure or not _decides(near, approvers_group)) else None
            user = user if user is not None and user.username not in taken else None
        if user is not None:
            taken.add(user.username)
        rows.append(_row(person, name, user, approvers_group))
    return tuple(sorted(rows, key=lambda row: (not row.user, row.person)))


def _decides(user: UserFound, approvers_group: str) -> bool:
    return user.superuser or approvers_group in user.groups


def corrected(rows: Sequence[Row], said: str, users: Sequence[UserFound], *, approvers_group: str) -> tuple[Row, ...]:
    """The rows after a person's corrections: `3=kim` (is kim), `3=-` (nobody), `+3` (approves), `-3` (doesn't).

    A Matrix id may replace the number, even one that isn't in the room. Raises `NotUnderstood`.
    """
    by_name = {user.username: user for user in users}
    found = {row.person: row for row in rows}
    for word in said.split():
        if word[0] in "+-":
            row = _meant(word[1:], rows, found)
            if not row.user:
                raise NotUnderstood(f"{word}: {row.person} has no InvenTree user, so can't approve")
            found[row.person] = replace(row, approves=word[0] == "+")
            continue
        who, equals, username = word.rpartition("=")
        if not equals:
            raise NotUnderstood(f"{word} isn't a correction; write 3=kim, 3=-, +3 or -3")
        if username not in by_name and username != NOBODY:
            near = ", ".join(sorted(by_name))
            raise NotUnderstood(f"InvenTree has no user {username}. Its users: {near}")
        person = who if who.startswith("@") else _meant(who, rows, found).person
        if not _MATRIX_ID.fullmatch(person):
            raise NotUnderstood(f"{person} isn't a Matrix id such as @kim:example.org")
        name = found[person].name if person in found else person
        found[person] = _row(person, name, by_name.get(username), approvers_group)
    return tuple(found.values())


_MATRIX_ID = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\-:\[\]]+")


def _meant(word: str, rows: Sequence[Row], found: Mapping[str, Row]) -> Row:
    if word in found:
        return found[word]
    if not (word.isascii() and word.isdigit()) or not 0 < int(word) <= len(rows):
        raise NotUnderstood(f"{word}: write a number from 1 to {len(rows)}, or a Matrix id")
    return found[rows[int(word) - 1].person]


def _row(person: str, name: str, user: UserFound | None, approvers_group: str) -> Row:
    if user is None:
        return Row(person, name)
    return Row(person, name, user.username, _decides(user, approvers_group), user.superuser)


def _same(person: str, name: str, users: Iterable[UserFound]) -> str:
    """The only active user with the person's name; '' if there is none, or several."""
    local = _plain(person[1:].partition(":")[0])
    called = {local, _plain(name)}
    exact = [user.username for user in users if user.active and _plain(user.username) == local]
    if len(exact) == 1:
        return exact[0]
    near = [user.username for user in users if user.active and {_plain(user.username), _plain(user.name)} & called]
    return near[0] if len(near) == 1 else ""


def _plain(text: str) -> str:
    """The name without case, accents, spaces and dots."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def table(rows: Sequence[Row]) -> list[str]:
    """One line per row, as shown above the question."""
    shown = rows[:MOST_SHOWN]
    width = max((len(row.person) for row in shown), default=0)
    lines = []
    for number, row in enumerate(shown, start=1):
        what = f"not a member ({row.name})"
        if row.user:
            permissions = (
                "superuser, approves" if row.superuser and row.approves else "approves" if row.approves else ""
            )
            what = f"{row.user}" + (f" ({permissions or ('superuser' if row.superuser else 'member')})")
        lines.append(f"{number:>4}  {row.person:{width}}  {what}")
    if len(rows) > MOST_SHOWN:
        lines.append(f"      and {len(rows) - MOST_SHOWN} more who aren't members")
    return lines
