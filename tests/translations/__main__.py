"""`make words`: update the catalogues to the English sentences, and list what needs a translation."""

from __future__ import annotations

import sys

from tests.translations.catalogues import languages, translatable, update
from tests.translations.sentences import sentences

SHOWN = 20


def main(wanted: list[str]) -> None:
    """Update all languages, or those named, which may be new."""
    english = sentences()
    for language in wanted or languages():
        missing = update(language, english)
        count = len(translatable(english))
        print(f"{language}: {count - len(missing)} of {count} sentences are translated")
        for message in missing[:SHOWN]:
            print(f"  {message.id if isinstance(message.id, str) else message.id[0]}")
        if len(missing) > SHOWN:
            print(f"  and {len(missing) - SHOWN} more")


main(sys.argv[1:])
