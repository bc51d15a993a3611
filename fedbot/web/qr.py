"""QR codes for labels, black on white with the border that scanners need. The library is loaded when one is drawn."""

from __future__ import annotations

import io

PIXELS = 8
"""Of one square of the code, in pixels."""


def as_svg(text: str) -> bytes:
    """The code as an SVG image."""
    return _drawn(text, "svg")


def as_png(text: str) -> bytes:
    """The code as a PNG image."""
    return _drawn(text, "png")


def _drawn(text: str, kind: str) -> bytes:
    import segno  # noqa: PLC0415 -- only where a code is drawn

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind=kind, scale=PIXELS, light="#ffffff")
    return out.getvalue()
