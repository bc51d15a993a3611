from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot import messages
from fedbot.rules.model.command import PendingChoice
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, SendEnvelope
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot.rules.model.stock import Part, Provenance, StockItem
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.protocol.terms import parse, to_json
from fedbot.rules.state import Turn
from tests.commands.worlds import (
    ANNA,
    BOLT,
    GAMMA_BOT,
    HOME,
    NOW,
    OTHER_ROOM,
    ROOM,
    World,
    announcement,
    connected,
    found,
    item,
    pushed,
)

NUT = replace(BOLT, pk=8, name="Nut M3", ipn="M3-NUT")


def offered(world: World) -> Transfer:
    (transfer,) = [t for t in world.turn.transfers() if t.asked.event_id == "$line"]
    return transfer


def test_each_item_is_queried_once_with_the_typed_words() -> None:
    world = World(connected())
    assert world.asks("push 10 M3-BOLT + #42 + 5 M3-BOLT to betaspace") == (
        FindItems("M3-BOLT", merges=True, whole=True),
        FindItems("#42", merges=True, whole=True),
    )


def test_an_offer_holds_everything_that_the_other_side_needs() -> None:
    world = World(connected())
    lying = item(42, "120", batch="B7", metadata='{"colour": "red"}')
    assert world.does("push 10 M3-BOLT to betaspace --note for you", found(lying)) is None
    transfer = offered(world)
    assert (transfer.terms.kind, transfer.terms.sender, transfer.terms.receiver) == ("push", "attraktor", "betaspace")
    assert (transfer.terms.asker, transfer.terms.asker_name, transfer.terms.note) == (ANNA, "Anna", "for you")
    (line,) = transfer.terms.lines
    assert (line.item, line.part, line.quantity, line.batch, line.whole) == (42, 7, Decimal(10), "B7", False)
    assert line.description.ipn == "M3-BOLT"
    (post,) = world.posts
    assert (post.phrase.name, post.reply_to, post.room) == ("transfer_offered", "$line", ROOM)
    assert post.draft is not None
    assert post.draft.sealed == {"metadata": {"1": '{"colour": "red"}'}}


def test_a_space_is_found_by_its_id_and_by_its_name_in_any_case() -> None:
    for name in ("betaspace", "BETASPACE", "Beta Space", "beta space"):
        assert World(connected()).does(f"push #42 to {name}", found(item())) is None


def test_without_a_quantity_the_whole_item_goes() -> None:
    world = World(connected())
    assert world.does("push #42 to betaspace", found(item(42, "120"))) is None
    (line,) = offered(world).terms.lines
    assert (line.quantity, line.whole) == (Decimal(120), True)


def test_several_lines_make_one_transfer() -> None:
    world = World(connected())
    assert world.does("push 10 #42; 5 #43 to betaspace", found(item(42)), found(item(43, part=NUT))) is None
    assert [(line.number, line.item, line.quantity) for line in offered(world).terms.lines] == [
        (1, 42, Decimal(10)),
        (2, 43, Decimal(5)),
    ]


def test_the_other_side_accepts_the_terms_whatever_is_written_in_our_inventory() -> None:
    world = World(connected())
    odd = Part(7, "soft\u00adhyphen\u202e" + "x" * 600, description="bell\x07", keywords="\ud800lone", units="m")
    assert world.does("push 1.50 #42 to betaspace", found(item(42, part=odd, metadata='"\ud800"'))) is None
    terms = to_json(offered(world).terms)
    assert parse(terms) == offered(world).terms
    (post,) = world.posts
    assert post.draft is not None
    post.draft.sealed["metadata"]["1"].encode()


def test_an_item_of_the_receivers_own_goes_back_with_its_origin() -> None:
    world = World(connected())
    assert world.does("push #42 to betaspace", found(item(), tainted=((42, "betaspace"),))) is None
    assert offered(world).terms.lines[0].origin == "betaspace"


