"""``python -m holdfast.engines.exposure.warming``: compile the kernels once, so that no incident waits for it.

It searches a small pack made here, with a delta of everything, and says how long that took.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.exposure.query import compile_query
from holdfast.exposure.results import Fault, Hit
from holdfast.kernel.secrets import SecretValue

_NEEDLE = b"nothing but a word to look for"
_BLOB, _OFS_DELTA, _TREE, _COMMIT = 3, 6, 2, 1


class _Heard:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.hits = self.faults = 0

    def hit(self, hit: Hit) -> None:
        del hit
        self.hits += 1

    def fault(self, fault: Fault) -> None:
        del fault
        self.faults += 1

    def progress(self, done: int, total: int, what: str) -> None:
        """Nobody looks."""


def warm(folder: Path) -> bool:
    """Search a repository made in an empty folder, with every kernel; whether the fast engine did it."""
    _make(folder)
    heard = _Heard()
    searcher = GitSearcher(processes=0)
    searcher.search(Target(str(folder), "warming"), compile_query([SecretValue(_NEEDLE)]), heard)
    if searcher.plain:
        return False
    _sift()
    return heard.hits > 0 and heard.faults == 0


def _sift() -> None:
    """The kernel that machines run which know no secret."""
    from holdfast.exposure.filters import build  # noqa: PLC0415 - it needs what only the fast engine does
    from holdfast.exposure.sieving import Sieve  # noqa: PLC0415 - likewise

    chance = compile_query([SecretValue(os.urandom(32).hex().encode())])
    Sieve(build(chance, os.urandom(32)).filter).find(_NEEDLE)


def _make(folder: Path) -> None:
    """A repository with one pack: a file and its next version, the tree of both, a commit."""
    for name in ("refs/heads", "objects/pack"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    first = b"line\n" * 10
    second = first + _NEEDLE
    # Copy the first version, then insert the rest; all sizes fit into one byte.
    delta = bytes([len(first), len(second), 0x90, len(first), len(_NEEDLE)]) + _NEEDLE
    rows = [f"100644 {name}\0".encode() + _oid("blob", data) for name, data in (("a", first), ("b", second))]
    tree = b"".join(rows)
    commit = b"tree " + _oid("tree", tree).hex().encode() + b"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm"
    entries = [
        (_oid("blob", first), _BLOB, first, b""),
        (_oid("blob", second), _OFS_DELTA, delta, b"?"),
        (_oid("tree", tree), _TREE, tree, b""),
        (_oid("commit", commit), _COMMIT, commit, b""),
    ]
    (folder / "refs/heads/main").write_text(entries[-1][0].hex() + "\n", encoding="ascii")
    pack = bytearray(b"PACK" + (2).to_bytes(4, "big") + len(entries).to_bytes(4, "big"))
    places = []
    for oid, kind, data, back in entries:
        places.append((oid, len(pack)))
        pack += _head(kind, len(data)) + (bytes([len(pack) - places[0][1]]) if back else b"") + zlib.compress(data)
    pack += hashlib.sha1(bytes(pack), usedforsecurity=False).digest()
    (folder / "objects/pack/pack-1.pack").write_bytes(bytes(pack))
    (folder / "objects/pack/pack-1.idx").write_bytes(_index(sorted(places), bytes(pack[-20:])))


def _oid(kind: str, data: bytes) -> bytes:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).digest()


def _head(kind: int, size: int) -> bytes:
    first, rest = (kind << 4) | (size & 15), size >> 4
    return bytes([first | 128, rest]) if rest else bytes([first])


def _index(places: list[tuple[bytes, int]], checksum: bytes) -> bytes:
    fan = b"".join(sum(oid[0] <= one for oid, _ in places).to_bytes(4, "big") for one in range(256))
    out = b"\xfftOc" + (2).to_bytes(4, "big") + fan + b"".join(oid for oid, _ in places) + bytes(4 * len(places))
    out += b"".join(at.to_bytes(4, "big") for _, at in places) + checksum
    return out + hashlib.sha1(out, usedforsecurity=False).digest()


def main() -> int:
    """Warm the kernels; 0 also when only the plain engine is to be had here, which is said."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        fast = warm(Path(folder))
    engine = "fast engine ready" if fast else "the fast engine does not start here: the plain one will be used"
    sys.stdout.write(f"exposure search: {engine} ({time.monotonic() - begun:.0f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
