"""docs/verbs.md, made from the specs: one chapter a verb."""

from __future__ import annotations

from fedbot.federation.stock import Right
from fedbot.verbs.registry import catalogue
from fedbot.verbs.spec import Verb, Where

WHO = {
    Right.ANYONE: "anyone",
    Right.MAPPED: "everybody whom the space's bot knows (`people` in its configuration)",
    Right.APPROVER: "approvers of the space, as its InvenTree says at that moment",
    Right.SUPERUSER: "superusers of the space's InvenTree, as it says at that moment",
}

_TOP = """\
# What people can say

Made from the verbs' specs: don't edit it, run
`python -c "import fedbot.verbs as v; print(v.reference(), end='')" > docs/verbs.md`.

Every line begins with `!fed`. Typing is forgiving: any case of the verb, `—` for `--`, any quotes, the quantity
before or after the item, `1,5` or `1.5`; `1.000` is asked back, never guessed. Several items are split by a line
break, `;` or ` + `. An item is `#42`, an IPN, a part's name, `PART#SERIAL` or the item's pasted link; a name that
begins or ends with a number goes in quotes. An `ID` is the short code at the end of a card; a reply to the card, or
in its thread, supplies it. A number answers a numbered list, as a reply to it, within 10 minutes.
"""


def reference() -> str:
    """The page, as Markdown."""
    chapters = (_chapter(spec) for spec in sorted(catalogue(), key=lambda spec: spec.name))
    return "\n".join([_TOP, *chapters])


def _chapter(spec: Verb) -> str:
    lines = [f"## {spec.name}", "", f"    !fed {spec.usage}", "", f"{spec.summary[:1].upper()}{spec.summary[1:]}."]
    if spec.details:
        lines += ["", " ".join(spec.details)]
    if spec.options:
        lines += ["", *(f"- `{option.usage}`: {option.summary}" for option in spec.options)]
    lines += ["", f"Who: {WHO[spec.right]}."]
    if spec.where is Where.FEDERATION_ROOM:
        lines += ["Where: in a room that the spaces share."]
    if spec.aliases:
        lines += [f"Also: {', '.join(f'`{alias}`' for alias in spec.aliases)}."]
    lines += ["", *(f"    !fed {example}" for example in spec.examples), ""]
    return "\n".join(lines)
