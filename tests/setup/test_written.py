"""The settings file of `fedbot init`: it loads, keeps other settings, and is only written when something changes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from fedbot.config.loading import load
from fedbot.config.values import name_and_id
from fedbot.setup.written import Files, service, unit
from tests.config.conftest import TOKEN, least


def test_other_settings_stay_and_the_former_file_is_kept(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    before = {**least(), "rules": {"grace_seconds": 7}, "web": {"listen": "127.0.0.1:8321"}}
    before["inventree"]["ca_file"] = "gone.crt"
    config.write_text(yaml.safe_dump(before))
    files = Files(config)
    files.keep("inventree", "token_file", TOKEN)
    files.keep("matrix", "password_file", "correct horse")
    asked = {
        "party": {"name": "Attraktor e.V. 🔧"},
        "matrix": {"password": None},
        "people": {"@kim:example.org": "kim"},
        "inventree": {"ca_file": None, "token": None},
        "rules": {"pinned_superusers": ["kim"]},
    }
    assert files.write(asked) == tmp_path / "config.yaml.before-init"
    settings = load(config, {})
    assert (settings.party.id, settings.party.name) == ("attraktor", "Attraktor e.V. 🔧")
    assert (settings.rules.grace_seconds, settings.rules.pinned_superusers) == (7, ("kim",))
    assert (settings.web.listen, settings.people) == ("127.0.0.1:8321", {"@kim:example.org": "kim"})
    assert set(settings.secrets()) == {TOKEN, "correct horse"}
    assert settings.warnings == ()
    for file in (config, *(tmp_path / "secrets").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Files(config)
    written = config.read_text()
    assert again.secret("inventree", "token") == TOKEN
    assert (again.write(asked), config.read_text()) == (None, written)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Attraktor e.V.", ("Attraktor e.V.", "attraktor")),
        ("Hackerspace Möhre gGmbH", ("Hackerspace Möhre gGmbH", "hackerspace-mohre")),
        ("Attraktor e.V. = attrak", ("Attraktor e.V.", "attrak")),
    ],
)
def test_a_name_makes_the_word_that_people_type(said: str, found: tuple[str, str]) -> None:
    assert name_and_id(said) == found
    assert name_and_id(found[0], "as-before") == (found[0], "as-before")


@pytest.mark.parametrize("said", ["", "42", "all", "A = B C"])
def test_a_name_that_makes_no_word_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"write|use|choose"):
        name_and_id(said)


def test_a_container_gets_a_service_for_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedbot.setup.written.is_container", lambda: True)
    made = service(Path("/etc/fedbot/config.yaml"), Path("/var/lib/fedbot"))
    assert made.file.startswith("compose.yaml, beside the folder that is mounted as /etc/fedbot")
    assert (made.start, made.runs_here) == ("docker compose up -d", False)
    written = yaml.safe_load(made.text)
    bot = written["services"]["fedbot"]
    assert bot["command"][-2:] == ["--config", "/etc/fedbot/config.yaml"]
    assert bot["environment"] == {"FEDBOT_STATE": "/var/lib/fedbot"}
    assert bot["restart"] == "on-failure:5"
    assert bot["volumes"] == ["./fedbot:/etc/fedbot", "state:/var/lib/fedbot"]
    assert written["volumes"] == {"state": None}


def test_outside_a_container_the_unit_comes_with_the_command_that_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedbot.setup.written.is_container", lambda: False)
    made = service(Path("/etc/fedbot/config.yaml"), Path("/var/lib/fedbot"))
    assert made.file == "/etc/systemd/system/fedbot.service"
    assert (made.start, made.runs_here) == ("sudo systemctl enable --now fedbot", True)


def test_a_unit_for_a_bot_at_somebodys_home_leaves_it_visible_and_only_its_own_files_writable() -> None:
    home = Path("/home/kim/my bot")
    lines = unit(home / "config.yaml", home / "state", Path("/home/kim/100%/bin/fedbot"), "kim").splitlines()
    assert 'ExecStart=/home/kim/100%%/bin/fedbot run --config "/home/kim/my bot/config.yaml"' in lines
    assert 'Environment="FEDBOT_STATE=/home/kim/my bot/state"' in lines
    assert 'ReadWritePaths="-/home/kim/my bot/secrets" "-/home/kim/my bot/state"' in lines
    assert {"User=kim", "ProtectHome=read-only", "UMask=0077", "CapabilityBoundingSet="} <= set(lines)
    assert not any(line.startswith("StateDirectory") for line in lines), "systemd makes it below /var/lib alone"
