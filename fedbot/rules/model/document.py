"""Every kind of document that the journal keeps.

A document is frozen and saved whole under (class name, `id`). Rules read them from `State` and save changed
copies in a `Turn`; nothing else changes them.
"""

from __future__ import annotations

from fedbot.rules.model.books import Reconciliation
from fedbot.rules.model.catalogue import Alias, Allowance, Search, Share
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.conversation import Cooldown, PendingChoice
from fedbot.rules.model.figures import SpaceFigures, StockHistory, Survey
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.outside import OutsideLoan
from fedbot.rules.model.overdue import LendingStop
from fedbot.rules.model.party_config import Roster
from fedbot.rules.model.practice import Practice
from fedbot.rules.model.queue import PlaceInLine, QueueEntry
from fedbot.rules.model.room import Account, Announcement, Room
from fedbot.rules.model.rota import Rota
from fedbot.rules.model.transfer import Transfer, WaitingLine
from fedbot.rules.model.want import FriendWant, Want
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