@pytest.mark.parametrize(
    ("lying", "typed", "name"),
    [
        (item(part=replace(BOLT, virtual=True)), "#42", "part_virtual"),
        (item(part=replace(BOLT, active=False)), "#42", "part_inactive"),
        (item(part=replace(BOLT, salable=False)), "#42", "part_not_salable"),
        (item(customer=5, in_stock=False), "#42", "item_with_customer"),
        (item(in_stock=False), "#42", "item_not_in_stock"),
        (item(quantity="0"), "#42", "item_not_in_stock"),
        (item(status=65, status_text="Rejected"), "#42", "status_may_not_travel"),
        (item(status=75), "#42", "status_may_not_travel"),
        (item(quantity="1", serial="0042"), "#42 2", "serial_is_one"),
        (item(quantity="5"), "#42 6", "quantity_too_much"),
        (item(quantity="5", allocated=Decimal(2)), "#42 4", "item_allocated"),
        (item(quantity="5", allocated=Decimal(2)), "#42", "item_allocated"),
        (item(provenance=Provenance("gammaspace", "t", 42)), "#42", "may_not_go_on"),
    ],
)
def test_an_item_that_may_not_leave_is_refused_with_its_reason(lying: StockItem, typed: str, name: str) -> None:
    world = World(connected())
    assert world.says(f"push {typed} to betaspace", found(lying)).name == name
    assert world.effects == []
    assert world.turn.changes == {}


@pytest.mark.parametrize(("status", "goes"), [(10, True), (50, True), (55, True), (85, True), (60, False), (70, False)])
def test_only_four_statuses_may_travel(status: int, goes: bool) -> None:
    outcome = World(connected()).does("push #42 to betaspace", found(item(status=status)))
    assert (outcome is None) is goes


def test_an_item_of_a_third_space_through_a_split_is_refused_too() -> None:
    phrase = World(connected()).says("push #42 to betaspace", found(item(), tainted=((42, "gammaspace"),)))
    assert phrase.name == "may_not_go_on"
    assert phrase.about["destination"] == "Beta Space"


def test_an_allocated_item_says_how_much_is_free() -> None:
    phrase = World(connected()).says("push #42 4 to betaspace", found(item(quantity="5", allocated=Decimal(2))))
    assert (phrase.about["wanted"], phrase.about["available"]) == (Decimal(4), Decimal(3))


def test_an_offered_item_is_not_offered_twice() -> None:
    world = World(connected(), pushed(quantity="100"))
    phrase = world.says("push #42 30 to betaspace", found(item(quantity="120")))
    assert phrase.name == "offered_already"
    assert phrase.about["available"] == Decimal(20)
    assert [transfer.code for transfer in phrase.about["transfers"]] == [pushed().code]
    assert world.does("push #42 20 to betaspace", found(item(quantity="120"))) is None


@pytest.mark.parametrize(
    "earlier",
    [
        pushed(state=TransferState.DONE),
        pushed(state=TransferState.DECLINED),
        pushed(state=TransferState.DEBITING, progress=(Progress(1, "taken", item=77),)),
        pushed(state=TransferState.SENT, progress=(Progress(1, "handed", item=42),)),
        pushed(state=TransferState.DEBITING, progress=(Progress(1, failed="changed"),)),
    ],
)
def test_finished_transfers_and_those_that_have_left_the_item_do_not_count(earlier: Transfer) -> None:
    assert World(connected(), earlier).does("push #42 120 to betaspace", found(item(quantity="120"))) is None


def test_the_same_item_twice_in_a_line_is_summed_up() -> None:
    world = World(connected())
    phrase = world.says("push 70 #42 + 60 M3-BOLT to betaspace", found(item()), found(item()))
    assert phrase.name == "offered_already"
    assert phrase.about["available"] == Decimal(50)
    assert world.effects == []


@pytest.mark.parametrize(
    ("quantity", "name"),
    [
        ("0", "quantity_not_positive"),
        ("-1", "quantity_not_positive"),
        ("0.000001", "quantity_too_fine"),
        ("10000000000", "quantity_too_large"),
    ],
)
def test_a_quantity_that_inventree_can_not_store_is_refused_before_it_is_queried(quantity: str, name: str) -> None:
    asked = World(connected()).asks(f"push #42 {quantity} to betaspace")
    assert isinstance(asked, Phrase)
    assert asked.name == name


