"""People are added, removed and greeted, and settings are reloaded, while the bot runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from fedbot.config.loading import load
from fedbot.engine.bot import watch_settings
from fedbot.engine.summary import summary
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.dialogue.test_encrypted_rooms import ENCRYPTION
from tests.dialogue.test_room_upgrades import upgrade
from tests.fakes.people import Person, RoomView
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

MIA = "@mia:twin.test"


async def with_mia(world: World) -> Person:
    """Mia is in the shared room and belongs to no space; attraktor's admin room is encrypted."""
    mia = world.newcomer("mia")
    world.anna.sets("m.room.encryption", ENCRYPTION, room=world.alpha_admins.id)
    await world.settle()
    return mia


async def in_the_admin_room(world: World, line: str, who: Person | None = None) -> str:
    """The answer to a line of Anna's (or somebody's) there."""
    said = (who or world.anna).says(f"!fed {line}", room=world.alpha_admins.id)
    await world.settle()
    answers = world.alpha_admins.answers(said)
    assert len(answers) == 1, world.alpha_admins.transcript()
    return answers[0].text


async def answered(world: World, person: Person, line: str) -> list[str]:
    """All answers to a line in the shared room."""
    said = person.says(f"!fed {line}")
    await world.settle()
    return [answer.text for answer in world.room.answers(said)]


async def test_a_superuser_adds_a_person_who_is_greeted_and_served_and_removes_them_again() -> None:
    world = await friends()
    mia = await with_mia(world)
    assert "I don't know you yet" in (await answered(world, mia, "todo"))[0]
    assert await in_the_admin_room(world, f"people add {MIA} as kim") == (
        f"✅ {MIA} is user kim of Attraktor now.\n"
        "InvenTree decides what they can do. I tell them after their first line.\n"
        f"To undo it: !fed people remove {MIA}"
    )
    for _ in range(2):
        assert "Nothing is waiting for you here" in (await answered(world, mia, "todo"))[0]
        (greeting,) = told(world.room, "Hello Mia")  # they are greeted once
    assert greeting.text.startswith(
        "Hello Mia: you are user kim of Attraktor.\nYou are neither an approver nor a superuser"
    )
    assert MIA in world.beta.turn.announcements(world.room.id)[0].parties[0].people, "and the others are told"
    assert "Mia (kim): can request, added here" in await in_the_admin_room(world, "people")
    await world.alpha.restart()
    assert "Nothing is waiting" in (await answered(world, mia, "todo"))[0], "a restart forgets nobody"
    await in_the_admin_room(world, f"people remove {MIA}")
    assert not any("Nothing is waiting" in text for text in await answered(world, mia, "todo"))
    assert await in_the_admin_room(world, "people remove @kim:twin.test") == (
        "✅ @kim:twin.test doesn't belong to Attraktor any more.\n"
        "I do nothing for them from now on. Their InvenTree user stays as it is.\n"
        "My settings file still names them. Remove them there too: a rebuilt bot reads only that file."
    )
    assert not any("Nothing is waiting" in text for text in await answered(world, world.kim, "todo"))
    assert "Removed here, though my settings name them: @kim:twin.test" in await in_the_admin_room(world, "people")
    await in_the_admin_room(world, "people add @kim:twin.test as kim")
    assert "Nothing is waiting" in (await answered(world, world.kim, "todo"))[0]


async def test_only_a_superuser_adds_people_only_encrypted_and_only_in_the_admin_room() -> None:
    world = await friends()
    mia = world.newcomer("mia")
    line = f"people add {MIA} as anna"
    assert "where messages are encrypted" in await in_the_admin_room(world, line), "the room isn't encrypted yet"
    assert "where messages are encrypted" in (await answered(world, world.anna, line))[0]
    world.anna.sets("m.room.encryption", ENCRYPTION, room=world.alpha_admins.id)
    world.anna.sets("m.room.encryption", ENCRYPTION)
    await world.settle()
    assert "counts only in the admin room" in (await answered(world, world.anna, line))[0]
    world.anna.app_encrypts = False
    assert "I did nothing" in await in_the_admin_room(world, line), "whoever runs the homeserver may have written it"
    world.anna.app_encrypts = True
    for person in (world.piet, world.kim):
        world.anna.invites(person.user_id, room=world.alpha_admins.id)
        world.server.join(person.user_id, world.alpha_admins.id)
        assert "superuser" in await in_the_admin_room(world, line, person)
    for wrong, why in (
        (f"people add {MIA}", "which InvenTree user is that?"),
        ("people add mia as kim", "isn't a Matrix id"),
        (f"people add {MIA} as nobody", "has no user nobody"),
        ("people add @piet:twin.test as kim", "my settings say that @piet:twin.test is the user piet"),
        (f"people add {world.beta.chat.user_id} as kim", "is a bot"),
        ("people remove @anna:twin.test", "you can't remove yourself"),
        (f"people remove {MIA}", "doesn't belong to Attraktor"),
        ("people befriend", "befriend"),
    ):
        assert why in await in_the_admin_room(world, wrong)
    assert world.alpha.turn.us.people == world.alpha.us.people
    assert not any("Nothing is waiting" in text for text in await answered(world, mia, "todo"))


