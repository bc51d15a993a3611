"""`python -m fedbot.commands`: write the pages about the verbs into docs/ in the repository's root."""

from pathlib import Path

from fedbot.commands.reference_page import write

write(Path(__file__).parents[2] / "docs")
