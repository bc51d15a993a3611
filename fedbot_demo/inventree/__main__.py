"""`python -m fedbot_demo.inventree`: a simulated InvenTree as a process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import sys
from pathlib import Path

from fedbot_demo.inventree import state_file
from fedbot_demo.inventree.conditions import CONDITIONS
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.large import ITEMS, Large
from fedbot_demo.inventree.latency import Latency
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.seeds import SEEDS, SERVICE, seed
from fedbot_demo.inventree.server import Serving, ready_line, serve
from fedbot_demo.inventree.versions import RECORDED, Version


def _api(text: str) -> int:
    """An API number from 1 to 9999."""
    if not text.isdecimal() or not 0 < int(text) < 10_000:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text} is no API number")
    return int(text)


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fedbot_demo.inventree", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port of 127.0.0.1")
    parser.add_argument("--name", default="", help="the server's name; default: the seed's own")
    parser.add_argument("--seed", choices=sorted(SEEDS), default="alpha", help="what is in it at the start")
    version = parser.add_mutually_exclusive_group()
    version.add_argument("--version", choices=RECORDED, default="newest", help="the InvenTree that it is like")
    version.add_argument("--api", type=_api, help="an API number instead: one between the recorded versions")
    parser.add_argument("--latency", choices=["none", "measured"], default="none", help="answer as slowly as measured")
    parser.add_argument(
        "--large",
        type=int,
        nargs="?",
        const=ITEMS,
        metavar="ITEMS",
        help=f"so many more stock items ({ITEMS:,} if not said), and answers as slow as of such a server",
    )
    parser.add_argument("--state-file", type=Path, help="go on from this file, and write it at the end")
    parser.add_argument("--folder", default="", help="serve below this path, as behind a web server: /inventree")
    parser.add_argument(
        "--hostile", choices=sorted(CONDITIONS), action="append", default=[], help="a hard condition; may be repeated"
    )
    parser.add_argument("--certificate", type=Path, help="PEM file: serve HTTPS")
    parser.add_argument("--key", type=Path, help="PEM file of the certificate's key")
    return parser.parse_args(arguments)


def _seeded(options: argparse.Namespace) -> Seeded:
    version = Version.named(options.version) if options.api is None else Version(options.api)
    seeded = seed(options.seed, options.name, version=version)
    if options.state_file is not None and options.state_file.exists():
        passwords, tokens = state_file.load(seeded.server.state, options.state_file)
        seeded.passwords, seeded.tokens = passwords, tokens
    elif options.large is not None:
        Large.of(options.large).put_into(seeded.server.state)
    for name in ("admin", SERVICE):
        if seeded.server.state.users.find("username", name):
            seeded.token(name)
    return seeded


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    seeded = _seeded(options)
    serving = Serving(
        seeded.server,
        latency=Latency() if options.latency == "measured" else None,
        costs=Costs(patience=math.inf) if options.large is not None else None,
        folder=options.folder.rstrip("/"),
    )
    serving.faults.conditions += [CONDITIONS[name]() for name in options.hostile]
    async with serve(serving, port=options.port, certificate=options.certificate, key=options.key):
        print(ready_line(serving, seeded.tokens, seeded.passwords), flush=True)
        await stop.wait()
    if options.state_file is not None:
        state_file.save(seeded.server.state, options.state_file, seeded.passwords, seeded.tokens)


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return 0."""
    asyncio.run(_run(_arguments(sys.argv[1:] if arguments is None else arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
