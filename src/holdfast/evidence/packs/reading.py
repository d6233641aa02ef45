"""The pass over the archive: hashes every member, keeps the small ones, follows record and words line by line."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.evidence.packs import layout
from holdfast.evidence.packs.archive import Member, Reader, Source, damaged
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, DamagedError
from holdfast.kernel.texts import Sealed, commitment, sealed_within
from holdfast.ledger import checkpoints
from holdfast.ledger.tree import EMPTY_FRONTIER, Frontier, leaf_hash

MAX_LINE = 1 << 24
"""No line of ours is longer than 16 MiB; a longer one is refused before it fills the memory."""
MAX_KEPT = 1 << 26


@dataclass(frozen=True, slots=True)
class Collected:
    """What the record says of an item of evidence, at the event that collected it."""

    id: str
    seq: int
    leaf: bytes
    sha256: str
    size: int
    manifest: str | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sealed text at its first mention in the record."""

    reference: Sealed
    seq: int
    leaf: bytes


@dataclass(slots=True)
class Record:
    """What the events told while they went by."""

    incident: str
    frontier: Frontier = EMPTY_FRONTIER
    first_leaf: bytes = b""
    through: str = ""
    """When the newest event was recorded."""
    evidence: dict[str, Collected] = field(default_factory=dict)
    erased: dict[str, str] = field(default_factory=dict)
    """Erased evidence: id to digest."""
    words: dict[str, Spoken] = field(default_factory=dict)
    """In order of first mention."""
    erased_words: dict[str, str] = field(default_factory=dict)
    """Erased text: id to erasure order."""

    def add(self, line: bytes) -> None:
        """Take the next event.

        Raises:
            DamagedError: ``pack-event``, naming the line.
        """
        seq = self.frontier.size
        place = f"{layout.EVENTS}, line {seq + 1}"
        envelope = read_line(line, place, "pack-event")
        if envelope.get("seq") != seq or envelope.get("incident") != self.incident:
            shown = f"event {envelope.get('seq')} of {envelope.get('incident')}"
            why = f"Event {seq} of {self.incident} belongs here, and {str(shown)[:80]} is: dropped, added or moved."
            raise damaged("pack-event", place, why)
        leaf = leaf_hash(line)
        self.frontier = self.frontier.append(leaf)
        self.first_leaf = self.first_leaf or leaf
        try:
            self.through = envelope["recorded_at"]
            self._note(envelope["type"], envelope["data"], leaf)
        except (KeyError, TypeError, AttributeError):
            raise damaged("pack-event", place, "It lacks a field that every event of its type has.") from None

    def _note(self, kind: str, data: Mapping[str, Any], leaf: bytes) -> None:
        seq = self.frontier.size - 1
        for reference in sealed_within(data):
            known = self.words.setdefault(reference.text_id, Spoken(reference, seq, leaf))
            if known.reference.commitment != reference.commitment:
                raise damaged("pack-event", f"{layout.EVENTS}, line {seq + 1}", "One text has two commitments.")
        if kind == "evidence.collected":
            item = Collected(data["evidence_id"], seq, leaf, data["sha256"], data["size"], data["manifest"])
            self.evidence.setdefault(item.id, item)
        elif kind == "evidence.erased":
            self.erased[data["evidence_id"]] = data["sha256"]
        elif kind == "text.erased":
            self.erased_words[data["text_id"]] = data["erasure_id"]

    def close(self, body: bytes) -> checkpoints.Checkpoint:
        """Compare with the checkpoint's body, once every line is in.

        Raises:
            DamagedError: ``pack-record``.
        """
        point = checkpoints.parse(body)
        if point.size != self.frontier.size:
            why = f"The checkpoint commits to {point.size} events, and there are {self.frontier.size}."
            raise damaged("pack-record", f"{layout.EVENTS}, line {min(point.size, self.frontier.size) + 1}", why)
        if point.root != self.frontier.root():
            why = "Its events do not hash to the root in data/record/checkpoint: a line was altered."
            raise damaged("pack-record", layout.EVENTS, why)
        return point


@dataclass(slots=True)
class Contents:
    """What one pass found."""

    incident: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    """Path (without the bag's folder) to SHA-256, in archive order."""
    sizes: dict[str, int] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)
    """Evidence id to the digests its capture manifest names."""
    record: Record = field(default_factory=lambda: Record(""))
    point: checkpoints.Checkpoint = field(default_factory=lambda: checkpoints.Checkpoint("", 0, b""))
    """The record's checkpoint, once the events were found to hash to it."""
    words_read: int = 0
    withheld_words: set[str] = field(default_factory=set)


def read_pack(source: Source) -> Contents:
    """One pass over the archive.

    Raises:
        DamagedError: at the first place that contradicts the form, the record's order or a text's commitment.
    """
    reader, found = Reader(source), Contents()
    for member in reader.members():
        root, _, path = member.path.partition("/")
        found.incident = found.incident or root
        if root != found.incident or not layout.INCIDENT.fullmatch(root) or not _belongs(path):
            raise damaged("pack-unexpected", member.path, "Nothing in a pack has this name: it was added.")
        found.digests[path] = _take(reader, member, path, found)
        found.sizes[path] = member.size
    return found


