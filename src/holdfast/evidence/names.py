"""File names as they arrive (free text, possibly hostile) and as pages and packs may show them.

Rules:
1. The original stays sealed, word for word. What is computed here is for eyes and archives only, never a path
   that is opened.
2. Shown names hold no control characters, no direction overrides, no path, and fit on a line.
3. Packed names are ASCII letters, digits, ``.``, ``_`` and ``-``, begin with the evidence id (so that no two
   items collide, on file systems that fold case either), and have no leading dot and no second extension trick.
"""

from __future__ import annotations

import re
import unicodedata

SHOWN = 120
"""Characters of a shown name."""
_PACKED_STEM = 60
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_UNSHOWN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories never shown: control, format (which holds the direction overrides), private, surrogate,
unassigned, line and paragraph separators."""
_UNPACKED = re.compile(r"[^A-Za-z0-9._-]+")
_NOTHING = "unnamed"


def display_name(raw: str) -> str:
    """The last part of a name, cleaned, at most 120 characters; the middle gives way, the extension stays."""
    clean = "".join(_shown(char) for char in _last_part(raw[-4096:]))
    clean = re.sub(r"\s+", " ", clean).strip()
    if not clean.strip(". "):
        return _NOTHING
    if len(clean) <= SHOWN:
        return clean
    suffix = _suffix(clean)
    return clean[: SHOWN - len(suffix) - 1] + "…" + suffix


def pack_name(evidence_id: str, raw: str) -> str:
    """A file name for a pack, such as ``ev-3-auth.log``; an erased or empty name gives ``ev-3``."""
    shown = display_name(raw)
    if shown == _NOTHING:
        return evidence_id
    suffix = _suffix(shown)
    plain = unicodedata.normalize("NFKD", shown.removesuffix(suffix)).encode("ascii", "ignore").decode()
    stem = _UNPACKED.sub("_", plain.replace(".", "_"))[:_PACKED_STEM].strip("_-")
    return f"{evidence_id}-{stem}{suffix}" if stem else f"{evidence_id}{suffix}"


def _last_part(raw: str) -> str:
    parts = [part for part in re.split(r"[/\\]", raw) if part.strip(". ")]
    return parts[-1] if parts else ""


def _suffix(name: str) -> str:
    found = _SUFFIX.search(name)
    return found.group() if found is not None and found.start() > 0 else ""


def _shown(char: str) -> str:
    if char in "\t\n\r":
        return " "
    return "" if unicodedata.category(char) in _UNSHOWN else char
