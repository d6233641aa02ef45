"""Verifying a pack, step by step, offline, in one pass.

1. **archive**: every header, padding byte and the end are what :mod:`.archive` would write; names in order.
2. **record**: every event is canonical, numbered without a gap, of this incident; the tree's root and size
   are the checkpoint's.
3. **words**: every sealed text fits its commitment, or is erased by a recorded order, or withheld.
4. **evidence**: every collected item is there byte for byte, or erased by a recorded order, or withheld; nothing
   else is; each item's proof shows its event alone.
5. **installation**: the signer's installation log holds this incident's opening and this very checkpoint.
6. **bag**: declaration, counts and both manifests are what follows from the files.
7. **signatures**: tag manifest, checkpoint and installation checkpoint are signed by the one key in the pack.
8. **signer**: that key is one you already trust; without such a key the signer stays unproven.

Signatures come after the arithmetic, so that an accident is named where it happened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.evidence.packs import layout
from holdfast.evidence.packs.archive import Source, damaged
from holdfast.evidence.packs.reading import Collected, Contents, Record, read_line, read_pack, refuse_as
from holdfast.kernel.errors import BadInputError, DamagedError
from holdfast.ledger import checkpoints
from holdfast.ledger.checkpoints import Checkpoint
from holdfast.ledger.notes import VerifierKey, open_note, parse_note
from holdfast.ledger.tree import leaf_hash, verify_inclusion


@dataclass(frozen=True, slots=True)
class Step:
    """One step that held."""

    number: int
    name: str
    found: str
    """What was checked, for a person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pack that was not refused proves."""

    incident: str
    events: int
    through: str
    """When the newest event was recorded, as the record says."""
    evidence: int
    """Items whose bytes are in the pack."""
    withheld: int
    """Items and texts that are not, by the exporter's choice."""
    erased: int
    """Items and texts that are not, by recorded erasure orders."""
    signer: VerifierKey
    authentic: bool
    """Whether the signer is one of the keys the caller already trusted."""
    steps: tuple[Step, ...]

    @property
    def sentence(self) -> str:
        """The verdict in words; *authentic* only against a key from elsewhere."""
        if self.authentic:
            return f"authentic: signed by {self.signer.name}, whose key you trust"
        return f"intact, signer unproven: compare fingerprint {self.signer.fingerprint()}"


