"""Every kind of document that the journal keeps.

A document is frozen and saved whole under (class name, `id`). Rules read them from `State` and save changed
copies in a `Turn`; nothing else changes them.
"""

from __future__ import annotations

from fedbot.rules.model.catalogue import Alias, Allowance, FriendWant, Search, Share, Want
from fedbot.rules.model.command import Cooldown, PendingChoice
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.figures import SpaceFigures, StockHistory, Survey
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.ledger import Reconciliation
from fedbot.rules.model.lending import LendingStop, PlaceInLine, QueueEntry
from fedbot.rules.model.outside import OutsideLoan
from fedbot.rules.model.party_config import Practice, Roster
from fedbot.rules.model.room import Account, Announcement, Room
from fedbot.rules.model.rota import Rota
from fedbot.rules.model.transfer import Transfer, WaitingLine
from fedbot.rules.model.web import WebAccess, WebLine

Document = (
    Room
    | Announcement
    | Connection
    | Transfer
    | Cooldown
    | PendingChoice
    | WaitingLine
    | BotStatus
    | OwnToken
    | Alias
    | SpaceFigures
    | Survey
    | StockHistory
    | Reconciliation
    | Share
    | Search
    | Allowance
    | Account
    | Roster
    | Rota
    | LendingStop
    | WebLine
    | WebAccess
    | OutsideLoan
    | Practice
    | Want
    | FriendWant
    | QueueEntry
    | PlaceInLine
)
