"""`make words`: brings the catalogues up to date with the English sentences, and says what has to be translated."""

from __future__ import annotations

import sys

from tests.translations.catalogues import languages, translatable, update
from tests.translations.sentences import sentences

SHOWN = 20


def main(wanted: list[str]) -> None:
    """All languages that there are, or those named, which need not be there yet."""
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