def read_keys(text: str) -> tuple[VerifierKey, ...]:
    """The keys of a pinned-keys file: one verifier key a line; blank lines and ``#`` comments are passed over.

    Raises:
        BadInputError: a line that is no key, or no key at all.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = tuple(VerifierKey.from_vkey(line) for line in lines if line and not line.startswith("#"))
    if not keys:
        raise BadInputError(
            "no-pinned-keys",
            "The pinned-keys file holds no key.",
            why="With no key to compare with, nothing would be authentic.",
            next_step="Put a verifier key (NAME+ID+KEY) on a line of its own.",
        )
    return keys


def verify(
    source: Source, trusted: Sequence[VerifierKey] = (), tell: Callable[[Step], None] = lambda _: None
) -> Verdict:
    """Verify a pack; ``tell`` hears of each step as it holds.

    Raises:
        DamagedError: at the first thing that is wrong; ``details["place"]`` says where.
    """
    steps: list[Step] = []

    def hold(name: str, found: str) -> None:
        steps.append(Step(len(steps) + 1, name, found))
        tell(steps[-1])

    contents = read_pack(source)
    _require_files(contents)
    hold("archive", f"{len(contents.digests)} files, {sum(contents.sizes.values())} bytes, every header recomputed")
    record, point = contents.record, contents.point
    hold("record", f"{point.size} events hash to the root of the checkpoint, {point.origin}")
    hold("words", f"{contents.words_read} texts fit their commitments ({len(record.erased_words)} erased)")
    withheld = _withheld(contents)
    present = _evidence(contents, withheld)
    hold("evidence", f"{present} items are as collected ({len(record.erased)} erased, {len(withheld)} withheld)")
    _installation(contents, point)
    hold("installation", "the installation log holds this incident's opening and this checkpoint")
    _bag(contents)
    hold("bag", "declaration, counts, manifest and tag manifest follow from the files")
    signer = _signatures(contents)
    hold("signatures", f"signed by {signer.name}, key {signer.key_id.hex()}")
    authentic = _signer(signer, trusted)
    if authentic:
        hold("signer", "the key is one you trust")
    erased = len(record.erased) + len(record.erased_words)
    return Verdict(
        incident=contents.incident,
        events=point.size,
        through=record.through,
        evidence=present,
        withheld=len(withheld),
        erased=erased,
        signer=signer,
        authentic=authentic,
        steps=tuple(steps),
    )


def _require_files(contents: Contents) -> None:
    missing = sorted(layout.REQUIRED - contents.digests.keys())
    if missing:
        raise damaged("pack-missing", missing[0], "Every pack has this file, and this one does not.")


def _withheld(contents: Contents) -> set[str]:
    """Ids of withheld items and texts; every line is proven, and a withheld text says so in both places."""
    lines = contents.kept.get(layout.WITHHELD, b"").split(b"\n")
    if lines.pop() or (layout.WITHHELD in contents.kept and not lines):
        raise damaged("pack-withheld", layout.WITHHELD, "Its last line does not end, or it is empty.")
    found: set[str] = set()
    for number, line in enumerate(lines, 1):
        place = f"{layout.WITHHELD}, line {number}"
        entry = read_line(line, place, "pack-withheld")
        proof, name = entry.pop("proof", None), str(entry.get("id"))
        expected = _recorded(contents.record, name)
        if name in found or expected is None or entry != expected[0]:
            raise damaged("pack-withheld", place, "It is not what the record says of a withheld item.")
        if not _is_included(expected[1], int(entry["event"]), proof, contents):
            raise damaged("pack-withheld", place, "Its proof does not lead to the checkpoint's root.")
        found.add(name)
    if {name for name in found if name in contents.record.words} != contents.withheld_words:
        raise damaged("pack-withheld", layout.WITHHELD, "It and texts.jsonl disagree on which texts are withheld.")
    return found


def _recorded(record: Record, name: str) -> tuple[dict[str, object], bytes] | None:
    """What a withheld item's line must say, and the leaf its proof is of."""
    item, spoken = record.evidence.get(name), record.words.get(name)
    if item is not None:
        line = {"event": item.seq, "id": name, "kind": "evidence", "sha256": item.sha256, "size": item.size}
        return line, item.leaf
    if spoken is not None:
        sealed = spoken.reference.commitment
        return {"commitment": sealed, "event": spoken.seq, "id": name, "kind": "text"}, spoken.leaf
    return None


def _is_included(leaf: bytes, index: int, proof: object, contents: Contents) -> bool:
    if not isinstance(proof, list):
        return False
    try:
        steps = [bytes.fromhex(step) for step in proof]
    except (TypeError, ValueError):
        return False
    frontier = contents.record.frontier
    is_canonical = [step.hex() for step in steps] == proof
    return is_canonical and verify_inclusion(leaf, index, frontier.size, steps, frontier.root())


def _evidence(contents: Contents, withheld: set[str]) -> int:
    """Compare what is there with what the record says was collected; how many items are there."""
    record = contents.record
    packed: dict[str, list[str]] = {}
    for path in contents.digests:
        found = layout.EVIDENCE_PATH.fullmatch(path)
        if found:
            packed.setdefault(found[1], []).append(path)
    for evidence_id, paths in packed.items():
        if evidence_id not in record.evidence or evidence_id in record.erased or evidence_id in withheld:
            raise damaged("pack-evidence", paths[0], "The record has no such item, or says that it is not here.")
    for item in record.evidence.values():
        _prove(item, contents)
        if item.id in record.erased or item.id in withheld:
            continue
        if item.id not in packed:
            raise damaged("pack-evidence", f"data/evidence/{item.id}", "The record has this item, the pack has not.")
        _compare(item, packed[item.id], contents)
    proofs = {f"data/proofs/{evidence_id}.tlog-proof" for evidence_id in record.evidence}
    extra = sorted(path for path in contents.digests if layout.PROOF_PATH.fullmatch(path) and path not in proofs)
    if extra:
        raise damaged("pack-unexpected", extra[0], "It proves an item that the record does not have.")
    return len(packed)


