"""Pinning: the library documents an incident was declared under stay its own, whatever is installed later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from holdfast.app.commanding import Pins
from holdfast.app.ports import Record
from holdfast.incidents import calendars
from holdfast.kernel.canonical import canonical, digest
from holdfast.kernel.errors import DamagedError


class PinnedDocuments:
    """The ``Documents`` port: documents by digest, checked when read and cached by digest."""

    def __init__(self, record: Record, library: Mapping[str, Mapping[str, Any]]) -> None:
        """Serve documents of the record; ``library`` holds what this version ships, by name."""
        self._record = record
        self._library = library
        self._cache: dict[str, Mapping[str, Any]] = {}
        self._stored: set[str] = set()
        self._digests = {name: digest(document) for name, document in library.items()}
        self._calendars: dict[tuple[str, int], tuple[str, Mapping[str, Any]]] = {}

    def get(self, digest: str) -> Mapping[str, Any]:
        """The parsed document.

        Raises:
            DamagedError: it is missing or is not what its digest says.
        """
        if digest not in self._cache:
            body = self._record.document(digest)
            if body is None:
                raise _damaged(digest, "it is not in the database")
            document = json.loads(body)
            if _digest(document) != digest:
                raise _damaged(digest, "its bytes do not match the digest")
            self._cache[digest] = document
        return self._cache[digest]

    def shipped(self, name: str) -> Mapping[str, Any]:
        """Today's library document of a name, such as ``severity``: what the next declaration pins."""
        return self._library[name]

    def pin(self, calendar: str, now: datetime) -> Pins:
        """Store what is shipped today and name it by digest; the calendar is frozen for its year."""
        plays = {
            name.removeprefix("play/"): self._put(self._digests[name], document)
            for name, document in self._library.items()
            if name.startswith("play/")
        }
        calendar_digest, frozen = self._frozen(calendar, now.year)
        return Pins(
            severity_table=self._put(self._digests["severity"], self._library["severity"]),
            calendar=self._put(calendar_digest, frozen),
            runbook=self._put(self._digests["runbook"], self._library["runbook"]),
            plays=plays,
        )

    def _frozen(self, name: str, year: int) -> tuple[str, Mapping[str, Any]]:
        if (name, year) not in self._calendars:
            frozen = calendars.freeze_named(self._library["calendars"], name, year)
            self._calendars[name, year] = (_digest(frozen), frozen)
        return self._calendars[name, year]

    def _put(self, digest: str, document: Mapping[str, Any]) -> str:
        if digest not in self._stored:
            self._record.put_document(digest, canonical(document))
            self._stored.add(digest)
            self._cache[digest] = json.loads(canonical(document))
        return digest


def _digest(document: Mapping[str, Any]) -> str:
    return digest(document)


def _damaged(digest: str, why: str) -> DamagedError:
    return DamagedError(
        "pinned-document-damaged",
        f"The pinned document {digest[:12]}… cannot be used.",
        why=f"The incident is bound to exactly these bytes, and {why}.",
        next_step="Restore the database from a backup, then: holdfast fsck",
    )
