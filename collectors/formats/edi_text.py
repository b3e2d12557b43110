"""
Bytes of an EDI file as text: byte-order marks, UTF-8 where the bytes are valid UTF-8, else the single-byte charset.

Why UTF-8 is tried before the declared charset: text in a single-byte charset is almost never valid UTF-8 by accident,
while partners who declare UNOC and send UTF-8 are common.
"""

from __future__ import annotations

import codecs

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def unicode_text(body: bytes, charset: str) -> str:
    """The text without its byte-order mark; `charset` counts if the bytes are not UTF-8. Never fails."""
    for mark, encoding in BOMS:
        if body.startswith(mark):
            body = body[len(mark) :]
            if encoding != "utf-8":
                return body.decode(encoding, "replace")
    for encoding in ("utf-8", charset):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")


def excerpt(text: str, limit: int = 40) -> str:
    """The beginning of a text as an error may show it."""
    return repr(text[:limit] + ("…" if len(text) > limit else ""))