def _compare(item: Collected, paths: list[str], contents: Contents) -> None:
    """One item: its bytes, its capture manifest, and everything the manifest names, nothing more."""
    own = [path for path in paths if "/contents/" not in path]
    inner = {path: contents.digests[path] for path in paths if "/contents/" in path}
    expected = {item.sha256, item.manifest or item.sha256}
    for path in own:
        if contents.digests[path] not in expected:
            raise damaged("pack-evidence", path, f"Its SHA-256 is not the one recorded by event {item.seq}.")
        is_wrong_size = contents.digests[path] == item.sha256 and contents.sizes[path] != item.size
        if is_wrong_size:
            raise damaged("pack-evidence", path, f"Its size is not the one recorded by event {item.seq}.")
    if {contents.digests[path] for path in own} != expected or len(own) != len(expected):
        raise damaged("pack-evidence", own[0] if own else paths[0], "The item, its manifest, or a second copy of one.")
    if item.manifest and contents.digests.get(f"data/evidence/{item.id}/{layout.CAPTURE_MANIFEST}") != item.manifest:
        raise damaged("pack-evidence", own[0], "The capture manifest is not under its name.")
    named = contents.named.get(item.id, set()) if item.manifest else set()
    for path, digest in inner.items():
        if digest not in named:
            raise damaged("pack-evidence", path, "The item's capture manifest does not name its SHA-256.")
    lost = sorted(named - set(inner.values()) - expected - set(contents.record.erased.values()))
    if lost:
        place = f"data/evidence/{item.id}/contents"
        raise damaged("pack-evidence", place, f"The capture manifest names {lost[0]}, and it is not there.")


def _prove(item: Collected, contents: Contents) -> None:
    """The item's ``.tlog-proof`` shows the event that collected it under the pack's own checkpoint."""
    path = f"data/proofs/{item.id}.tlog-proof"
    if not _shows(contents.kept.get(path, b""), item.leaf, item.seq, contents.kept[layout.CHECKPOINT], contents.point):
        raise damaged("pack-proof", path, "It does not show the event that collected the item.")


def _shows(text: bytes, leaf: bytes, index: int | None, note: bytes, point: Checkpoint) -> bool:
    """Whether a ``.tlog-proof`` shows the leaf (at the index, if one is given) under exactly this note."""
    try:
        shown = checkpoints.parse_proof(text)
    except DamagedError:
        return False
    is_ours = checkpoints.proof_text(shown.index, shown.proof, note) == text and index in (None, shown.index)
    return is_ours and verify_inclusion(leaf, shown.index, point.size, shown.proof, point.root)


def _installation(contents: Contents, point: Checkpoint) -> None:
    """Opening and newest checkpoint of this incident are leaves of the installation log."""
    note = contents.kept[layout.INSTALLATION]
    try:
        log = checkpoints.parse(parse_note(note).body)
    except DamagedError as error:
        raise refuse_as("pack-installation", layout.INSTALLATION, error) from error
    if checkpoints.stream_origin(log.origin, contents.incident) != point.origin:
        why = f"The checkpoint is of {point.origin}, which is not this incident under {log.origin}."
        raise damaged("pack-installation", layout.CHECKPOINT_BODY, why)
    wanted = {
        layout.OPENING: (checkpoints.opening_leaf(contents.incident, contents.record.first_leaf), layout.OPENING_PROOF),
        layout.NEWEST: (checkpoints.checkpoint_leaf(contents.incident, point.size, point.root), layout.NEWEST_PROOF),
    }
    for path, (leaf, proof) in wanted.items():
        if contents.kept[path] != leaf:
            raise damaged("pack-installation", path, "It is not the leaf that follows from the record.")
        if not _shows(contents.kept[proof], leaf_hash(leaf), None, note, log):
            raise damaged("pack-installation", proof, "It does not lead to the installation log's root.")