def test_an_unknown_item_is_answered_with_similar_ones() -> None:
    world = World(connected())
    world.does("push M3-BLOT 10 to betaspace", found(parts=(BOLT,)))
    (post,) = world.posts
    assert post.phrase == Phrase(messages.offer.similar_parts, {"word": "M3-BLOT", "parts": (BOLT,)})
    assert [choice.lines for choice in world.turn.all(PendingChoice)] == [("!fed push 10 M3-BOLT to betaspace",)]


def test_a_part_without_stock_is_not_called_unknown() -> None:
    phrase = World(connected()).says("push m3-bolt to betaspace", found(parts=(BOLT,)))
    assert phrase.name == "nothing_in_stock"


# --- choosing the item ---


def choices(world: World) -> tuple[str, ...]:
    (question,) = world.turn.all(PendingChoice)
    return question.lines


def test_several_stock_items_are_listed_and_a_number_stands_for_a_whole_line() -> None:
    world = World(connected())
    lying = found(item(12, "120"), item(13, "90"))
    assert world.does('push 10 M3-BOLT to Beta Space --note say "hi"', lying) is None
    (post,) = world.posts
    assert (post.phrase.name, post.reply_to) == ("which_item", "$line")
    assert choices(world) == (
        "!fed push 10 #12 to betaspace --note 'say \"hi\"'",
        "!fed push 10 #13 to betaspace --note 'say \"hi\"'",
    )


def test_if_no_item_has_the_quantity_the_one_choice_is_all_of_it_from_several() -> None:
    world = World(connected())
    assert world.does("push 200 M3-BOLT to betaspace", found(item(12, "90"), item(13, "120"))) is None
    assert choices(world) == ("!fed push 120 #13 + 80 #12 to betaspace",)
    (post,) = world.posts
    assert [lying.quantity for lying in post.phrase.about["together"]] == [Decimal(120), Decimal(80)]


def test_a_choice_can_be_typed_and_does_what_it_says() -> None:
    world = World(connected())
    world.does("push 200 M3-BOLT to betaspace", found(item(12, "90"), item(13, "120")))
    line = choices(world)[0].removeprefix("!fed ")
    again = World(connected())
    assert again.does(line, found(item(13, "120")), found(item(12, "90"))) is None
    assert [(each.item, each.quantity) for each in offered(again).terms.lines] == [
        (13, Decimal(120)),
        (12, Decimal(80)),
    ]


def test_the_other_lines_of_a_choice_stay_as_they_were() -> None:
    world = World(connected())
    two = found(item(12), item(13))
    text = 'push 3 #42 + 10 M3-BOLT + "Laser lens 2" + 5 mm plate + 7 8 to betaspace'
    nothing = [found() for _ in range(6)]
    assert world.does(text, found(item(42, part=NUT)), two, *nothing) is None
    assert choices(world)[1] == '!fed push 3 #42 + 10 #13 + "Laser lens 2" + 5 mm plate + 7 8 to betaspace'
    before, after = world.command(text), world.command(choices(world)[1].removeprefix("!fed "))
    assert after.arguments["lines"][2:] == before.arguments["lines"][2:]


def test_items_that_may_not_go_are_not_among_the_choices() -> None:
    world = World(connected())
    lying = found(item(12, status=65), item(13), item(14))
    assert world.does("push 10 M3-BOLT to betaspace", lying) is None
    assert choices(world) == ("!fed push 10 #13 to betaspace", "!fed push 10 #14 to betaspace")


def test_the_only_item_that_may_go_is_taken() -> None:
    world = World(connected())
    assert world.does("push 10 M3-BOLT to betaspace", found(item(12, status=65), item(13))) is None
    assert offered(world).terms.lines[0].item == 13


def test_if_none_of_several_may_go_each_reason_is_given() -> None:
    phrase = World(connected()).says("push M3-BOLT to betaspace", found(item(12, status=65), item(13, in_stock=False)))
    assert phrase.name == "no_item_fits"
    assert [(lying.pk, why.name) for lying, why in phrase.about["unfit"]] == [
        (12, "status_may_not_travel"),
        (13, "item_not_in_stock"),
    ]


