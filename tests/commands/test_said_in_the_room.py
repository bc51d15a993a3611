"""Lines from the room through `decide`: the verbs keep their promises to the rules."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.dispatch import decide
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask, Post
from fedbot.rules.model.events import Answered, Posted, Said, Unanswered
from fedbot.rules.model.queries import Able, Answer, AuditOf, AuditTrail, FindItems, PersonPermissions
from fedbot.rules.state import Turn
from tests.commands.worlds import ANNA, KIM, NOW, PLAIN, ROOM, SUPERUSER, World, connected, found, item


def said(world: World, text: str, event: str = "$line", sender: str = ANNA, reply_to: str = "") -> Turn:
    turn = decide(world.state, Said(ROOM, event, sender, NOW, text, reply_to=reply_to), world.verbs, NOW)
    world.archive.commits(world.state, turn)
    return turn


def answered(world: World, before: Turn, *answers: Answer) -> Turn:
    (asked,) = [effect for effect in before.effects if isinstance(effect, Ask)]
    assert len(answers) == len(asked.questions), asked.questions
    turn = decide(world.state, Answered(NOW, asked.then, answers), world.verbs, NOW)
    world.archive.commits(world.state, turn)
    return turn


def posts(turn: Turn) -> list[str]:
    return [effect.phrase.name for effect in turn.effects if isinstance(effect, Post)]


RIGHTS = (SUPERUSER, Able(("anna",)))


def test_a_number_as_a_reply_to_the_list_offers_the_chosen_item() -> None:
    world = World(connected())
    listed = answered(world, said(world, "!Fed push 10 M3-BOLT to Beta Space"), *RIGHTS, found(item(12), item(13)))
    assert posts(listed) == ["which_item"]
    (post,) = [effect for effect in listed.effects if isinstance(effect, Post)]
    world.archive.posts["$list"] = post.key
    world.state.apply(decide(world.state, Posted(NOW, post.key, ROOM, "$list"), world.verbs, NOW))
    picked = said(world, "2", "$number", reply_to="$list")
    (asked,) = [effect for effect in picked.effects if isinstance(effect, Ask)]
    assert asked.questions[2:] == (FindItems("#13", merges=True, whole=True),)
    done = answered(world, picked, *RIGHTS, found(item(13)))
    assert posts(done) == ["transfer_offered"]
    (transfer,) = world.turn.transfers()
    assert (transfer.terms.lines[0].item, transfer.asked.event_id) == (13, "$number")


def test_a_person_who_is_no_approver_offers_nothing() -> None:
    world = World(connected())
    turn = answered(world, said(world, "!fed push #42 to betaspace", sender=KIM), PLAIN, Able(("anna",)), found(item()))
    assert posts(turn) == ["not_entitled"]
    assert world.turn.transfers() == []


def test_every_unreadable_line_gets_exactly_one_answer() -> None:
    world = World(connected())
    for number, text in enumerate(
        ["!fed pusch", "!fed push", "!fed push 1.000 #4 to beta", "!fed cancel zzzz", "!fed"]
    ):
        turn = said(world, text, f"$line{number}")
        if any(isinstance(effect, Ask) for effect in turn.effects):  # existing ids are shown to active users only
            assert posts(turn) == []
            turn = answered(world, turn, PLAIN)
        assert len(posts(turn)) == 1, text
        assert [effect.reply_to for effect in turn.effects if isinstance(effect, Post)] == [f"$line{number}"]


def test_status_is_answered_while_inventree_is_silent_and_other_verbs_say_that_it_is() -> None:
    world = World(connected())
    cases = ("!fed status", "status"), ("!fed whoami", "whoami_without_permissions"), ("!fed todo", "inventory_silent")
    for text, name in cases:
        turn = said(world, text, f"$ {text}")
        (asked,) = [effect for effect in turn.effects if isinstance(effect, Ask)]
        assert asked.or_not is not None
        turn = decide(world.state, Unanswered(NOW, asked.or_not, Plain(Fault.SILENT)), world.verbs, NOW)
        assert posts(turn) == [name]


def test_a_transfer_is_shown_to_people_whom_inventree_calls_active() -> None:
    world = World(connected())
    before = Turn(world.state, NOW)
    down = before.status()
    before.save(type(down)(inventory_down_since=NOW - timedelta(hours=1)))
    world.archive.commits(world.state, before)
    asked = said(world, f"!fed show {connected().code}")
    questions = [PersonPermissions("anna"), AuditOf(connected().id)]
    assert [list(e.questions) for e in asked.effects if isinstance(e, Ask)] == [questions]
    told = answered(world, asked, PLAIN, AuditTrail())
    assert posts(told) == ["shown"]
    assert Turn(world.state, NOW).status().inventory_down_since is None, "it has told of Anna's rights"


def test_a_reply_to_an_answer_without_a_subject_is_about_the_threads_subject() -> None:
    world = World(connected())
    world.archive.posts |= {"$answer": "answer:-:$x", "$card": f"card:{connected().id}"}
    line = Said(ROOM, "$line", ANNA, NOW, "!fed show", reply_to="$answer", thread="$card")
    turn = decide(world.state, line, world.verbs, NOW)
    questions = (PersonPermissions("anna"), AuditOf(connected().id))
    assert [e.questions for e in turn.effects if isinstance(e, Ask)] == [questions]
