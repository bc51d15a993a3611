"""Child processes that end when their parent does.

`LeashedProcess` runs a Python module in a child process whose standard input is a pipe that nobody writes to. When the
parent ends, even by kill -9, the pipe closes and the child ends itself. Unlike Linux's parent-death signal, this
doesn't depend on the thread that started the child.

Run as `python -m fedbot_demo.leash MODULE [ARGUMENT...]`, this module is the child's side: it watches the pipe and runs
MODULE.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path

_LAST_WORDS_S = 5.0


class LeashedProcess:
    """One module run as a child: start it, stop it, and read the end of its output.

    `module` and `arguments` are those of `python -m`. Standard output and error are appended to the file `log` (created
    with mode 0600). The child has a session of its own, because Ctrl-C should reach only the parent, which then stops
    its children in order.
    """

    def __init__(self, module: str, arguments: list[str], *, log: Path, folder: Path | None = None) -> None:
        self._command = [sys.executable, "-m", "fedbot_demo.leash", module, *arguments]
        self._folder = folder
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None if it was never started."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and hasn't ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """The exit code (negative: the signal); None while it runs or before the first start."""
        return self._process.returncode if self._process else None

    async def start(self, environment: dict[str, str] | None = None) -> None:
        """Start the child, with `environment` added to ours. Raise RuntimeError if it is already running."""
        if self.is_running:
            raise RuntimeError(f"{self._command[3]} runs already, as process {self.pid}")
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=descriptor,
                stderr=descriptor,
                cwd=self._folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    async def stop(self, grace: float = 5.0) -> None:
        """Ask it to end (SIGTERM); kill it after `grace` seconds. Do nothing if it isn't running."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self) -> None:
        """Kill it without a chance to clean up, as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def ended(self, timeout: float) -> int:
        """Wait until it ends by itself; return its exit code.

        Raises:
            TimeoutError: It still runs after `timeout` seconds.
            RuntimeError: It was never started.
        """
        if self._process is None:
            raise RuntimeError(f"{self._command[3]} was never started")
        return await asyncio.wait_for(self._process.wait(), timeout)

    def log_tail(self, lines: int = 60) -> str:
        """The last lines of its output: enough to hold an error and its cause."""
        if not self.log.exists():
            return "(it wrote nothing)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _end_with_the_parent() -> None:
    """Wait for the pipe to close, then send ourselves SIGTERM; exit hard after `_LAST_WORDS_S`."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_LAST_WORDS_S)
    os._exit(1)


def main() -> None:
    """Run the module named by the first argument as `__main__`, with the other arguments, on the leash."""
    threading.Thread(target=_end_with_the_parent, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