def _bag(contents: Contents) -> None:
    """Both manifests, the counts and the declaration are recomputed; a difference is placed at the listed file."""
    kept, record = contents.kept, contents.record
    tags = layout.manifest(contents.digests, layout.TAGGED)
    is_listed, is_sealed = kept[layout.TAG_MANIFEST] == tags, kept[layout.TAG_NOTE].startswith(tags + b"\n")
    if is_listed != is_sealed:
        altered = layout.TAG_NOTE if is_listed else layout.TAG_MANIFEST
        raise damaged("pack-bag", altered, "The tag manifest and the signed note over it differ.")
    payload = [path for path in contents.digests if path.startswith("data/")]
    _compare_listing(layout.TAG_MANIFEST, layout.TAGGED, contents)
    _compare_listing(layout.MANIFEST, payload, contents)
    software = re.search(rb"Bag-Software-Agent: Holdfast ([0-9A-Za-z.+-]{1,40})\n", kept[layout.BAG_INFO])
    info = layout.bag_info(
        contents.incident,
        (sum(contents.sizes[path] for path in payload), len(payload)),
        (record.frontier.size, record.through),
        software[1].decode() if software else "",
    )
    for path, expected in ((layout.BAG_INFO, info), (layout.BAGIT_TXT, layout.BAGIT)):
        if kept[path] != expected:
            raise damaged("pack-bag", path, "It does not describe this pack.")


def _compare_listing(listing: str, paths: Sequence[str], contents: Contents) -> None:
    lines = contents.kept[listing].split(b"\n")
    for number, path in enumerate(paths):
        if number >= len(lines) or lines[number] != layout.manifest(contents.digests, [path]).rstrip(b"\n"):
            raise damaged("pack-bag", path, f"Its SHA-256 is not what {listing} says in line {number + 1}.")
    if lines[len(paths) :] != [b""]:
        raise damaged("pack-bag", f"{listing}, line {len(paths) + 1}", "It lists a file that is not there.")


def _signatures(contents: Contents) -> VerifierKey:
    """The one key of the pack, after it proved to have signed everything that is signed."""
    kept = contents.kept
    try:
        key = VerifierKey.from_vkey(kept[layout.VKEY].decode("utf-8", "replace"))
    except BadInputError as error:
        raise damaged("pack-signature", layout.VKEY, error.why) from error
    if kept[layout.VKEY] != f"{key.vkey()}\n".encode():
        raise damaged("pack-signature", layout.VKEY, "It does not hold exactly one verifier key.")
    if kept[layout.PUBLIC_KEY] != layout.public_pem(key.public):
        raise damaged("pack-signature", layout.PUBLIC_KEY, "It is not the key in data/record/vkey.")
    for path, raw in (
        (layout.TAG_NOTE, layout.TAG_SIG),
        (layout.CHECKPOINT, layout.CHECKPOINT_SIG),
        (layout.INSTALLATION, None),
    ):
        try:
            signatures = parse_note(kept[path]).signatures
            open_note(kept[path], [key])
        except DamagedError as error:
            raise refuse_as("pack-signature", path, error) from error
        if len(signatures) != 1:
            raise damaged("pack-signature", path, "It carries another signature than the pack's own.")
        if raw is not None and kept[raw] != signatures[0].signature:
            raise damaged("pack-signature", raw, f"It is not the signature of {path}.")
    return key


def _signer(signer: VerifierKey, trusted: Sequence[VerifierKey]) -> bool:
    if trusted and signer not in trusted:
        why = f"It is signed by another key than those you trust: fingerprint {signer.fingerprint()}."
        raise damaged("pack-signer", layout.VKEY, why)
    return bool(trusted)