def tells(world: World, content: dict[str, object]) -> str:
    """Anna sends this into her admin room, encrypted if it is."""
    return world.anna.sends("m.room.message", content, room=world.alpha_admins.id)


async def test_no_edit_quote_reply_or_thread_of_an_encrypted_line_adds_anybody() -> None:
    world = await friends()
    mia = await with_mia(world)
    line = f"!fed people add {MIA} as anna"
    harmless = world.anna.says("hello", room=world.alpha_admins.id)
    text: dict[str, object] = {"msgtype": "m.text", "body": f"* {line}"}
    replaces = {"m.relates_to": {"rel_type": "m.replace", "event_id": harmless}}
    tells(world, {**text, "m.new_content": {"msgtype": "m.text", "body": line}, **replaces})
    world.anna.app_encrypts = False  # what a homeserver can write in her name
    tells(world, {"msgtype": "m.text", "body": line})
    tells(world, {**text, "m.new_content": {"msgtype": "m.text", "body": line}, **replaces})
    answers = {"m.relates_to": {"m.in_reply_to": {"event_id": harmless}}}
    tells(world, {"msgtype": "m.text", "body": f"> <@anna:twin.test> {line}\n\n{line}", **answers})
    thread = {"rel_type": "m.thread", "event_id": harmless, "m.in_reply_to": {"event_id": harmless}}
    tells(world, {"msgtype": "m.text", "body": line, "m.relates_to": thread})
    world.anna.app_encrypts = True
    tells(world, {"msgtype": "m.text", "body": f"> <@anna:twin.test> {line}\n\nno", **answers})
    tells(world, {"msgtype": "m.notice", "body": line})
    chat = world.anna.opens_direct_chat(world.alpha.chat.user_id)
    await world.settle()
    world.anna.sets("m.room.encryption", ENCRYPTION, room=chat.id)
    await world.settle()
    world.anna.says(line.removeprefix("!fed "), room=chat.id)
    world.anna.says(line, room=chat.id)
    await world.settle()
    assert world.alpha.turn.us.people == world.alpha.us.people, world.alpha_admins.transcript()
    assert len(told(chat, "counts only in the admin room")) == 2, chat.transcript()
    assert not any("Nothing is waiting" in text for text in await answered(world, mia, "todo"))


async def test_an_admin_room_that_loses_its_encryption_adds_nobody() -> None:
    """In its state, as a homeserver shows it; and by an upgrade, which people with that power may do."""
    world = await friends()
    await with_mia(world)
    line = f"people add {MIA} as anna"
    hidden = [e for e in world.server.log if e["type"] == "m.room.encryption"]
    for event in hidden:
        event["type"] = "org.example.hidden"
    room = world.server.rooms[world.alpha_admins.id]
    for kept in (room.state, room.picture.state):
        kept.pop(("m.room.encryption", ""))
    assert "I did nothing" in await in_the_admin_room(world, line), "the bot knows it as encrypted"
    await world.alpha.restart()
    await world.passes(timedelta(days=1, minutes=1))
    assert "I did nothing" in await in_the_admin_room(world, line), "after a start, too"
    new = world.anna.upgrades(room=world.alpha_admins.id)
    world.anna.invites(world.alpha.chat.user_id, room=new.id)
    await world.settle()
    world.anna.says(f"!fed {line}", room=new.id)
    await world.settle()
    assert world.alpha.turn.us.people == world.alpha.us.people, new.transcript()


