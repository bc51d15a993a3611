from __future__ import annotations

import pytest

from fedbot.rules.model.decision import normalised


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("✔️", "✔"),
        ("✔︎", "✔"),
        ("👍🏽", "👍"),
        ("👍", "👍"),
        ("✅", "✅"),
        ("", ""),
        ("yes", "yes"),
        ("👩🏿‍🔧", "👩‍🔧"),
        ("️", ""),
    ],
)
def test_variation_selectors_and_skin_tones_do_not_change_what_an_emoji_means(key: str, meant: str) -> None:
    assert normalised(key) == meant
