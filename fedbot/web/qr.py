"""QR codes for labels, black on white with the border that scanners need. The library is imported on first use."""

from __future__ import annotations

import io

PIXELS = 8
"""The width of one square of the code, in pixels."""


def as_svg(text: str) -> bytes:
    """The code as an SVG image."""
    return _drawn(text, "svg")


def as_png(text: str) -> bytes:
    """The code as a PNG image."""
    return _drawn(text, "png")


def _drawn(text: str, kind: str) -> bytes:
    import segno  # noqa: PLC0415 -- only if a code is drawn

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind=kind, scale=PIXELS, light="#ffffff")
    return out.getvalue()
