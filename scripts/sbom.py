"""The software bill of materials of a bot, from the pins: CycloneDX 1.6, JSON, on standard output. No network.

`make sbom` writes build/sbom.json. The same pins give the same bytes: no time stands in it, and its serial number is
made from what it lists.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+) \\$")
HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})")


def components(pins: str) -> list[dict[str, Any]]:
    """A component for each pin of a requirements file, with the hashes of all its published files."""
    found: list[dict[str, Any]] = []
    for line in pins.splitlines():
        if pin := PIN.match(line):
            name, version = pin.groups()
            purl = f"pkg:pypi/{name}@{version}"
            component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
            found.append({**component, "hashes": []})
        elif digest := HASH.match(line):
            found[-1]["hashes"].append({"alg": "SHA-256", "content": digest[1]})
    return found


def bill(pins: str, project: dict[str, Any]) -> dict[str, Any]:
    """The whole document, for `project` as in pyproject.toml."""
    listed = components(pins)
    purl = f"pkg:pypi/{project['name']}@{project['version']}"
    about = {"type": "application", "bom-ref": purl, "name": project["name"], "version": project["version"]}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([about, listed], sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {**about, "purl": purl}},
        "components": listed,
        "dependencies": [{"ref": purl, "dependsOn": [component["bom-ref"] for component in listed]}],
    }


def main() -> int:
    """Write it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = bill((ROOT / "requirements" / "run.txt").read_text("utf-8"), project)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
