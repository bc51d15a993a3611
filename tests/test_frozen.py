"""Protocol version 1 and the journal's first schema are frozen: their recordings never change."""

from __future__ import annotations

import pytest

from fedbot.journal.sqlite import MIGRATIONS
from fedbot.rules.protocol import bodies
from tests import frozen
from tests.protocol import __main__ as recording


def test_frozen_files_are_unchanged() -> None:
    changed = [path for path, digest in frozen.frozen().items() if frozen.digest_of(path) != digest]
    assert not changed, "others' bots and disks hold these: docs/updating.md says what to do instead"


def test_every_kind_of_message_and_the_schema_of_today_are_frozen() -> None:
    today = {f"protocol/vectors/{kind}.json" for kind in bodies.KINDS} | {f"journal/vectors/{len(MIGRATIONS)}.sql"}
    assert not today - frozen.frozen().keys(), "a new kind or schema is frozen by: python -m tests.frozen"


def test_a_frozen_message_is_not_recorded_again() -> None:
    with pytest.raises(SystemExit, match="frozen"):
        recording.main(["offer"])
