"""Files sent along: the attachments of a stock item, and the image of a part that is made for it.

They are sent once the item is booked in, and only those that the receiver asks for. Each is on the homeserver,
encrypted; its key is sealed to the receiver. Nothing waits for them, and the admins are told of missing ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fedbot import messages
from fedbot.rules import names
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis, Named, NameFault
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.queries import OfLine, WhenStepEnds
from fedbot.rules.model.steps import FileSent, KeepFile, SendFile, StepKind
from fedbot.rules.model.stock import FileTold
from fedbot.rules.model.transfer import Line, Progress, Transfer, link_to_card, step_mark
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import file_in
from fedbot.rules.state import Turn

PICTURE = 0
"""The number of the part's image. Those of the item's files begin at 1, in the order of its line."""
_PART, _STOCK_ITEM = "part", "stockitem"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _file_told(line: Line, number: int) -> FileTold | None:
    """Return the file of that number; None if the terms have none."""
    if number == PICTURE:
        name = line.description.details.picture
        return FileTold(name) if name else None
    files = line.details.files
    return files[number - 1] if number <= len(files) else None


# --- the receiver asks -----------------------------------------------------------------------------------------


def wanted(transfer: Transfer, progress: Progress) -> tuple[int, ...]:
    """Return the numbers of the files that we ask for, of a line that we have just booked in."""
    line = transfer.line(progress.number)
    if not progress.largest_file or transfer.is_return:
        return ()
    is_new = progress.create_part and progress.part is not None
    picture = [PICTURE] if is_new and line.description.details.picture else []
    fitting = [number for number, file in enumerate(line.details.files, 1) if file.size <= progress.largest_file]
    return (*picture, *fitting)


# --- the sender uploads ----------------------------------------------------------------------------------------


def send(turn: Turn, transfer: Transfer, booked_in: Iterable[bodies.BookedIn]) -> None:
    """Upload the files that the receiver asks for in its report of booked-in lines."""
    numbers = {line.number for line in transfer.terms.lines}
    for entry in booked_in:
        for number in dict.fromkeys(entry.files if entry.number in numbers else ()):
            line = transfer.line(entry.number)
            file = _file_told(line, number)
            if file is None:
                continue
            model, pk = (_PART, line.part) if number == PICTURE else (_STOCK_ITEM, line.item)
            step = SendFile(
                step_mark(transfer, line.number, f"send-{number}"), model, pk, file.name, turn.us.largest_file
            )
            turn.do(Do(PassFileOn(transfer.id, line.number, number), step))


@dataclass(frozen=True)
class PassFileOn(OfLine, WhenStepEnds):
    """Carries on after the upload of the file of that number for the receiver."""

    number: int

    def done(self, turn: Turn, event: StepDone) -> None:
        """Send the receiver the file's address and key."""
        if isinstance(event.result, FileSent):
            sealed = {"file": event.result.file, "digest": event.result.digest}
            self._tell(turn, "", sealed)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the receiver. Its admins can ask for the file."""
        turn.note(self.transfer, audit.FileNotSent(self.line, event.problem))
        self._tell(turn, event.reason)

    def _tell(self, turn: Turn, problem: str, sealed: dict[str, Any] | None = None) -> None:
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        body = bodies.File(number=self.line, file=self.number, problem=problem)
        transfer, draft = sequencing.write(turn, transfer, body, awaits=True, sealed=sealed)
        turn.save(transfer)
        sequencing.post(turn, transfer, draft)


# --- the receiver downloads ------------------------------------------------------------------------------------


def on_file(turn: Turn, transfer: Transfer, envelope: Message[bodies.File], sealed: Mapping[str, Any]) -> None:
    """Keep a file that we asked for, once; or tell the admins if it can't be had."""
    body, key = envelope.body, f"file:{envelope.body.number}:{envelope.body.file}"
    progress = transfer.at(body.number)
    is_booked_in = bool(progress.stage) and progress.item is not None
    if key in transfer.told or not is_booked_in or body.file not in wanted(transfer, progress):
        turn.save(transfer)
        return
    transfer = transfer.after_telling(key)
    turn.save(transfer)
    line = transfer.line(body.number)
    file = _file_told(line, body.file) or FileTold("")
    then = TakeFile(transfer.id, line.number, file.name)
    address, digest = file_in(sealed.get("file")), sealed.get("digest")
    if body.problem or not address or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        then.tell_admins(turn, Named(NameFault.FILE_NOT_SENT, file.name))
        return
    longest = min(progress.largest_file, file.size or progress.largest_file)
    mark = step_mark(transfer, line.number, f"file-{digest[:16]}")
    if body.file == PICTURE:
        part, link = progress.part or 0, link_to_card(transfer, line)
        step = KeepFile(mark, _PART, part, file.name, address, longest, digest, link=link)
    else:
        item, known = progress.item or 0, known_item(turn, transfer, line.number)
        note = f"from {names.party_in_history(turn.party_name(transfer.peer), transfer.peer)}"
        step = KeepFile(mark, _STOCK_ITEM, item, file.name, address, longest, digest, note, known=known)
    turn.do(Do(then, step))


@dataclass(frozen=True)
class TakeFile(OfLine, WhenStepEnds):
    """Carries on after a received file was stored in our InvenTree."""

    name: str

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.StepWasDone(StepKind.KEEP_FILE, self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins, so that a person can add it. Nothing waits for it."""
        self.tell_admins(turn, event.problem)

    def tell_admins(self, turn: Turn, problem: Diagnosis) -> None:
        """Tell the admins that the file is missing, and why."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        phrase = say(
            messages.card_lines.file_not_here, transfer=transfer, line=self.line, name=self.name, problem=problem
        )
        turn.tell_admins(phrase, f"file:{transfer.id}:{self.line}:{self.name}")
