"""Recorded decisions: one bot of ours, and a friend that says what bots of version 1 say, whatever our rules become.

`stories/NAME.json` has steps. A step is something that happens, and the messages that our bot writes then (`says`):

- `line`: Anna types it. `tap`: Piet reacts with it to our newest card. `days`: so many days pass.
- `peer`: the friend's bot sends this message. Its `kind` aside, these are fields of the body. With `terms`, it opens a
  transfer. `terms_hash: other` names terms that nobody agreed to. `again: true` sends the last message once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from fedbot.rules import wire as envelopes
from fedbot.rules.protocol import terms as protocol_terms
from fedbot.rules.wire import Cause, CauseKind, Opening, SubjectKind
from tests.scenarios.forging import forge
from tests.scenarios.world import World, sharing

FOLDER = Path(__file__).parent / "stories"
OTHER = "ab" * 32
LEFT_OUT = frozenset({"seen", "past", "awaits", "sealed", "event", "due", "opening"})
"""Fields of each message that no decision depends on, or that differ from run to run."""
REPEATED = frozenset({"seen", "ask"})
"""Messages without a number, whose times are no promise."""
OF_A_LINE = ("item", "quantity", "serial", "origin")
LINE: dict[str, Any] = {
    **dict.fromkeys(("serial", "batch", "packaging", "place", "origin"), ""),
    "number": 1,
    "item": 0,
    "part": 0,
    "expiry": None,
    "status": 10,
    "status_text": "OK",
    "whole": False,
}
DESCRIPTION: dict[str, Any] = {
    **dict.fromkeys(("ipn", "description", "keywords", "units", "revision"), ""),
    "trackable": False,
}
TERMS = {"asker": "@tom:twin.test", "asker_name": "Tom", "note": "", "loan_until": None}


def names() -> list[str]:
    """All stories."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def kept(name: str) -> dict[str, Any]:
    """The story as it is recorded."""
    story: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return story


async def record(name: str) -> None:
    """Write down what our bot says in that story today."""
    story = await played(kept(name))
    (FOLDER / f"{name}.json").write_text(json.dumps(story, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


async def played(story: Mapping[str, Any]) -> dict[str, Any]:
    """The story with what our bot says now."""
    friend = Friend(await sharing())
    return {"about": story["about"], "steps": [await friend.step(step) for step in story["steps"]]}


class Friend:
    """Betaspace as a script: its bot sleeps, and the story writes its messages under its key."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.us, self.peer = world.alpha, world.beta
        self.peer.is_asleep = True
        self.subject = ""
        self.loan = ""
        self._openings = 0
        self._told = {each["id"] for each in self._ours()}
        self._last: tuple[str, dict[str, Any], str] = ("", {}, "")

    async def step(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Let it happen; return the step with the messages that our bot writes."""
        if "line" in step:
            self.world.anna.says(f"!fed {step['line']}")
        elif "tap" in step:
            cards = [card for card in self.world.room.messages(sender=self.us.chat.user_id) if card.reactions]
            self.world.piet.reacts(cards[-1], step["tap"])
            await self.world.grace()
        elif "days" in step:
            await self.world.passes(timedelta(days=step["days"]))
        else:
            self._send(**step["peer"])
        await self.world.settle()
        new = {each["id"]: each for each in self._ours() if each["kind"] not in REPEATED}
        new = {identifier: each for identifier, each in new.items() if identifier not in self._told}
        self._told |= new.keys()
        said = [{"kind": each["kind"], **shown(each["body"])} for each in new.values()]
        self._follow(list(new.values()))
        return {**step, "says": said}

    def _follow(self, new: list[Mapping[str, Any]]) -> None:
        """The transfer that the friend talks about from now on is the newest that we opened."""
        for each in new:
            if each["kind"] in {"offer", "request"}:
                self.subject = each["transfer"]
            if each["kind"] == "sent" and not self.loan:
                self.loan = each["transfer"]

    def _ours(self) -> list[Mapping[str, Any]]:
        return self.world.room.envelopes(sender=self.us.chat.user_id)

    def _send(self, kind: str = "", *, terms_hash: str = "", again: bool = False, **body: Any) -> None:  # noqa: ANN401
        if again:
            kind, body, terms_hash = self._last
        elif "terms" in body:
            body, terms_hash = self._opens(**body)
        subject = [each for each in self.world.room.envelopes() if each.get("transfer") == self.subject]
        agreed = next((each["terms_hash"] for each in reversed(subject) if each["terms_hash"] != OTHER), "")
        terms_hash = OTHER if terms_hash == "other" else terms_hash or agreed
        theirs = [each["seq"] for each in subject if each["from"] == self.peer.party]
        number = max(theirs, default=0) + (0 if again else 1)
        seen, past = self._read(subject)
        said = {**body, "seen": seen, "past": past}
        self._last = (kind, body, terms_hash)
        forge(self.world, self.peer, self.us.party, ("transfer", self.subject), number, kind, said, terms_hash)

    def _read(self, subject: list[Mapping[str, Any]]) -> tuple[int, str]:
        """The last of our messages, and the hash of all: the friend reads everything."""
        seen, past = 0, ""
        for each in subject:
            if each["from"] == self.us.party and each["seq"] > seen:
                seen, past = (
                    each["seq"],
                    envelopes.past_with(past, each["kind"], each["seq"], each["terms_hash"], each["body"]),
                )
        return seen, past

    def _opens(self, terms: Mapping[str, Any], **body: Any) -> tuple[dict[str, Any], str]:  # noqa: ANN401
        """The body and the hash of a message that opens a transfer with these terms."""
        self._openings += 1
        cause = Cause(CauseKind.LINE, f"$of-the-friend-{self._openings}")
        opening = Opening(self.peer.identity.key, self.world.room.id, cause)
        self.subject = envelopes.opened_id(SubjectKind(terms["kind"]), opening)
        lines = [{**LINE, **line, "description": {**DESCRIPTION, **line["description"]}} for line in terms["lines"]]
        whole = {**TERMS, **terms, "lines": lines}
        if terms["kind"] in {"return", "extension"}:
            whole["parent"] = self.loan
        due = (self.world.clock.now() + timedelta(days=7)).isoformat()
        content = {**body, "terms": whole, "due": due, "opening": envelopes.opening_json(opening)}
        return content, protocol_terms.hash_of(protocol_terms.parse(whole))


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message that are a decision; of the terms, what moves and until when."""
    said = {name: value for name, value in body.items() if name not in LEFT_OUT}
    if "terms" in said:
        terms = said["terms"]
        lines = [{name: line[name] for name in OF_A_LINE if line[name]} for line in terms["lines"]]
        said["terms"] = {"kind": terms["kind"], "lines": lines, "loan_until": terms["loan_until"]}
    return said
