"""Results of finished units of work, so that a repeat of a search, a fork or a resumed run costs nothing.

Rules:
1. A unit names contents that never change (the checksum of a pack and a range in it, the digest of an artifact); the
   question is named by a mark, keyed with the user's key over the secrets and the engine's version.
2. Rows hold ids, places, forms and redacted names. A row in which the query finds its secret is refused.
3. Only whole units are kept: whoever met a fault does not put.
4. An entry proves itself by a keyed checksum over its name and contents. A damaged, foreign or older one is as if it
   was not there, and is removed.
5. The folder has a bound; what was not used for longest goes first. A cache that cannot be written is no fault.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from holdfast.engines.exposure.keeping import ExposureKey, private_folder, write_whole
from holdfast.exposure.query import Query

FORMAT = 2
"""Goes up when rows or units mean something else; entries of another format are not read."""
LARGEST_BYTES = 512 << 20
_SUM_BYTES = 32
_PRUNE_EVERY = 256
"""Puts between two looks at the size of the folder."""

Rows = Sequence[Mapping[str, Any]]


class ResultCache:
    """Kept results below one private folder."""

    def __init__(self, folder: Path, key: ExposureKey, *, engine: str, largest: int = LARGEST_BYTES) -> None:
        """Keep below a folder, which is made at the first put.

        Args:
            folder: private to the user.
            key: the user's.
            engine: version of what searches; another one does not see these results.
            largest: bytes of all entries together.
        """
        self._folder = folder
        self._key = key.key("results")
        self._engine = engine
        self._largest = largest
        self._puts = 0

    def mark(self, query: Query, *more: str) -> str:
        """What names a question: equal for the same secrets in the same order under the same engine.

        Args:
            query: the question.
            more: whatever else changes the answer (rules, limits).
        """
        parts = [str(FORMAT).encode(), self._engine.encode(), *(one.encode() for one in more), b"secrets"]
        parts += [secret.reveal() for secret in query.secrets]
        parts += [b"anchors", *sorted(query.anchors)]
        told = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            told.update(len(part).to_bytes(8, "big") + part)
        return told.hexdigest()[:32]

    def get(self, unit: str, mark: str) -> list[dict[str, Any]] | None:
        """The rows of a unit for a question, or none when it has to be searched."""
        path = self._path(unit, mark)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        rows = self._rows(unit, mark, data)
        with suppress(OSError):
            if rows is None:
                path.unlink()
            else:
                os.utime(path)
        return rows

    def put(self, unit: str, mark: str, rows: Rows, query: Query) -> bool:
        """Keep the rows of a unit that was searched whole; whether they were kept.

        Args:
            unit: names the contents.
            mark: names the question.
            rows: JSON values.
            query: the question itself: rows that hold its secret are not kept.
        """
        text = json.dumps(list(rows), ensure_ascii=False, separators=(",", ":"))
        if query.redact(text) != text:
            return False
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
        path = self._path(unit, mark)
        try:
            private_folder(path.parent)
            write_whole(path, self._sum(unit, mark, packed) + packed)
        except OSError:
            return False
        self._puts += 1
        if self._puts % _PRUNE_EVERY == 1:
            self.prune()
        return True

    def prune(self) -> int:
        """Remove what was not used for longest until the rest fits; how many entries went."""
        entries: list[tuple[float, int, Path]] = []
        for path in self._entries():
            with suppress(OSError):
                about = path.stat()
                entries.append((about.st_mtime, about.st_size, path))
        over = sum(size for _, size, _ in entries) - self._largest
        gone = 0
        for _, size, path in sorted(entries):
            if over <= 0:
                break
            with suppress(OSError):
                path.unlink()
                over -= size
                gone += 1
        return gone

    def clear(self) -> int:
        """Remove everything; how many entries went."""
        gone = 0
        for path in self._entries():
            with suppress(OSError):
                path.unlink()
                gone += 1
        return gone

    def _entries(self) -> Iterable[Path]:
        return list(self._folder.glob("[0-9a-f][0-9a-f]/*"))

    def _path(self, unit: str, mark: str) -> Path:
        name = hmac.new(self._key, f"{unit}\0{mark}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]
        return self._folder / name[:2] / name

    def _sum(self, unit: str, mark: str, packed: bytes) -> bytes:
        named = f"{FORMAT}\0{self._engine}\0{unit}\0{mark}\0".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, named + packed, hashlib.sha256).digest()

    def _rows(self, unit: str, mark: str, data: bytes) -> list[dict[str, Any]] | None:
        told, packed = data[:_SUM_BYTES], data[_SUM_BYTES:]
        if not hmac.compare_digest(told, self._sum(unit, mark, packed)):
            return None
        found: list[dict[str, Any]] = json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
        return found
