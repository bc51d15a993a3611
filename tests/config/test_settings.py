"""The effect of loaded settings."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from fedbot.config.loading import load
from fedbot.config.settings import Pages, Settings
from fedbot.edge_settings import inventory_settings
from fedbot.rules.model.care import Care
from fedbot.rules.model.lending import LendingRule
from fedbot.rules.model.party_config import PartyConfig
from tests.config.conftest import ENVIRONMENT, TOKEN, Write, least

ROOT = Path(__file__).parents[2]


def test_the_least_settings_give_the_rules_their_defaults(write: Write) -> None:
    us = load(write(least()), ENVIRONMENT).party_config("ab12")
    assert us == PartyConfig(
        reconcile_at=time(3, 30),
        look_every=timedelta(days=1),
        party="attraktor",
        name="Attraktor e.V. (attraktor)",
        bot="@bot:example.org",
        key="ab12",
        people={"@anna:example.org": "anna"},
        rooms=("!room",),
        inventory_url="https://inventree.example.org",
        inventory_api="https://inventree.example.org",
    )


def test_every_setting_that_the_rules_use_reaches_them(write: Write) -> None:
    raw = least()
    raw["party"] |= {
        "language": "de",
        "time_zone": "Europe/Berlin",
        "discoverable": False,
        "peer_access": "direct",
    }
    raw["rooms"] = ["!room", "#lending:example.org"]
    raw["admin_room"] = "#admin:example.org"
    raw["inventree"]["admin_token"] = "${TOKEN}"
    raw["rules"] = {
        "grace_seconds": 1.5,
        "request_open_days": 3,
        "parcel_reminder_days": 4,
        "self_approval": True,
        "line_too_old_minutes": 2,
        "connects_a_day": 9,
        "connects_a_day_per_peer": 8,
        "questions_an_hour_per_peer": 7,
        "quiet_from": "21:30",
        "quiet_until": "9:05",
        "resend_seconds": [1, 2.5],
    }
    raw["high_value"] = {
        "from_value": 500,
        "currency": "EUR",
        "without_price": "low",
        "parts": ["LENS-2"],
        "categories": ["Laser"],
        "locations": ["Safe"],
        "taken_in": True,
        "typed_code": False,
    }
    raw["lending"] = [
        {
            "parts": ["LENS-2"],
            "categories": ["Laser"],
            "locations": ["Safe"],
            "spaces": ["betaspace"],
            "longest_days": 14,
            "extensions": 0,
            "agree": "laser safety briefing needed",
            "photo_out": True,
            "photo_back": True,
            "two_people": True,
        },
        {"longest_days": 60},
    ]
    ids = {"#lending:example.org": "!lending", "#admin:example.org": "!admin"}
    assert load(write(raw), ENVIRONMENT).party_config("ab12", ids) == PartyConfig(
        reconcile_at=time(3, 30),
        look_every=timedelta(days=1),
        party="attraktor",
        name="Attraktor e.V. (attraktor)",
        bot="@bot:example.org",
        key="ab12",
        people={"@anna:example.org": "anna"},
        rooms=("!room", "!lending"),
        admin_room="!admin",
        language="de",
        time_zone="Europe/Berlin",
        discoverable=False,
        peer_access="direct",
        inventory_url="https://inventree.example.org",
        inventory_api="https://inventree.example.org",
        has_admin_token=True,
        self_approval=True,
        care=Care(
            from_value=Decimal(500),
            currency="EUR",
            is_dear_without_price=False,
            parts=("LENS-2",),
            categories=("Laser",),
            locations=("Safe",),
            taken_in=True,
            typed_code=False,
        ),
        lending=(
            LendingRule(
                parts=("LENS-2",),
                categories=("Laser",),
                locations=("Safe",),
                spaces=("betaspace",),
                longest=14,
                extensions=0,
                agree="laser safety briefing needed",
                photo_out=True,
                photo_back=True,
                two_people=True,
            ),
            LendingRule(longest=60),
        ),
        grace=timedelta(seconds=1.5),
        request_open_for=timedelta(days=3),
        parcel_reminder=timedelta(days=4),
        line_too_old_after=timedelta(minutes=2),
        quiet_from=time(21, 30),
        quiet_until=time(9, 5),
        connects_a_day=9,
        connects_a_day_per_peer=8,
        questions_an_hour_per_peer=7,
        resend_after=(timedelta(seconds=1), timedelta(seconds=2.5)),
    )


def test_settings_do_not_change_after_they_were_read(write: Write) -> None:
    settings = load(write(least()), ENVIRONMENT)
    with pytest.raises(ValidationError, match="frozen"):
        settings.admin_room = "!other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.party.id = "other"  # type: ignore[misc]


def test_no_secret_shows_when_settings_are_printed(write: Write) -> None:
    settings = load(write(least()), ENVIRONMENT)
    assert set(settings.secrets()) == {"correct horse", TOKEN}
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "correct horse" not in shown
        assert TOKEN not in shown


def test_relative_paths_count_from_the_folder_of_the_settings(write: Write, tmp_path: Path) -> None:
    assert load(write(least()), ENVIRONMENT).state == tmp_path / "state"
    assert load(write(least() | {"state": "/var/lib/fedbot"}), ENVIRONMENT).state == Path("/var/lib/fedbot")


def test_the_environment_may_set_the_default_state_folder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDBOT_STATE", "/var/lib/fedbot")
    assert load(write(least()), ENVIRONMENT).state == Path("/var/lib/fedbot")
    assert load(write(least() | {"state": "/elsewhere"}), ENVIRONMENT).state == Path("/elsewhere")


def _everything(model: type[BaseModel], path: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        of_list = get_args(inner)[0] if get_origin(inner) is tuple else None  # one entry of a list of sections
        inner = of_list if isinstance(of_list, type) and issubclass(of_list, BaseModel) else inner
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _everything(inner, f"{path}{name}.")
        else:
            found.append((f"{path}{name}", field.description))
    return found


@pytest.mark.parametrize(("setting", "description"), _everything(Settings))
def test_every_setting_is_explained_in_the_docs_in_the_words_of_the_code(setting: str, description: str) -> None:
    docs = (ROOT / "docs/configuration.md").read_text()
    row = next((line for line in docs.splitlines() if line.startswith(f"| `{setting}` |")), "")
    assert row, f"docs/configuration.md has no row for {setting}"
    assert description in row


@pytest.mark.parametrize("setting", [name for name, _ in _everything(Settings)])
def test_every_setting_is_in_the_example(setting: str) -> None:
    word = setting.rsplit(".", maxsplit=1)[-1]
    if word in {"password", "access_token", "token", "admin_token", "sealing_key"}:
        word += "_file"  # a newcomer shouldn't see secrets written into the settings
    lines = (ROOT / "config.example.yaml").read_text().splitlines()
    assert any(line.lstrip("# ").startswith(f"{word}:") for line in lines)


def test_the_token_files_are_known_to_the_code_that_renews_them(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("inv-1\n")
    raw = least()
    del raw["inventree"]["token"]
    raw["inventree"] |= {"token_file": "token", "admin_token": "${TOKEN}"}
    known = inventory_settings(load(write(raw), ENVIRONMENT))
    assert known.token.get_secret_value() == "inv-1"
    assert known.token_file == tmp_path / "token"
    assert known.admin_token_file is None


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9:81", True),
        ("[::1]", True),
        ("localhost", True),
        ("127.evil.example", False),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
    ],
)
def test_pages_without_https_are_for_this_machine_alone(host: str, *, is_here: bool) -> None:
    url = f"http://{host}"
    if is_here:
        assert Pages(listen="127.0.0.1:8321", url=url).url == url
    else:
        with pytest.raises(ValidationError, match="write https://; only on this machine itself"):
            Pages(listen="127.0.0.1:8321", url=url)
