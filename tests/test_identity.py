"""The identity folder: one key for ever, secrets by reference, nothing readable by others or shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedbot import identity
from fedbot.identity import FileVault, IdentityDamaged, open_identity
from fedbot.logs import Redactor
from fedbot.ports.vault import NoSuchSecret, Vault
from fedbot.rules.wire import seal, signature_holds, unseal
from tests.fakes.vault import FakeVault

TOKEN = "inv-0123456789abcdef-20261124"


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """This test's own redactor, because its words must stay readable in other tests' logs."""
    own = Redactor()
    monkeypatch.setattr(identity, "keep_secret", own.keep_secret)
    return own


@pytest.fixture(params=["file", "memory"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    return FileVault(tmp_path) if request.param == "file" else FakeVault()


# --- the key ----------------------------------------------------------------------------------------------


def test_the_first_start_makes_a_key_and_later_ones_find_it(tmp_path: Path) -> None:
    first = open_identity(tmp_path / "state" / "identity")
    again = open_identity(tmp_path / "state" / "identity")
    assert first.key == again.key
    assert signature_holds(first.key, b"text", again.sign(b"text"))
    assert unseal(again, seal(first.key, {"token": TOKEN})) == {"token": TOKEN}
    assert open_identity(tmp_path / "other").key != first.key


def test_nobody_else_can_read_anything_in_the_folder(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_identity(tmp_path / "identity")
        FileVault(tmp_path / "identity").keep("alpha", TOKEN)
    finally:
        os.umask(before)
    assert modes(tmp_path) == {
        "identity": 0o700,
        "identity/signing.key": 0o600,
        "identity/secrets": 0o700,
        "identity/secrets/alpha.secret": 0o600,
    }


def test_a_key_that_a_restore_left_readable_is_made_private_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="fedbot")  # a command line test may have made it quieter
    key = open_identity(tmp_path / "identity").key
    assert caplog.text == ""
    (tmp_path / "identity").chmod(0o755)
    (tmp_path / "identity" / "signing.key").chmod(0o644)
    assert open_identity(tmp_path / "identity").key == key
    assert modes(tmp_path) == {"identity": 0o700, "identity/signing.key": 0o600}
    assert "signing.key was open to others" in caplog.text


@pytest.mark.parametrize("content", ["", "ab" * 31, "ab" * 33, "zz" * 32, "AB" * 32, "\0" * 64, "ab" * 32 + "\n\n"])
def test_a_damaged_key_is_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "signing.key").write_text(content)
    with pytest.raises(IdentityDamaged, match="backup") as caught:
        open_identity(tmp_path)
    assert (tmp_path / "signing.key").read_text() == content
    assert not content or content not in str(caught.value)


def test_a_crash_while_the_key_is_written_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no space"):
            open_identity(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert open_identity(tmp_path).key


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_secret_is_read_by_its_reference_until_it_is_forgotten(vault: Vault) -> None:
    vault.keep("alpha:1", TOKEN)
    vault.keep("beta:1", "another")
    assert vault.read("alpha:1") == TOKEN
    vault.keep("alpha:1", "renewed")
    assert vault.read("alpha:1") == "renewed"
    vault.forget("alpha:1")
    with pytest.raises(NoSuchSecret, match="alpha:1"):
        vault.read("alpha:1")
    assert vault.read("beta:1") == "another"


def test_a_missing_secret_can_be_forgotten_again(vault: Vault) -> None:
    vault.forget("alpha")
    vault.forget("alpha")
    with pytest.raises(NoSuchSecret):
        vault.read("alpha")


def test_nothing_is_left_of_a_forgotten_secret_even_after_a_crash(tmp_path: Path) -> None:
    vault = FileVault(tmp_path)
    vault.keep("alpha", TOKEN)
    vault.keep("alpha.secret", TOKEN)
    (tmp_path / "secrets" / "alpha.secret.0a1b2c3d.new").write_text(TOKEN)
    vault.forget("alpha")
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["alpha.secret.secret"]
    assert vault.read("alpha.secret") == TOKEN


def test_a_vault_shows_no_secret(vault: Vault) -> None:
    vault.keep("alpha", TOKEN)
    assert TOKEN not in repr(vault)
    assert TOKEN not in f"{vault}"


@settings(deadline=None, max_examples=25)  # each example waits for the disk
@given(references=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), unique=True, max_size=6))
def test_any_text_is_a_reference_of_its_own(references: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("identity")
    vault = FileVault(folder)
    for number, reference in enumerate(references):
        vault.keep(reference, str(number))
    assert [vault.read(reference) for reference in references] == [str(one) for one in range(len(references))]
    assert [path.name for path in folder.iterdir()] == ["secrets"]
    assert len(list((folder / "secrets").iterdir())) == len(references)


@pytest.mark.parametrize("reference", ["../signing.key", "/etc/passwd", "..", ".", "", "a/b", "\0"])
def test_a_reference_never_leads_out_of_the_folder(tmp_path: Path, reference: str) -> None:
    key = open_identity(tmp_path).key
    vault = FileVault(tmp_path)
    vault.keep(reference, TOKEN)
    assert vault.read(reference) == TOKEN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secrets", "signing.key"]
    assert open_identity(tmp_path).key == key


def test_a_reference_too_long_for_a_file_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long"):
        FileVault(tmp_path).keep("x" * 201, TOKEN)


@pytest.mark.parametrize("secret", ["", "line\nbreak\r\n", "ü€", "x" * 100_000])
def test_a_secret_comes_back_byte_by_byte(vault: Vault, secret: str) -> None:
    vault.keep("alpha", secret)
    assert vault.read("alpha") == secret


def test_another_process_can_add_a_secret_beside_the_running_bot(tmp_path: Path) -> None:
    running, other = FileVault(tmp_path), FileVault(tmp_path)
    running.keep("alpha", "old")
    other.keep("alpha", "new")
    other.keep("beta", "also")
    assert (running.read("alpha"), running.read("beta")) == ("new", "also")


def test_a_write_that_fails_leaves_the_old_secret_and_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = FileVault(tmp_path)
    vault.keep("alpha", "old")

    def fail(_: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no space"):
            vault.keep("alpha", "new")
    assert vault.read("alpha") == "old"
    assert len(list((tmp_path / "secrets").iterdir())) == 1


def test_stored_and_read_secrets_are_removed_from_the_log(tmp_path: Path, redactor: Redactor) -> None:
    FileVault(tmp_path).keep("alpha", "without-a-known-pattern")
    (tmp_path / "secrets" / "beta.secret").write_text("put-there-by-hand")
    FileVault(tmp_path).read("beta")
    open_identity(tmp_path)
    seed = (tmp_path / "signing.key").read_text().strip()
    cleaned = redactor.clean(f"careless: without-a-known-pattern, put-there-by-hand, {seed}")
    assert cleaned == "careless: •••, •••, •••"
