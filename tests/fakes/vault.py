"""A vault in memory, in place of `fedbot.identity.FileVault`."""

from __future__ import annotations

from dataclasses import dataclass, field

from fedbot.ports.vault import NoSuchSecret, Vault


@dataclass
class FakeVault(Vault):
    """A vault that loses everything at the end of the test."""

    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def keep(self, reference: str, secret: str) -> None:
        self.secrets[reference] = secret

    def read(self, reference: str) -> str:
        if reference not in self.secrets:
            raise NoSuchSecret(reference)
        return self.secrets[reference]

    def forget(self, reference: str) -> None:
        self.secrets.pop(reference, None)
