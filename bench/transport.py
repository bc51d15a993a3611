"""`transport_ratio`: the chain's InvenTree calls by our transport, over the same calls by the official client.

The InvenTrees answer at once, because the transports are compared. For the details, the same is measured with servers
as slow as real ones.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from inventree.api import InvenTreeAPI

from bench import chain
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.inventree.process import InvenTreeProcess


@dataclass(frozen=True)
class Transports:
    """The median seconds of the whole chain by each transport."""

    ours: float
    official: float

    @property
    def ratio(self) -> float:
        """Our seconds over the official client's."""
        return self.ours / self.official


def measure(rounds: int, latency: Literal["none", "measured"]) -> Transports:
    """Measure both in turn, `rounds` times, on two simulated InvenTrees over TLS.

    Both trust one CA only. This favours the official client: it reads the CAs again for each call, and the bundle of
    all public ones is 200 times as long.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fedbot-bench-")))
        authority = CertificateAuthority(folder)
        issued = authority.issue("inventree")
        alpha, beta = (
            stack.enter_context(InvenTreeProcess(seed, latency=latency, certificate=issued.certificate, key=issued.key))
            for seed in ("alpha", "beta")
        )
        # makes `requests`, and so the official client, trust this CA
        os.environ["REQUESTS_CA_BUNDLE"] = str(authority.certificate)
        stack.callback(os.environ.pop, "REQUESTS_CA_BUNDLE")
        ours = tuple(_ours(process, authority.certificate) for process in (alpha, beta))
        for transport in ours:
            stack.callback(transport.close)
        official = tuple(InvenTreeAPI(process.url, token=process.tokens["fedbot"]) for process in (alpha, beta))
        admin = InvenTreeTransport(alpha.url, alpha.tokens["admin"], certificate=str(authority.certificate))
        stack.callback(admin.close)
        on = chain.ground(admin, ours[1])
        taken: dict[str, list[float]] = {"ours": [], "official": []}
        for number in range(rounds):
            taken["ours"].append(_walk(ours, on, f"ours{number}"))
            taken["official"].append(_walk(official, on, f"official{number}"))
        return Transports(median(taken["ours"]), median(taken["official"]))


def _ours(process: InvenTreeProcess, authority: Path) -> InvenTreeTransport:
    return InvenTreeTransport(process.url, process.tokens["fedbot"], certificate=str(authority))


def _walk(clients: tuple[chain.Client, ...], on: chain.Ground, name: str) -> float:
    sender, receiver = (chain.Side(party, client) for party, client in zip("ab", clients, strict=True))
    chain.walk(sender, receiver, on, name)
    return sender.seconds + receiver.seconds
