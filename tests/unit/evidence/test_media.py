from __future__ import annotations

import pytest

from holdfast.evidence.media import Served, safe_media_type, sniff

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
TEXT = Served("text/plain; charset=utf-8", inline=True)
ATTACHED = Served("application/octet-stream", inline=False)


@pytest.mark.parametrize(
    ("declared", "head", "served"),
    [
        ("image/png", PNG, Served("image/png", inline=True)),
        ("image/jpeg", JPEG, Served("image/jpeg", inline=True)),
        ("image/webp", WEBP, Served("image/webp", inline=True)),
        ("image/png", JPEG, ATTACHED),
        ("image/png", b"<svg onload=alert(1)>", ATTACHED),
        ("text/plain", PNG, ATTACHED),
        ("text/plain; charset=utf-16", b"hello", TEXT),
        ("TEXT/PLAIN", "grüße".encode(), TEXT),
        ("application/json", b'{"a": 1}', TEXT),
        ("text/plain", b"<script>alert(1)</script>", TEXT),
        ("text/plain", b"a\0b", ATTACHED),
        ("text/plain", b"\xff\xfe", ATTACHED),
        ("text/html", b"<p>", ATTACHED),
        ("image/svg+xml", b"<svg/>", ATTACHED),
        ("application/pdf", b"%PDF-1.7", ATTACHED),
        ("", b"", ATTACHED),
    ],
)
def test_only_harmless_bytes_of_their_declared_type_are_shown_inline(
    declared: str, head: bytes, served: Served
) -> None:
    assert safe_media_type(declared, head) == served


def test_a_character_cut_at_the_end_of_the_head_is_still_text() -> None:
    assert safe_media_type("text/plain", b"x" * 511 + "é".encode()) == TEXT


@pytest.mark.parametrize(
    ("head", "found"),
    [(PNG, "image/png"), (b"hello", "text/plain"), (b"", "text/plain"), (b"\0", "application/octet-stream")],
)
def test_a_collector_declares_what_the_bytes_look_like(head: bytes, found: str) -> None:
    assert sniff(head) == found