def _belongs(path: str) -> bool:
    if path in layout.REQUIRED or path == layout.WITHHELD:
        return True
    return bool(layout.PROOF_PATH.fullmatch(path) or layout.EVIDENCE_PATH.fullmatch(path))


def _take(reader: Reader, member: Member, path: str, found: Contents) -> str:
    """Hash one member, and follow or keep it if it is more than evidence."""
    digest = hashlib.sha256()
    pieces = _telling(reader.contents(), digest.update)
    if path == layout.EVENTS:
        found.record.incident = found.incident
        for line in _lines(pieces, path):
            found.record.add(line)
    elif path == layout.TEXTS:
        _close_record(found)
        _read_words(_lines(pieces, path), found)
    elif not path.startswith(("data/evidence/", "data/report/")) or path.endswith(f"/{layout.CAPTURE_MANIFEST}"):
        if member.size > MAX_KEPT:
            raise damaged("pack-too-large", member.path, "No file of this kind has more than 64 MiB.")
        kept = b"".join(bytes(piece) for piece in pieces)
        if path.startswith("data/evidence/"):
            evidence_id = path.split("/")[2]
            found.named[evidence_id] = {match.decode() for match in layout.NAMED_OBJECT.findall(kept)}
        else:
            found.kept[path] = kept
    else:
        for _ in pieces:
            pass
    return digest.hexdigest()


def _close_record(found: Contents) -> None:
    """Prove the record before anything that follows from it; what proves it comes earlier in the archive."""
    for path in (layout.CHECKPOINT, layout.CHECKPOINT_BODY, layout.EVENTS):
        if path not in found.digests:
            raise damaged("pack-missing", path, "Every pack has this file, and this one does not.")
    body = found.kept[layout.CHECKPOINT_BODY]
    if not found.kept[layout.CHECKPOINT].startswith(body + b"\n"):
        raise damaged("pack-record", layout.CHECKPOINT_BODY, "It is not the text of data/record/checkpoint.")
    try:
        found.point = found.record.close(body)
    except DamagedError as error:
        if error.details.get("place"):
            raise
        raise refuse_as("pack-record", layout.CHECKPOINT_BODY, error) from error


def _telling(pieces: Iterable[memoryview], hear: Callable[[memoryview], None]) -> Iterator[memoryview]:
    for piece in pieces:
        hear(piece)
        yield piece


def _lines(pieces: Iterable[memoryview], path: str) -> Iterator[bytes]:
    """Lines without their newline; the last one must have had one."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + bytes(piece)).split(b"\n")
        yield from lines
        if len(rest) > MAX_LINE:
            raise damaged("pack-too-large", path, "No line of ours is longer than 16 MiB.")
    if rest:
        raise damaged("pack-truncated", path, "Its last line does not end.")


def read_line(line: bytes, place: str, code: str) -> dict[str, Any]:
    """A canonical JSON object.

    Raises:
        DamagedError: with ``code``, unless the bytes are the RFC 8785 form of what they say.
    """
    try:
        value = json.loads(line)
        if isinstance(value, dict) and canonical(value) == line:
            return value
    except (ValueError, RecursionError, BadInputError):
        pass
    raise damaged(code, place, "The line is not a JSON object in its one canonical form (RFC 8785).")


def _read_words(lines: Iterator[bytes], found: Contents) -> None:
    expected = iter(found.record.words.values())
    for number, line in enumerate(lines, 1):
        place = f"{layout.TEXTS}, line {number}"
        spoken = next(expected, None)
        words = read_line(line, place, "pack-text")
        if spoken is None or words.get("id") != spoken.reference.text_id:
            raise damaged("pack-text", place, "Another text belongs here: one was dropped, added or moved.")
        if not _is_kept_word(words, spoken, found.record):
            raise damaged("pack-text", place, "The words are not those that the record committed to.")
        if "withheld" in words:
            found.withheld_words.add(spoken.reference.text_id)
        found.words_read += 1
    if next(expected, None) is not None:
        raise damaged("pack-text", f"{layout.TEXTS}, line {found.words_read + 1}", "Texts are missing at the end.")


def _is_kept_word(words: Mapping[str, Any], spoken: Spoken, record: Record) -> bool:
    order = record.erased_words.get(spoken.reference.text_id)
    if set(words) == {"erased", "id"}:
        return order is not None and words["erased"] == order
    if set(words) == {"id", "withheld"}:
        return words["withheld"] is True
    salt, text = words.get("salt"), words.get("text")
    if set(words) != {"id", "salt", "text"} or not isinstance(salt, str) or not isinstance(text, str):
        return False
    try:
        raw = bytes.fromhex(salt)
    except ValueError:
        return False
    return raw.hex() == salt and hmac.compare_digest(commitment(raw, text), spoken.reference.commitment)


def refuse_as(code: str, place: str, error: DamagedError) -> DamagedError:
    """Another module's refusal, at a place of the pack."""
    return damaged(code, place, error.why)
