"""The number of modules that one `!fed push` runs through: `python -m bench.modules` (`--names` lists them).

`--packages` lists each package's files, lines and deepest chain of imports instead.

Two whole bots run in one process. A module of `fedbot` counts if either bot calls one of its functions between the line
and the moment when both sides are done. Code that only runs at import, the demo, the tests and the standard library
don't count.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import fedbot
from tests.scenarios.world import friends

_ROOT = Path(fedbot.__file__).parent
_NO_FUNCTION = ("<module>", "<listcomp>", "<genexpr>", "<lambda>")


async def modules_of_a_push() -> dict[str, int]:
    """The modules by name, with how many of their functions were called."""
    called: set[CodeType] = set()
    counts = False

    def note(frame: FrameType, event: str, _: Any) -> None:  # noqa: ANN401 -- `sys.setprofile`'s signature
        if counts and event == "call":
            called.add(frame.f_code)

    threading.setprofile(note)  # before the first thread exists
    sys.setprofile(note)
    try:
        world = await friends()
        counts = True
        await world.hand_over()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return dict(Counter(name for code in called if (name := _module_of(code))))


def _module_of(code: CodeType) -> str:
    """The module of the bot that has this function; '' if it doesn't count."""
    file = Path(code.co_filename)
    if not file.is_relative_to(_ROOT) or code.co_name in _NO_FUNCTION or _is_body_of_class(code):
        return ""
    parts = file.relative_to(_ROOT.parent).with_suffix("").parts
    return ".".join(parts)


def _is_body_of_class(code: CodeType) -> bool:
    return "__qualname__" in code.co_names and "__module__" in code.co_names


def sizes_of_packages() -> dict[str, tuple[int, int, int]]:
    """The files, lines and deepest chain of imports inside each package; a cycle counts once."""
    found: dict[str, tuple[int, int, int]] = {}
    for folder in sorted(path for path in _ROOT.iterdir() if (path / "__init__.py").is_file()):
        files = sorted(folder.rglob("*.py"))
        names = {".".join(file.relative_to(_ROOT.parent).with_suffix("").parts): file for file in files}
        imports = {name: _imported(file) & names.keys() - {name} for name, file in names.items()}
        lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        depths: dict[str, int] = {}
        found[folder.name] = len(files), lines, max(_depth(name, imports, depths) for name in names)
    return found


def _imported(file: Path) -> set[str]:
    """The modules that it imports when it is loaded, or later; those for the type checker alone don't count."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
    return found


def _depth(name: str, imports: dict[str, set[str]], depths: dict[str, int]) -> int:
    if name not in depths:
        depths[name] = 0
        depths[name] = 1 + max((_depth(each, imports, depths) for each in sorted(imports[name])), default=0)
    return depths[name]


def main() -> int:
    """Count, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.modules", description=__doc__)
    parser.add_argument("--names", action="store_true", help="list the modules, with how many functions were called")
    parser.add_argument("--packages", action="store_true", help="the size of each package")
    given = parser.parse_args()
    if given.packages:
        for package, (files, lines, depth) in sizes_of_packages().items():
            print(f"| `{package}` | {files} | {lines} | {depth} |")
        return 0
    found = asyncio.run(modules_of_a_push())
    if given.names:
        for name, functions in sorted(found.items()):
            print(f"{functions:4}  {name}")
    packages = Counter(".".join(name.split(".")[:2]) for name in found)
    print(", ".join(f"{name} {count}" for name, count in sorted(packages.items())))
    print(f"{len(found)} modules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
