"""`fedbot credentials add`: put a token that an admin created by hand into the bot's vault."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass

from fedbot.cli.exits import Exit, failed, refused
from fedbot.cli.settings_file import settings_of
from fedbot.config.secrets import token_in
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside, journal_place
from fedbot.identity import FileVault
from fedbot.journal.copies import documents
from fedbot.ports.journal import JournalProblem
from fedbot.rules.connection.provision import made_for
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lifecycles import LIVING_CONNECTION


def credentials(given: argparse.Namespace) -> Exit:
    """Store the token. The running bot finds it, because it checks its vault every minute."""
    settings = settings_of(given, "warning")
    party, generation = given.name
    if unknown := _unknown(settings, party, generation):
        return refused(unknown)
    token = token_in(getpass("Token: ") if sys.stdin.isatty() else sys.stdin.read())
    if not token:
        return refused("That isn't a token: a token is one line without spaces. Nothing was changed.")
    try:
        with identity_beside(settings) as folder:
            FileVault(folder).keep(made_for(party, generation), token)
    except JournalProblem as problem:
        return failed(problem)
    print(
        f"Kept the token for {party}. The bot tries it within a minute and says in its admin room if it doesn't work."
    )
    return Exit.OK


def _unknown(settings: Settings, party: str, generation: int) -> str:
    """The refusal if there is no such friendship; else ''."""
    try:
        known = [found for found in documents(journal_place(settings), Connection) if isinstance(found, Connection)]
    except JournalProblem as problem:
        return f"{problem} Nothing was changed."
    wanted = f"{party}-{generation}"
    states = {f"{each.peer}-{each.generation}": each.state for each in known}
    names = [name for name, state in states.items() if state in LIVING_CONNECTION]
    if wanted in names:
        return ""
    if wanted in states:
        return f"The friendship {wanted} is over, so it needs no token. Nothing was changed."
    listed = f"There {'are' if names[1:] else 'is'} {', '.join(sorted(names))}" if names else "There is none yet"
    return f"The bot knows no friendship {wanted}. {listed}. Nothing was changed."
