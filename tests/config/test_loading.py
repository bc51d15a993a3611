"""Load settings: the sources of secrets, and the message for each mistake."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused
from tests.config.conftest import ENVIRONMENT, TOKEN, Write, least

EXAMPLE = (Path(__file__).parents[2] / "config.example.yaml").read_text().replace("!replace-with-", "!our-")
"""The example with real rooms in it."""


def complaints(path: Path, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        load(path, ENVIRONMENT if environment is None else environment)
    return [str(problem) for problem in refused.value.problems]


def changed(path: str, value: object) -> dict[str, Any]:
    """The least settings with one of them changed; `path` as in `party.id`."""
    settings = least()
    *sections, word = path.split(".")
    place = settings
    for section in sections:
        place = place.setdefault(section, {})
    place[word] = value
    return settings


# --- the example -------------------------------------------------------------------------------------------


def _fill_in_secrets(folder: Path) -> None:
    (folder / "secrets").mkdir()
    for name in ("matrix-password", "inventree-token", "inventree-admin-token", "ca.crt"):
        file = folder / "secrets" / name
        file.touch(mode=0o600)
        file.write_text(f"the-{name}\n")
    for name, content in (("database-password", "the-password"), ("sealing-key", "ab" * 32)):
        file = folder / "secrets" / name
        file.touch(mode=0o600)
        file.write_text(f"{content}\n")


def test_the_example_is_valid_once_its_secrets_exist(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE)
    _fill_in_secrets(tmp_path)
    settings = load(path, {})
    assert settings.party.id == "attraktor"
    assert set(settings.secrets()) == {"the-matrix-password", "the-inventree-token"}
    assert settings.warnings == ()


def test_settings_that_are_commented_out_in_the_example_are_the_defaults(tmp_path: Path) -> None:
    """Removing the # from every line changes only settings that an admin chooses anyway."""
    lines = EXAMPLE.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("party:"))
    on = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") else line for line in lines[first:]]
    on = [line for line in on if not line.lstrip().startswith("access_token_file")]
    path = tmp_path / "config.yaml"
    _fill_in_secrets(tmp_path)
    path.write_text("\n".join(lines))
    default = load(path, {})
    path.write_text("\n".join(on))
    everything = load(path, {})
    assert everything.matrix.model_dump(exclude={"ca_file"}) == default.matrix.model_dump(exclude={"ca_file"})
    for section in ("party", "rules", "disclose", "stats", "web", "log", "state"):
        assert getattr(everything, section) == getattr(default, section)
    chosen = {"admin_token", "admin_token_file", "ca_file"}
    assert everything.inventree.model_dump(exclude=chosen) == default.inventree.model_dump(exclude=chosen)
    assert everything.admins == ("@root:example.org",)


# --- secrets -----------------------------------------------------------------------------------------------