def test_a_name_with_a_number_means_the_one_that_exists() -> None:
    lens = replace(BOLT, name="Laser lens 2", ipn="")
    world = World(connected())
    assert world.does("push Laser lens 2 to betaspace", found(), found(item(9, "4", lens))) is None
    assert offered(world).terms.lines[0].quantity == Decimal(4)
    world = World(connected())
    assert world.does("push Laser lens 2 to betaspace", found(item(8, "4", lens)), found()) is None
    assert offered(world).terms.lines[0].quantity == Decimal(2)


def test_a_name_with_a_number_is_asked_about_if_both_exist() -> None:
    world = World(connected())
    answers: list[ItemsFound] = [found(item(8, "4")), found(item(9, "6"))]
    assert world.does("push Laser lens 2 to betaspace", *answers) is None
    assert world.posts[0].phrase.name == "which_reading"
    assert choices(world) == ("!fed push 2 #8 to betaspace", "!fed push 6 #9 to betaspace")


def test_a_person_of_two_spaces_chooses_as_one_of_us() -> None:
    claimed = replace(announcement("betaspace", "@fed-beta:example.org", "Beta Space"))
    party = replace(claimed.parties[0], people=(ANNA,))
    world = World(connected(), replace(claimed, parties=(party,)))
    world.does("push 10 M3-BOLT to betaspace", found(item(12), item(13)))
    assert choices(world)[0] == "!fed as attraktor push 10 #12 to betaspace"


# --- choosing the receiver ---


@pytest.mark.parametrize(
    ("connection", "name"),
    [
        (connected(ConnectionState.ASKED), "connection_not_active"),
        (connected(ConnectionState.MAKING), "connection_not_active"),
        (connected(ConnectionState.SUSPENDED), "needs_review"),
        (connected(ConnectionState.DECLINED), "not_friends"),
        (connected(ConnectionState.ENDED), "not_friends"),
        (connected(room=OTHER_ROOM), "connection_elsewhere"),
    ],
)
def test_nothing_is_offered_without_an_active_connection_in_this_room(connection: Connection, name: str) -> None:
    asked = World(connection).asks("push #42 to betaspace")
    assert isinstance(asked, Phrase)
    assert asked.name == name


def test_a_connection_that_ended_while_inventree_was_queried_stops_the_offer() -> None:
    world = World(connected())
    command = world.command("push #42 to betaspace")
    assert world.verbs.ask(world.turn, command) == (FindItems("#42", merges=True, whole=True),)
    world.turn.save(connected(ConnectionState.SUSPENDED))
    phrase = world.verbs.act(world.turn, command, (found(item()),))
    assert phrase is not None
    assert phrase.name == "needs_review"
    assert world.effects == []


def test_a_typo_in_a_spaces_name_is_answered_with_similar_ones() -> None:
    asked = World(connected()).asks("push #42 to btea space")
    assert asked == Phrase(
        messages.line_errors.no_such_space,
        {
            "word": "btea space",
            "near": ("Beta Space",),
            "known": ("Beta Space", "gammaspace"),
            "line": "push #42 to betaspace",
        },
    )


def test_two_spaces_of_one_name_are_told_apart_by_their_ids() -> None:
    world = World(connected(), announcement("gammaspace", GAMMA_BOT, "Beta Space"))
    asked = world.asks("push #42 to beta space")
    assert asked == Phrase(
        messages.line_errors.several_spaces, {"word": "beta space", "spaces": ("betaspace", "gammaspace")}
    )


def test_nothing_is_given_to_oneself() -> None:
    assert World(connected()).asks("push #42 to Attraktor") == Phrase(messages.line_errors.that_is_us, {"us": HOME})


def test_an_offer_that_is_too_large_for_a_message_is_refused() -> None:
    world = World(connected())
    phrase = world.says("push #42 to betaspace", found(item(metadata="x" * 40_000)))
    assert phrase.name == "offer_too_large"
    assert not [effect for effect in world.effects if isinstance(effect, SendEnvelope)]


def test_a_choice_is_forgotten_with_the_turn_if_nothing_is_committed() -> None:
    world = World(connected())
    world.does("push 10 M3-BOLT to betaspace", found(item(12), item(13)))
    assert Turn(world.state, NOW).all(PendingChoice) == []
