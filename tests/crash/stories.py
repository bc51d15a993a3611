"""The list of stories, and the pair that each needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.crash import friendship, loans, transfers
from tests.crash.pair import Pair

#: A bot accepts 20 new requests of a friend at once, then one in 30 s. A story makes one or two, with its preparation.
STORIES_A_PAIR = 8


@dataclass(frozen=True)
class Story:
    """Something that people do, and the check of its end (`right`).

    `strangers`: the bots die while they start and become friends. Otherwise they are friends already, and those with
    the same `access` and `circle` live through many stories. `prepare` happens before any danger. Points that stories
    of one `family` share are tried once. After `most_a_pair` stories, the pair of a circle is replaced, so that journal
    and stock stay small and their messages stay within the budget.
    """

    name: str
    play: Callable[[Pair], Awaitable[Any]]
    right: Callable[[Pair, Any], Awaitable[None]]
    access: str = "relayed"
    strangers: bool = False
    family: str = ""
    circle: str = ""
    most_a_pair: int = STORIES_A_PAIR
    prepare: Callable[[Pair], Awaitable[None]] | None = None


_CONNECT: dict[str, Any] = {"strangers": True, "family": "connect"}
STORIES = {
    story.name: story
    for story in (
        Story("connect-direct", friendship.connect, friendship.connected_right, "direct", **_CONNECT),
        Story("connect-relayed", friendship.connect, friendship.connected_right, "relayed", **_CONNECT),
        Story("push", transfers.push, transfers.moved_right),
        Story("refused", transfers.refused, transfers.came_back_untaken_right, family="push"),
        Story("parcel", transfers.parcel, transfers.moved_right, family="push"),
        Story("lend", loans.lend, transfers.moved_right, family="push"),
        Story("lend-again", loans.lend_again, loans.lent_again_right, family="push", prepare=loans.lens_was_here),
        Story("extend", loans.extend, loans.extended_right, prepare=loans.is_lent),
        Story("return", loans.give_back, loans.came_back_right, family="return", prepare=loans.is_lent),
        Story(
            "return-one-by-one",
            loans.give_back_one_by_one,
            loans.came_back_one_by_one_right,
            family="return",
            prepare=loans.two_are_lent,
        ),
        Story("photo", loans.show, loans.shown_right, prepare=loans.has_come_back),
        Story("lost", loans.lose, loans.lost_right, prepare=loans.is_lent),
        Story("gift", loans.give_for_good, loans.given_right, prepare=loans.is_lent),
        Story("request", transfers.request, transfers.moved_right, prepare=transfers.is_shared),
        Story(
            "request-anyone",
            transfers.request_from_anyone,
            transfers.filled_once_right,
            family="request",
            prepare=transfers.is_shared,
        ),
        Story("book", loans.book, transfers.moved_right, family="push"),
        Story(
            "want",
            transfers.want,
            transfers.found_once_right,
            family="push",
            circle="wants",
            most_a_pair=1,  # people are told of the same item once a day
            prepare=transfers.nobody_shares_it,
        ),
        Story("outside", loans.lend_outside, loans.came_back_from_neighbour_right, circle="neighbours"),
        Story(
            "turn",
            loans.wait_for_turn,
            loans.had_their_turn_right,
            circle="in line",
            most_a_pair=4,
            prepare=loans.lens_is_with_a_neighbour,
        ),
        Story(
            "here",
            loans.hand_over_what_is_here,
            loans.is_here_once_right,
            family="push",
            circle="neighbours",
            prepare=loans.neighbour_has_entered_it,
        ),
        Story("find", friendship.find, friendship.found_right, prepare=transfers.is_shared),
        Story("stats", friendship.ask_for_figures, friendship.figures_right),
        Story("rotate", friendship.rotate, friendship.rotated_right, "direct"),
        Story("move", friendship.move, friendship.moved_along_right, family="push", circle="moving"),
        Story("disconnect", friendship.disconnect, friendship.disconnected_right, "direct"),
        Story("disconnect-now", friendship.disconnect_now, friendship.disconnected_right, circle="without loans"),
    )
}
