"""Checkpoints (c2sp.org/tlog-checkpoint), proofs of one leaf (c2sp.org/tlog-proof), and the log's names.

Rules:
1. A checkpoint's body is three lines: origin, size in decimal, root in base64; we write no extension lines
   and accept none.
2. One installation signs many logs with one key, so an incident's origin is the installation log's origin,
   a slash and the incident's id; nobody can show one log's checkpoint as another's.
3. The installation log's leaves are canonical JSON: an opening names the leaf hash of a stream's first event,
   a checkpoint names size and root. An incident that vanishes leaves its opening behind.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import DamagedError
from holdfast.ledger.notes import Signer, decode_base64, is_name, sign_note
from holdfast.ledger.tree import HASH_BYTES

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_LINES = 3
_MAX_PROOF_HASHES = 63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's size and root at one moment, and which log it belongs to."""

    origin: str
    size: int
    root: bytes
    """32 bytes."""

    def body(self) -> bytes:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    def signed(self, signer: Signer) -> bytes:
        """The signed note of this checkpoint."""
        return sign_note(self.body(), [signer])


def parse(body: bytes) -> Checkpoint:
    """Read :meth:`Checkpoint.body` back.

    Raises:
        DamagedError: ``checkpoint-malformed``, unless it is byte for byte what ``body`` would write.
    """
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError:
        raise _malformed("checkpoint-malformed", "it is not UTF-8") from None
    if len(lines) != _LINES + 1 or lines[-1]:
        raise _malformed("checkpoint-malformed", "it does not have exactly three lines")
    origin, size, encoded = lines[:_LINES]
    root = decode_base64(encoded)
    if not is_name(origin) or not _SIZE.fullmatch(size) or root is None or len(root) != HASH_BYTES:
        raise _malformed("checkpoint-malformed", "the lines are not an origin, a size and a root hash")
    return Checkpoint(origin, int(size), root)


def stream_origin(log_origin: str, stream_id: str) -> str:
    """The origin of one stream's (incident's) log, from that of the installation log."""
    return f"{log_origin}/{stream_id}"


def opening_leaf(stream_id: str, first_leaf: bytes) -> bytes:
    """The installation log's leaf data for a stream's opening; ``first_leaf`` is event 0's leaf hash."""
    return canonical({"first": first_leaf.hex(), "log": "opening", "stream": stream_id})


def checkpoint_leaf(stream_id: str, size: int, root: bytes) -> bytes:
    """The installation log's leaf data for a checkpoint of a stream."""
    return canonical({"log": "checkpoint", "root": root.hex(), "size": size, "stream": stream_id})


def proof_text(index: int, proof: Sequence[bytes], checkpoint_note: bytes) -> bytes:
    """The ``.tlog-proof`` of leaf ``index``: with it and the leaf, one event can be shown alone."""
    lines = [PROOF_HEADER, f"index {index}", *(base64.b64encode(step).decode() for step in proof), "", ""]
    return "\n".join(lines).encode() + checkpoint_note


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A ``.tlog-proof`` taken apart."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint_note: bytes


def parse_proof(text: bytes) -> LeafProof:
    """Read :func:`proof_text` back; the checkpoint note inside is not verified.

    Raises:
        DamagedError: ``proof-malformed``.
    """
    head, separator, note = text.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not separator or lines[0] != PROOF_HEADER or len(lines) < 2:  # noqa: PLR2004  # header and index line
        raise _malformed("proof-malformed", f"it does not begin with {PROOF_HEADER} and an index")
    word, _, index = lines[1].partition(" ")
    hashes = [decode_base64(line) for line in lines[2:]]
    steps = tuple(step for step in hashes if step is not None and len(step) == HASH_BYTES)
    if word != "index" or not _SIZE.fullmatch(index) or len(steps) != len(hashes) or len(steps) > _MAX_PROOF_HASHES:
        raise _malformed("proof-malformed", "its lines are not an index and hashes in base64")
    return LeafProof(int(index), steps, note)


def _malformed(code: str, why: str) -> DamagedError:
    return DamagedError(
        code,
        "The log's proof cannot be read.",
        why=f"The form is strict, and {why}.",
        next_step="Get it again from whoever signed it.",
    )
