"""`fedbot audit`: prove that nobody has changed the audit, or export it. docs/cli.md explains it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from fedbot.cli.exits import Exit, failed
from fedbot.cli.settings_file import settings_of
from fedbot.edge_settings import journal_place
from fedbot.files import written_whole
from fedbot.journal import codec
from fedbot.journal.audit_chain import Link, Verified
from fedbot.journal.copies import audit_links, audit_verified
from fedbot.journal.database import JournalPlace
from fedbot.messages.audit import entry_in_words
from fedbot.messages.language import Locale
from fedbot.ports.journal import JournalProblem, NotStorable
from fedbot.rules.model.audit import AuditEntry


def audit(given: argparse.Namespace) -> Exit:
    """Verify or export the audit. The bot may be running."""
    settings = settings_of(given, "warning")
    place = journal_place(settings)
    try:
        if given.action == "export":
            export(place, Locale(settings.party.language, settings.party.time_zone), given.output)
            return Exit.OK
        found = audit_verified(place, given.hash.lower())
    except JournalProblem as problem:
        return failed(problem)
    is_well = not found.broken and found.known
    sys.stdout.write(json.dumps({"ok": is_well, **asdict(found)}) + "\n" if given.json else in_words(found))
    return Exit.OK if is_well else Exit.FAILED


def in_words(found: Verified) -> str:
    """The text for an admin."""
    if found.broken:
        return f"Entry {found.broken} doesn't match: {found.why}.\n{found.entries} entries before it are unchanged.\n"
    begins = f", from number {found.first} on (older ones were pruned)" if found.first > 1 else ""
    lines = [f"OK: {found.entries} entries{begins}, all unchanged.", f"The last hash is {found.head}"]
    if not found.known:
        lines = [
            "That hash is not in the chain: the journal was restored from an older copy, rebuilt, or rewritten.",
            *lines,
        ]
    return "\n".join(lines) + "\n"


def export(place: JournalPlace, locale: Locale, output: Path | None) -> None:
    """Write each entry as a line of JSON, oldest first.

    A file has mode 0600 and is written completely or not at all.
    """
    if output is None:
        sys.stdout.writelines(as_lines(locale, audit_links(place)))
        return
    with written_whole(output) as out:
        out.writelines(line.encode("ascii") for line in as_lines(locale, audit_links(place)))


def as_lines(locale: Locale, links: Iterable[Link]) -> Iterable[str]:
    """The entries as lines of JSON. `entry`, written as ASCII without white space, is the text that was hashed.

    `in_words` describes the event in the space's language; '' for an entry that somebody has damaged.
    """
    for link in links:
        yield json.dumps({**asdict(link), "entry": json.loads(link.entry), "in_words": _in_words(locale, link)}) + "\n"


def _in_words(locale: Locale, link: Link) -> str:
    try:
        entry: AuditEntry = codec.from_text(codec.AUDIT, AuditEntry.__name__, link.entry)
    except NotStorable:
        return ""
    return entry_in_words(locale, entry.what)
