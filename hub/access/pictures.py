"""The QR picture of a second factor, as SVG for a page of the desk; what it holds is made in proofs.py."""

from __future__ import annotations

import io

import segno


def qr_svg(text: str) -> bytes:
    """A QR picture without inline styles, so that it shows under the pages' policy."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=4, border=2, svgclass=None, lineclass=None, xmldecl=False)
    return out.getvalue()
