"""20 seconds of fuzzing over everything that reads input of others; `make fuzz` takes longer."""

import pytest

from fedbot.rules.model.lifecycles import ConnectionState
from tests.commands.worlds import connected
from tests.fuzz import targets
from tests.fuzz.running import Fuzzed, feed, fuzz
from tests.fuzz.targets import TARGETS

SECONDS = 20


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_input_of_others_crashes_it(name: str) -> None:
    found = fuzz(name, SECONDS / len(TARGETS), seed=1)
    assert found.inputs
    assert found.crashes == {}


def test_a_friendship_that_was_paused_while_it_was_made_may_expire_at_the_peer() -> None:
    """Found by fuzzing bodies: no arrow led there, so the message was set aside for an admin."""
    paused = connected(ConnectionState.SUSPENDED, peer_key=targets.FRIENDS_KEY)
    targets.a_message_of(paused, "cancelled", "connection", {"by": "", "by_name": "", "seen": 0})


def test_a_crash_is_reported_once_for_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis import given, settings  # noqa: PLC0415
    from hypothesis import strategies as st  # noqa: PLC0415

    def broken(number: int) -> None:
        raise ZeroDivisionError(number)

    monkeypatch.setitem(TARGETS, "broken", settings(database=None)(given(st.integers())(broken)))
    found = Fuzzed("broken")
    for _ in range(3):
        feed(found, bytes(64))
    assert found.inputs == 3
    assert list(found.crashes) == ["ZeroDivisionError in broken"]
