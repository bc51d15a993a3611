"""Generates docs/verbs.md and one page per verb in docs/verbs/ from the specs, for `python -m fedbot.commands`."""

from __future__ import annotations

from pathlib import Path

from fedbot.commands.german import LANGUAGE, in_language
from fedbot.commands.registry import catalogue
from fedbot.commands.spec import Verb, Where
from fedbot.rules.model.stock import Permission

INDEX = "verbs.md"
WHO = {
    Permission.ANYONE: "anybody whom the space's bot knows (`people` in its settings)",
    Permission.MAPPED: "members: people whom the space's bot knows (`people` in its "
    "settings), with an active InvenTree user",
    Permission.APPROVER: "approvers of the space, as its InvenTree says at that moment",
    Permission.SUPERUSER: "superusers of the space's InvenTree, as it says at that moment",
}
_WHO_IN_SHORT = {
    Permission.ANYONE: "anybody whom the bot knows",
    Permission.MAPPED: "members",
    Permission.APPROVER: "approvers",
    Permission.SUPERUSER: "superusers",
}

_MADE = "<!-- Made from the verbs' specs: don't edit it, run `python -m fedbot.commands`. -->"
_TOP = """\
# What people can say

Every line begins with `!fed`.

- **An item** is `#42`, an IPN, a part's name, `PART#SERIAL`, or the item's pasted link. Put a name that begins or ends
  with a number into quotes. Separate several items by a line break, `;` or ` + `.
- **A quantity** goes before or after the item: `1.5` or `1,5`. If it could mean two things (`1.000`), the bot asks.
- **An `ID`** is the short code at the end of a card. Leave it out if you reply to the card, or in its thread.
- **A numbered list** takes a number as a reply to it, within 10 minutes.
- Capital letters don't matter in a verb, any quotes work, and `—` works as `--`.

"Members" are people whom the bot knows and who have an active InvenTree user.

| Verb | What it does | Who |
|---|---|---|
"""


def pages() -> dict[str, str]:
    """All pages as Markdown, by their path in docs/."""
    specs = sorted(catalogue(), key=lambda spec: spec.name)
    index = f"{_MADE}\n{_TOP}" + "".join(_row(spec) for spec in specs)
    return {INDEX: index} | {f"verbs/{spec.name}.md": _page(spec) for spec in specs}


def write(docs: Path) -> None:
    """Write all pages, and delete the pages of verbs that no longer exist."""
    wanted = pages()
    (docs / "verbs").mkdir(exist_ok=True)
    for old in (docs / "verbs").glob("*.md"):
        if str(old.relative_to(docs)) not in wanted:
            old.unlink()
    for path, page in wanted.items():
        (docs / path).write_text(page, encoding="utf-8")


def _row(spec: Verb) -> str:
    return f"| [{spec.name}](verbs/{spec.name}.md) | {spec.summary} | {_WHO_IN_SHORT[spec.permission]} |\n"


def _page(spec: Verb) -> str:
    lines = [
        _MADE,
        f"# {spec.name}",
        "",
        f"    !fed {spec.usage}",
        "",
        f"{spec.summary[:1].upper()}{spec.summary[1:]}.",
    ]
    if spec.details:
        lines += ["", " ".join(spec.details)]
    if spec.options:
        lines += ["", *(f"- `{option.usage}`: {option.summary}" for option in spec.options)]
    lines += ["", f"**Who:** {WHO[spec.permission]}."]
    if spec.where is Where.FEDERATION_ROOM:
        lines += ["", "**Where:** in a room that the spaces share."]
    if spec.only_looks:
        lines += ["", "**Where:** in a room that the spaces share, in the admin room, or alone with the bot."]
    if spec.aliases:
        lines += ["", f"**Also:** {', '.join(f'`{alias}`' for alias in spec.aliases)}."]
    if german := in_language(spec, LANGUAGE).names[len(spec.names) :]:
        lines += ["", f"**In German:** {', '.join(f'`{word}`' for word in german)}, if the bot speaks German."]
    lines += ["", "## Examples", "", *(f"    !fed {example}" for example in spec.examples)]
    return "\n".join([*lines, "", "[All verbs](../verbs.md)", ""])
