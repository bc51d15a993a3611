"""`python -m tests.fuzz`: feed everything that reads what others wrote. Ends with `N inputs, M crashes`; 1 if M > 0.

With atheris in the environment the inputs grow by the coverage that they reach; else hypothesis makes them from random
bytes, and it says so.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
import time

from tests.fuzz.running import Fuzzed, feed, fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run each target in turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds-each", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9, help="of the random bytes")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one (may be repeated)")
    parser.add_argument("--guided", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.target or sorted(TARGETS)
    if given.guided:
        return _guided(names[0], given.seconds_each)
    guided = importlib.util.find_spec("atheris") is not None
    print("guided by coverage (atheris)" if guided else f"not guided by coverage: no atheris here; seed {given.seed}")
    inputs, crashes = 0, 0
    for name in names:
        if guided:
            found_inputs, found_crashes = _in_a_process(name, given.seconds_each)
        else:
            found = fuzz(name, given.seconds_each, given.seed)
            found_inputs, found_crashes = found.inputs, len(found.crashes)
            for crash in found.crashes.values():
                print(crash, file=sys.stderr)
        print(f"{name}: {found_inputs} inputs, {found_crashes} crashes", flush=True)
        inputs += found_inputs
        crashes += found_crashes
    print(f"{inputs} inputs, {crashes} crashes")
    return 1 if crashes else 0


def _in_a_process(name: str, seconds: float) -> tuple[int, int]:
    """Run atheris in a process, because it ends its process; return (inputs, crashes) from the end of its output."""
    command = (sys.executable, "-m", "tests.fuzz", "--guided", "--target", name, "--seconds-each", str(seconds))
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    words = done.stdout.split()
    if len(words) < 2 or not all(word.isdecimal() for word in words[-2:]):
        return 0, 1
    return int(words[-2]), int(words[-1])


def _guided(name: str, seconds: float) -> int:
    """Run until the time is over; inputs that reach new code are kept and mutated."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    found = Fuzzed(name)
    end = time.monotonic() + seconds

    def one(content: bytes) -> None:
        feed(found, content)
        if time.monotonic() > end:
            for crash in found.crashes.values():
                print(crash, file=sys.stderr)
            print(found.inputs, len(found.crashes), flush=True)
            raise SystemExit(0)

    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds) + 5}"], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
