"""Our bot decides about a friend's messages as version 1 did, whatever a later version changes.

The golden vectors of single messages (`test_vectors`) prove reading and writing; these prove deciding.
"""

from __future__ import annotations

import pytest

from tests.protocol import stories


@pytest.mark.parametrize("name", stories.names())
async def test_a_friend_of_version_1_gets_the_recorded_answers(name: str) -> None:
    """To change a decision on purpose, record the story again (`python -m tests.protocol --story NAME`)."""
    recorded = stories.kept(name)
    assert await stories.played(recorded) == recorded