async def test_a_person_removed_while_a_decision_or_a_line_runs_decides_nothing() -> None:
    world = await friends()
    mia = await with_mia(world)
    await in_the_admin_room(world, f"people add {MIA} as piet")
    world.bea.says("!fed push N-M3 1 to attraktor")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    mia.reacts(card, "✅")
    await world.settle()
    world.alpha.hangs = True
    line = mia.says("!fed push M3-NUT 5 to betaspace")
    await world.settle()
    order = {"adds": False, "person": MIA, "username": "", "admin": False}
    assert (await world.alpha.bot.orders.taken["people"](order))["problem"] == ""
    world.alpha.hangs = False
    await world.grace()
    assert [transfer.state for transfer in world.alpha.turn.transfers()] == [TransferState.OPEN]
    assert [answer.text.split(",")[0] for answer in world.room.answers(line)] == ["I don't know you yet"]
    assert_books_balance(world)


async def test_an_added_person_approves_nothing_where_any_account_can_give_itself_permissions() -> None:
    pinned = {"pinned_superusers": ("anna",), "pinned_approvers": ("piet",)}
    world = await a_world(alpha=pinned, alpha_version="1.0")
    mia = await with_mia(world)
    assert "only my settings name the approvers" in await in_the_admin_room(world, f"people add {MIA} as piet")
    assert "✅" in await in_the_admin_room(world, f"people add {MIA} as kim")
    await answered(world, mia, "spaces")
    assert "neither an approver nor a superuser" in told(world.room, "Hello Mia")[0].text


async def test_the_command_line_adds_and_removes_people_and_admins() -> None:
    world = await a_world()
    orders = world.alpha.bot.orders.taken["people"]
    order = {"adds": True, "person": MIA, "username": "kim", "admin": True}
    assert await orders(order) == {"problem": "", "told": f"{MIA} belongs to Attraktor."}
    assert "has no user nobody" in (await orders({**order, "username": "nobody"}))["problem"]
    world.alpha.goes_down()
    assert "InvenTree doesn't tell of that user" in (await orders(order))["problem"]
    await world.settle()
    assert told(world.alpha_admins, f"✅ {MIA} is user kim of Attraktor now.")
    assert list(world.alpha.turn.us.admins) == [MIA]
    order = {"adds": False, "person": MIA, "username": "", "admin": False}
    assert (await orders(order))["told"] == f"{MIA} does not belong to Attraktor."
    assert world.alpha.turn.us.people == world.alpha.us.people
    assert not world.alpha.turn.us.admins


async def test_a_first_line_says_who_somebody_is_once_inventree_answers() -> None:
    world = await a_world(newcomers=("@anna:twin.test", "@piet:twin.test"))
    world.alpha.goes_down()
    await answered(world, world.piet, "help")
    await world.passes(timedelta(minutes=6))
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=6))
    assert not told(world.room, "Hello Piet"), "who asked long ago isn't greeted out of the blue"
    await answered(world, world.piet, "help")
    greeting = told(world.room, "Hello Piet")[0].text
    assert "You are an approver there" in greeting
    assert "What you can type" not in greeting, "help has told it"
    await answered(world, world.anna, "whoami")
    await answered(world, world.anna, "help")
    assert not told(world.room, "Hello Anna"), "whoami has told it"


async def test_a_bot_greets_each_of_its_rooms_once() -> None:
    world = await a_world(newcomers=("@anna:twin.test",), alpha={"admins": ("@root:twin.test",)})
    (greeting,) = told(world.room, "the bot of Attraktor")
    assert greeting.text == (
        "Hello, I am the bot of Attraktor: I lend, give and request items for it.\n"
        "If you belong to Attraktor, type !fed help first.\n"
        "My admins: root and Anna."
    )
    assert greeting.is_notice
    assert told(world.alpha_admins, "this is my admin room")
    await world.alpha.restart()
    world.anna.kicks(world.alpha.chat.user_id)
    await world.settle()
    world.anna.invites(world.alpha.chat.user_id)
    await world.settle()
    await upgrade(world, *world.spaces)
    await world.settle()
    everything = [told(RoomView(world.server, room), "the bot of Attraktor") for room in world.server.rooms.values()]
    assert sum(map(len, everything)) == 1


