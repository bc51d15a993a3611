"""Children end when asked, when killed, and when their parent is gone."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from pathlib import Path

import pytest

from fedbot_demo.leash import LeashedProcess

_TEN_SECONDS_MS = 10_000
# a child that says hello to a port of the test, then stays; on request it ignores SIGTERM
_CHILD = """
import signal, socket, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("hello from", *sys.argv[1:], flush=True)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(b"hello")
    connection.recv(1)
"""
_PARENT = """
import asyncio, pathlib, sys
from fedbot_demo.leash import LeashedProcess
async def main():
    folder = pathlib.Path(sys.argv[1])
    child = LeashedProcess("child", sys.argv[2:], log=folder / "child.log", folder=folder)
    await child.start()
    print(child.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Port:
    """A port of the test that a child says hello to."""

    def __init__(self) -> None:
        self._greeted = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        return str(self._server.sockets[0].getsockname()[1])

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        self._greeted.set()
        await reader.read()
        writer.close()

    async def greeted(self) -> None:
        await asyncio.wait_for(self._greeted.wait(), 20)


async def a_child(folder: Path, port: Port, *arguments: str) -> LeashedProcess:
    (folder / "child.py").write_text(_CHILD)
    child = LeashedProcess("child", [await port.open(), *arguments], log=folder / "child.log", folder=folder)
    await child.start()
    await port.greeted()
    return child


def wait_for_the_end(process: int) -> bool:
    """Whether a process, of any parent, ends within ten seconds."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        watch = select.poll()
        watch.register(descriptor, select.POLLIN)
        return bool(watch.poll(_TEN_SECONDS_MS))
    finally:
        os.close(descriptor)


async def test_a_child_runs_until_it_is_stopped(tmp_path: Path) -> None:
    child = await a_child(tmp_path, Port())
    started = child.is_running
    await child.stop()
    assert (started, child.is_running) == (True, False)
    assert child.exit_code == -signal.SIGTERM


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    child = await a_child(tmp_path, Port(), "stubborn")
    await child.stop(grace=0.2)
    assert child.exit_code == -signal.SIGKILL


async def test_a_second_start_is_refused_while_it_runs(tmp_path: Path) -> None:
    child = await a_child(tmp_path, Port())
    with pytest.raises(RuntimeError, match="runs already"):
        await child.start()
    await child.stop()


async def test_stopping_a_stopped_child_does_nothing(tmp_path: Path) -> None:
    child = LeashedProcess("child", [], log=tmp_path / "child.log")
    await child.stop()
    await child.kill()
    assert child.pid is None
    assert child.exit_code is None


async def test_a_childs_output_is_kept_for_the_error_message(tmp_path: Path) -> None:
    child = LeashedProcess("no_such_module", [], log=tmp_path / "child.log")
    assert child.log_tail() == "(it wrote nothing)"
    child = await a_child(tmp_path, Port(), "and", "friends")
    await child.stop()
    assert child.log_tail(1).endswith("and friends")
    assert child.log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("manners", ["polite", "stubborn"])
async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path, manners: str) -> None:
    (tmp_path / "child.py").write_text(_CHILD)
    port = Port()
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PARENT, str(tmp_path), await port.open(), manners),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    await port.greeted()
    parent.kill()
    await parent.wait()
    assert await asyncio.to_thread(wait_for_the_end, child)
