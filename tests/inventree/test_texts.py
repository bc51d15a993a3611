"""Texts that InvenTree would refuse or change in silence."""

from __future__ import annotations

import pytest

from fedbot.inventree.texts import plain


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("for your Saturday workshop", "for your Saturday workshop"),
        ("size < 5 mm, <b>now</b>", "size ‹ 5 mm, ‹b›now‹/b›"),
        ("one\ntwo\r\n  three\tfour", "one two three four"),
        ("10\u00a0mm", "10 mm"),
        ("Laser lens 2.0″ – für Béa 👩\u200d🔧", "Laser lens 2.0″ – für Béa 👩\u200d🔧"),
        ("turned\u202e round\u0000", "turned round"),
        ("nuts & bolts, AT&T", "nuts & bolts, AT&T"),
        ("&lt;b&gt; and &copy", "＆lt;b＆gt; and ＆copy"),
        ("", ""),
    ],
)
def test_what_is_typed_is_sent_as_inventree_takes_it(typed: str, sent: str) -> None:
    assert plain(typed) == sent
    assert plain(sent) == sent