async def test_events_are_logged_in_one_line_each_and_a_start_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.grace()
    world.alpha.goes_down()
    await answered(world, world.anna, "stats")
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=10))
    code = world.alpha.transfer().code
    happened = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    for expected in (
        "typed !fed push",
        f"push {code}",
        "approved it",
        "InvenTree does not answer",
        "InvenTree answers again",
    ):
        assert expected in happened
    states = [
        vars(r)["state"] for r in caplog.records if r.getMessage() == f"push {code}" and vars(r)["peer"] == "betaspace"
    ]
    assert states[0] == "open"
    assert states[-1] == "done"
    text = str(summary(world.alpha.bot.engine))
    assert text.startswith("fedbot ")
    assert "speaks for Attraktor as @attraktor-bot:twin.test." in text
    assert "InvenTree  1" in text
    assert "Rooms      Makerspaces (" in text
    assert "Friends    betaspace" in text
    assert "Waiting    no transfers, no messages and steps" in text
    assert "Pages      off" in text


def written(world: World, folder: Path) -> Path:
    """Attraktor's settings as a file."""
    file = folder / "config.yaml"
    content = {
        "party": {"id": "attraktor", "name": "Attraktor"},
        "matrix": {"homeserver": "https://twin.test", "user": world.alpha.chat.user_id, "password": "secret-enough"},
        "rooms": [world.room.id],
        "admin_room": world.alpha_admins.id,
        "people": dict(world.alpha.us.people),
        "inventree": {
            "url": "http://attraktor.test",
            "token": world.alpha.seeded.token("fedbot"),
            "admin_token": world.alpha.seeded.token("admin"),
            "approvers_group": "fedbot approvers",
        },
        "state": str(folder / "state"),
    }
    file.write_text(yaml.safe_dump(content))
    file.chmod(0o600)
    return file


async def test_a_settings_file_that_changed_while_the_bot_started_is_used(tmp_path: Path) -> None:
    """A start may take long, for example until the homeserver answers."""
    world = await friends()
    mia = world.newcomer("mia")
    file = written(world, tmp_path)
    settings = load(file)
    file.write_text(file.read_text().replace("people:\n", f"people:\n  '{MIA}': kim\n"))
    watch = watch_settings(settings, world.alpha.bot, world.alpha.inventory)
    for _ in range(2):
        await watch.look()
    await world.settle()
    assert told(world.alpha_admins, "I have read my settings again.\nChanged: people")
    assert "Nothing is waiting" in (await answered(world, mia, "todo"))[0]


async def test_a_changed_settings_file_is_used_at_once_and_a_faulty_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = await friends()
    mia = world.newcomer("mia")
    file = written(world, tmp_path)
    watch = watch_settings(load(file), world.alpha.bot, world.alpha.inventory)

    async def changes(old: str, new: str) -> None:
        file.write_text(file.read_text().replace(old, new, 1))
        for _ in range(3):
            await watch.look()
        await world.settle()

    await changes("people:\n", f"people:\n  '{MIA}': kim\n")
    assert told(world.alpha_admins, "I have read my settings again.\nChanged: people")
    assert "Nothing is waiting" in (await answered(world, mia, "todo"))[0]
    await changes("people:\n", "poeple:\n")
    assert "poeple" in told(world.alpha_admins, "has a fault, so I don't use it")[0].text
    assert "the settings file has a fault" in caplog.text
    assert "Nothing is waiting" in (await answered(world, mia, "todo"))[0], "everything goes on as before"
    await changes("poeple:\n", "people:\n")
    assert len(told(world.alpha_admins, "I have read my settings again")) == 1, "it says again what is in use already"
    await changes("  name: Attraktor\n", "  name: Attraktor\n  language: de\n")
    assert "wartet" in (await answered(world, mia, "todo"))[0]
    world.alpha.chat.is_unreachable = True
    await changes(f"- '{world.room.id}'", "- '#nowhere:twin.test'")
    world.alpha.chat.is_unreachable = False
    await watch.look()  # a failed lookup is tried again
    await world.settle()
    assert "there is no such room" in world.alpha_admins.messages()[-1].text
    await changes("- '#nowhere:twin.test'", f"- '{world.room.id}'")
    await changes(f"  '{MIA}': kim\n", "")
    await changes("password: secret-enough", "password: another-secret")
    assert "matrix.password" in world.alpha_admins.messages()[-1].text
    assert "another-secret" not in world.alpha_admins.transcript() + caplog.text
    assert not any("wartet" in text for text in await answered(world, mia, "todo"))
    assert world.alpha.connection().state is ConnectionState.ACTIVE
    await world.passes(timedelta(minutes=5))
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)
