"""Runs a simulated InvenTree as a process that is started, awaited and stopped by its process id."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.server import CONTROL_HEADER

_READY_SECONDS = 30.0
_GRACE_SECONDS = 5.0


class NotReadyError(RuntimeError):
    """The process ended or printed nothing before it was ready."""


@dataclass(slots=True)
class InvenTreeProcess:
    """One server process.

    `start` and `stop` may be repeated. With a `state_file` it keeps its state and its port.
    """

    seed: str
    name: str = ""
    version: str = "newest"
    port: int = 0
    latency: str = "none"
    state_file: Path | None = None
    folder: str = ""
    hostile: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    url: str = field(default="", init=False)
    tokens: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    passwords: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    control_key: str = field(default="", init=False, repr=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False, repr=False)

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "fedbot_demo.leash", "fedbot_demo.inventree", "--seed", self.seed]
        command += ["--port", str(self.port), "--latency", self.latency, "--version", self.version]
        options = {
            "--name": self.name,
            "--state-file": self.state_file,
            "--folder": self.folder,
            "--certificate": self.certificate,
            "--key": self.key,
        }
        for option, value in options.items():
            if value:
                command += [option, str(value)]
        return [*command, *(word for condition in self.hostile for word in ("--hostile", condition))]

    def start(self) -> Self:
        """Start it and wait until it serves.

        Raises:
            NotReadyError: It didn't start; its last output is on our standard error.
        """
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,  # ends it with us; see fedbot_demo.leash
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        ready = self._ready_line(self._process)
        self.url = ready["url"]
        self.port = int(self.url.removesuffix(self.folder).rpartition(":")[2])
        self.tokens = {"admin": ready["admin_token"], "fedbot": ready["fedbot_token"]}
        self.passwords = ready["passwords"]
        self.control_key = ready["control_key"]
        return self

    def _ready_line(self, process: subprocess.Popen[str]) -> JsonObject:
        stream = process.stdout
        if stream is None:
            raise NotReadyError("the simulated InvenTree has no output")
        end = time.monotonic() + _READY_SECONDS
        while time.monotonic() < end:
            if select.select([stream], [], [], 0.2)[0]:
                line = stream.readline()
                if not line:
                    break
                content: JsonObject = json.loads(line)
                return content
        self.stop()
        raise NotReadyError(f"the simulated InvenTree {self.seed} did not come up in {_READY_SECONDS:.0f} s")

    @property
    def pid(self) -> int:
        """The process id; 0 if it isn't running."""
        return 0 if self._process is None else self._process.pid

    def stop(self) -> None:
        """End it and wait for that. Do nothing if it isn't running."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def control(self, method: str, path: str, content: object = None) -> object:
        """Call the control address: `control("POST", "faults/", {"kind": "error-before", "path": "transfer"})`."""
        response = httpx.request(
            method,
            f"{self.url.removesuffix(self.folder)}/_control/{path}",
            headers={CONTROL_HEADER: self.control_key},
            json=content,
            verify=self.certificate is None,
        )
        response.raise_for_status()
        return response.json()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