def test_a_secret_comes_from_a_file_without_the_line_break_at_its_end(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("from-the-file\n")
    raw = least()
    raw["inventree"] = {"url": "https://inventree.example.org", "token_file": "token"}
    settings = load(write(raw), ENVIRONMENT)
    assert settings.inventree.token.get_secret_value() == "from-the-file"
    assert settings.warnings == ()


def test_a_secret_file_that_others_may_read_gets_a_warning(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-the-file")
    file.chmod(0o640)
    raw = least()
    raw["inventree"] = {"url": "https://inventree.example.org", "token_file": "token"}
    [warning] = load(write(raw), ENVIRONMENT).warnings
    assert str(warning) == f"inventree.token_file: {file}: others may read it; chmod 600 {file}"


def test_a_secret_in_the_settings_works_with_a_warning(write: Write) -> None:
    path = write(changed("matrix.password", "correct horse"))
    path.chmod(0o644)
    settings = load(path, ENVIRONMENT)
    assert "correct horse" in settings.secrets()
    warnings = [str(warning) for warning in settings.warnings]
    assert warnings == [
        (
            "matrix.password: a secret in the settings: "
            "write it into a file and give matrix.password_file, or use ${NAME}"
        ),
        f"{path}: holds a secret and others may read it; chmod 600 {path}",
    ]
    assert "correct horse" not in "".join(warnings)


@pytest.mark.parametrize(
    ("section", "content", "said"),
    [
        ("journal", {"url": "postgresql://db/fedbot", "sealing_key": "short"}, "a sealing key has 64 hexadecimal"),
        ("journal", {"url": "postgresql://db/fedbot"}, "write sealing_key_file too"),
        ("journal", {"password": "x"}, "password and sealing_key only count with url"),
        ("pages", {"listen": "127.0.0.1:8322"}, "write url too"),
        ("pages", {"listen": "127.0.0.1:8322", "url": "http://fed.example.org"}, "url: write https://"),
    ],
)
def test_a_mistake_about_several_settings_names_their_section_once(
    write: Write, section: str, content: dict[str, str], said: str
) -> None:
    [complaint] = complaints(write(least() | {section: content}))
    assert complaint.startswith(f"{section}: {said}")


def test_an_environment_variable_that_is_not_set_is_named_once(write: Write) -> None:
    assert complaints(write(least()), {"PASSWORD": "x"}) == [
        "inventree.token: ${TOKEN}: set the environment variable TOKEN before fedbot starts"
    ]
    assert complaints(write(changed("rules.grace_seconds", "${GRACE}"))) == [
        "rules.grace_seconds: ${GRACE}: set the environment variable GRACE before fedbot starts"
    ]


def test_any_setting_may_come_from_the_environment(write: Write) -> None:
    raw = changed("rules.grace_seconds", "${GRACE}") | {"admin_room": "${ROOM}"}
    raw["party"]["name"] = "$${not a variable}"
    settings = load(write(raw), ENVIRONMENT | {"GRACE": "2", "ROOM": "!admin"})
    assert settings.rules.grace_seconds == 2
    assert settings.admin_room == "!admin"
    assert settings.party.name == "${not a variable}"


def test_a_missing_empty_or_unreadable_secret_file_is_reported(write: Write, tmp_path: Path) -> None:
    raw = least()
    raw["inventree"] = {
        "url": "https://inventree.example.org",
        "token_file": "nowhere",
        "admin_token_file": "empty",
    }
    raw["matrix"] |= {"password": None, "password_file": "folder"}
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    assert sorted(complaints(write(raw))) == [
        f"inventree.admin_token_file: {tmp_path}/empty: the file is empty; write the secret into it",
        (f"inventree.token_file: {tmp_path}/nowhere: there is no such file; write the secret into it, mode 0600"),
        (
            f"matrix.password_file: {tmp_path}/folder: can't be read (Is a directory); "
            "make it readable for fedbot's user"
        ),
    ]


@pytest.mark.parametrize(
    ("path", "file"), [("state", "~"), ("matrix.ca_file", "~/ca.pem"), ("inventree.admin_token_file", "~/token")]
)
def test_a_missing_home_folder_is_reported(path: str, file: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a user number without an entry."""

    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    assert "~ leads nowhere here; write the whole path" in "".join(complaints(write(changed(path, file))))


def test_a_secret_given_twice_is_refused(write: Write) -> None:
    assert complaints(write(changed("inventree.token_file", "token"))) == [
        "inventree.token: given twice: keep it or inventree.token_file"
    ]


def test_the_bot_needs_exactly_one_way_to_sign_in(write: Write) -> None:
    assert complaints(write(changed("matrix.password", None))) == [
        "matrix.password_file: missing: write the path of a file with the bot's password, mode 0600"
    ]
    assert complaints(write(changed("matrix.access_token", "${TOKEN}"))) == [
        "matrix: both password and access token: keep one of them"
    ]


def test_no_message_ever_shows_a_secret(write: Write) -> None:
    raw = least()
    raw["matrix"] = {"password": ["hunter2-secret"], "pasword": "hunter2-secret", "user": 1}
    raw["inventree"] = "hunter2-secret"
    assert "hunter2" not in "".join(complaints(write(raw)))


def test_a_broken_line_is_reported_by_its_place_never_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text('matrix:\n  password: "hunter2-secret" x\n')
    [complaint] = complaints(path)
    assert complaint.startswith("line 2, column 30:")
    assert "hunter2" not in complaint


@pytest.mark.parametrize("path", ["matrix.homeserver", "inventree.url", "inventree.public_url"])
def test_an_address_without_tls_gets_a_warning_unless_it_stays_on_the_machine(path: str, write: Write) -> None:
    [warning] = load(write(changed(path, "http://here.lan")), ENVIRONMENT).warnings
    assert str(warning) == f"{path}: http://here.lan: without https, anybody between here and there can read the token"
    assert load(write(changed(path, "http://127.0.0.1:8000")), ENVIRONMENT).warnings == ()


# --- mistakes ----------------------------------------------------------------------------------------------

MISTAKES = [
    (
        "party.id",
        "Attraktor!",
        "'Attraktor!': use lowercase letters, digits and -, beginning with a letter, for example attraktor",
    ),
    (
        "party.id",
        "all",
        "'all': that is a word of the chat commands; choose another id, it is the word people type",
    ),
    ("party.name", 7, "7: write text; put it into quotes"),
    ("party.language", "German", "'German': write the two letters of a language, for example en"),
    (
        "party.time_zone",
        "Europe/Berln",
        "'Europe/Berln': write a time zone by area and city, for example Europe/Berlin",
    ),
    ("party.peer_access", "direkt", "'direkt': write relayed or direct; did you mean direct?"),
    ("party.discoverable", "maybe", "'maybe': write true or false"),
    (
        "matrix.homeserver",
        "matrix.org",
        "'matrix.org': write the whole address, for example https://matrix.org",
    ),
    (
        "inventree.url",
        "https://anna@inventree.org",
        "'https://anna@inventree.org': write the address only, without user, password, ? or #",
    ),
    *(
        ("inventree.url", f"https://{address}", f"'https://{address}': write the whole address")
        for address in ("inventree.org:99999", "inventree.org:port", "[::1", "inventree .org")
    ),
    ("matrix.user", "bot", "'bot': write a Matrix id in quotes, for example '@anna:example.org'"),
    ("rooms", "!room", "'!room': write a list: each entry on a line of its own, beginning with -"),
    ("rooms", [], "write at least one entry"),
    ("rooms", ["lobby"], "'lobby': write a room's id or address in quotes"),
    ("admins", ["anna"], "'anna': write a Matrix id in quotes, for example '@anna:example.org'"),
    (
        "admin_room",
        "lobby",
        "'lobby': write a room's id or address in quotes, for example '!abcdef' or '#lending:example.org'",
    ),
    ("inventree.timeout_seconds", 0, "0: write more than 0"),
    ("rules.grace_seconds", True, "true: write a number, for example 5"),
    ("rules.grace_seconds", -1, "-1: write 0 or more"),
    ("rules.grace_seconds", 301, "301: write 300.0 or less"),
    ("rules.line_too_old_minutes", 1e12, "1000000000000.0: write 525600 or less"),
    ("rules.give_up_minutes", 1e12, "1000000000000.0: write 525600 or less"),
    ("rules.resend_seconds", [60, 1e12], "1000000000000.0: write 31536000 or less"),
    ("inventree.timeout_seconds", 1e12, "1000000000000.0: write 31536000 or less"),
    ("rules.request_open_days", 200, "200: write 62 or less"),
    ("rules.request_open_days", 3.5, "3.5: write a whole number, for example 5"),
    ("rules.quiet_from", "25:00", "'25:00': write a time of day, for example 22:00"),
    ("web.listen", "8321", "'8321': write an IP address and a port in quotes, for example '127.0.0.1:8321'"),
    (
        "inventree.ca_file",
        "nix",
        "'nix': there is no such file; write the path of one, or leave out the setting",
    ),
    ("party.nmae", "x", "no such setting: did you mean party.name?"),
    ("langage", "de", "no such setting: did you mean party.language?"),
    ("source", "x", "no such setting: known here:"),
    (
        "stats.schedule",
        "0 9 * mon",
        ("'0 9 * mon': 4 fields instead of 5; write minute, hour, day, month and weekday, for example '0 9 * * mon'"),
    ),
    ("stats.schedule", "0 9 * * 8", "'0 9 * * 8': '8' isn't a weekday; write minute"),
    ("disclose.room", ["prices"], "'prices': write stats"),
    ("people", {"anna": "anna"}, "'anna': write a Matrix id in quotes, for example '@anna:example.org'"),
]


@pytest.mark.parametrize(("path", "value", "told"), MISTAKES, ids=[f"{path}={value}" for path, value, _ in MISTAKES])
def test_a_mistake_is_reported_with_its_place_the_word_and_what_to_write(
    path: str, value: object, told: str, write: Write
) -> None:
    [complaint] = complaints(write(changed(path, value)))
    assert complaint.startswith(path)
    assert told in complaint


def test_all_mistakes_are_reported_at_once(write: Write) -> None:
    raw = least()
    raw["party"] = {"id": "A", "name": ""}
    raw["rules"] = {"grace_seconds": "soon"}
    del raw["people"], raw["inventree"]["token"]
    assert [complaint.split(":")[0] for complaint in complaints(write(raw))] == [
        "party.id",
        "party.name",
        "people",
        "inventree.token",
        "rules.grace_seconds",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rooms": ["!a", "!a"]}, "rooms: a room is listed twice"),
        ({"admin_room": "!room"}, "admin_room: it must not be one of the rooms shared with others"),
        ({"admins": ["@bot:example.org"]}, "people, admins: @bot:example.org is the bot itself"),
        ({"state": "x" * 120}, "state: the folder's path is too long"),
        ({"rules": {"settle_seconds": 900}}, "rules: settle_seconds must be shorter than give_up_minutes"),
        ({"high_value": {"from_value": 500}}, "high_value: from_value: say too in which currency, and how an item"),
        (
            {"high_value": {"from_value": 500, "currency": "EUR"}},
            "high_value: from_value: say too in which currency, and how an item without a price counts",
        ),
        ({"high_value": {"without_price": "low"}}, "high_value: currency and without_price only count with from_value"),
        ({"lending": [{"parts": ["LENS-2"]}]}, "lending.0: a lending rule has to demand something"),
        ({"lending": [{"agree": "one\ntwo"}]}, "lending.0: agree: write it in one line"),
        ({"rules": {"resend_seconds": [0]}}, "rules: resend_seconds: write 1 second or more"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes: dict[str, Any], told: str, write: Write) -> None:
    [complaint] = complaints(write(least() | changes))
    assert complaint.startswith(told)


# --- YAML --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "people:\n  @anna:x.org: anna\n",
            "line 2, column 3: a value that begins with @, ! or `: put Matrix ids",
        ),
        ("rooms:\n  - !abcdef\n", "line 2, column 5: a value that begins with @, ! or `: put Matrix ids"),
        ("rooms: []\nrooms: []\n", "line 2, column 1: 'rooms' appears here twice: keep one of the two"),
        ("party:\n\tid: x\n", "line 2, column 1: a tab: indent with spaces"),
        ("- party\n", "this holds no settings"),
        ("party: a: b\n", "line 1, column 9:"),
        ("[" * 5000, "this isn't YAML"),
        ("party: \x00\n", "this isn't YAML"),
        ("rules:\n  grace_seconds: " + "9" * 5000, "this isn't YAML"),
        ('party: "\\UFFFFFFFF"\n', "this isn't YAML"),
    ],
)
def test_a_yaml_mistake_is_reported_in_plain_words(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    [complaint] = complaints(path)
    assert complaint.startswith(told)


def test_times_of_day_and_short_words_mean_what_they_say(tmp_path: Path) -> None:
    """PyYAML alone reads 22:00 as 1320, and a space called `no` as false."""
    path = tmp_path / "config.yaml"
    text = yaml.safe_dump(least()) + "rules:\n  quiet_from: 21:00\n  quiet_until: 07:30\n"
    path.write_text(text.replace("id: attraktor", "id: no"))
    settings = load(path, ENVIRONMENT)
    assert settings.party.id == "no"
    assert (settings.rules.quiet_from.hour, settings.rules.quiet_until.minute) == (21, 30)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert complaints(path) == [f"{path}: there is no such file: create it with: fedbot init {path}"]


def test_a_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert complaints(path) == [f"{path}: this isn't UTF-8 text: save it as UTF-8"]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1_000_000_000)


ODD_FILES = [
    (pipe, "it is a pipe or a device"),
    (endless, "it is a pipe or a device"),
    (huge, "it has more than 1000000 characters"),
    (Path.mkdir, "Is a directory"),
]


@pytest.mark.parametrize(("make", "reason"), ODD_FILES)
def test_a_settings_file_that_never_ends_or_never_answers_is_reported(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "config.yaml"
    make(path)
    assert complaints(path) == [f"{path}: can't be read ({reason}): make it readable for fedbot's user"]


@pytest.mark.parametrize(("make", "reason"), ODD_FILES)
def test_a_secret_file_that_never_ends_or_never_answers_is_reported(
    tmp_path: Path, write: Write, make: Callable[[Path], None], reason: str
) -> None:
    secret = tmp_path / "token"
    make(secret)
    path = write(least() | {"inventree": {"url": "https://inventree.example.org", "token_file": str(secret)}})
    assert [each for each in complaints(path) if f"can't be read ({reason})" in each]


@pytest.mark.parametrize(
    "text",
    [
        "people: &a {'@anna:example.org': *a}",
        "rooms: &a [*a]",
        "a: &a [1, 1]\nb: &b [*a, *a]\nc: &c [*b, *b]",
        "rooms: [*a]",
    ],
)
def test_yaml_that_refers_to_itself_or_to_other_files_is_reported(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    (complaint,) = complaints(path)
    assert complaint.startswith("line ")
    assert "a reference to something written elsewhere: write it out" in complaint


@pytest.mark.parametrize("path", ["state", "matrix.ca_file", "inventree.admin_token_file", "inventree.token_file"])
def test_an_impossible_path_is_reported(path: str, write: Write) -> None:
    raw = changed(path, "sec\0ret")
    raw["inventree"].pop("token" if path == "inventree.token_file" else "", None)
    (complaint,) = complaints(write(raw))
    assert complaint.startswith(f"{path}: ")


def test_a_token_file_may_hold_a_token_or_inventrees_whole_answer_and_nothing_else(
    write: Write, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    settings = least() | {"inventree": {"url": "https://inventree.example.org", "token_file": "token"}}
    file.write_text(json.dumps({"token": TOKEN, "name": "fedbot", "expiry": "2027-11-24"}, indent=1))
    assert load(write(settings), ENVIRONMENT).inventree.token.get_secret_value() == TOKEN
    for wrong in ('{"detail": "Not found."}', "two words", "<p>Not found</p>\n<hr>"):
        file.write_text(wrong)
        with pytest.raises(ConfigRefused, match=r"inventree\.token_file: .*token: there is no token in it"):
            load(write(settings), ENVIRONMENT)


def test_the_example_rooms_are_refused(write: Write) -> None:
    placeholder = "!replace-with-the-room-id"
    for wrong in ({"rooms": [placeholder]}, {"admin_room": "!replace-with-your-own-room"}):
        with pytest.raises(ConfigRefused, match="that stands in for your own room"):
            load(write(least() | wrong), ENVIRONMENT)
