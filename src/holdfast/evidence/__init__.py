"""What was collected, who holds it, and what may never be done to it. Pure: no clock, file or socket.

Rules:
1. An item's bytes are named by their SHA-256; the bytes themselves are in the vault, never in an event.
2. Every item has exactly one custodian at every instant: who collected it, then whoever *accepted* a transfer.
   A proposed transfer changes nothing, and a transfer without a receiver is refused.
3. Collecting, viewing, transferring, exporting and re-verifying are each recorded; nothing else touches evidence.
4. Evidence and words are destroyed only by an erasure order: asked for by the business owner, approved by a
   second person, refused while a legal hold covers the target. Digest and tombstone stay; nothing is un-erased.
5. One order erases every item of the incident with the same bytes, because they are the same bytes.
6. A file name is somebody's words: it is sealed text. What pages and packs show is computed by ``names``.
7. A capture that could not read everything says so, entry by entry, in its manifest: it is *incomplete*.

Not handled here: destroying bytes and text keys (``app`` does, upon ``evidence.erased`` and ``text.erased``),
who may act (``app/library/acts/evidence.toml``), packs (``evidence.packs``).
"""

from __future__ import annotations

from holdfast.evidence.events import TYPES
from holdfast.evidence.state import EMPTY, Erasure, Hold, Item, State, Transfer, apply

__all__ = ["EMPTY", "TYPES", "Erasure", "Hold", "Item", "State", "Transfer", "apply"]
