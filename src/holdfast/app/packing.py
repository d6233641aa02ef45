"""Writing a pack: everything is planned first (sizes, digests, order), then streamed in one go.

Rules:
1. The pack ends at one checkpoint: the newest that the installation log holds. Events that come meanwhile are
   left for the next pack.
2. Events, words and evidence are checked on their way out: a damaged store gives an error, never a pack.
3. Checkpoints are opened with any key the installation ever had and signed again with the present one, so that
   a pack has one signer.
4. The same incident at the same checkpoint under the same key gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from typing import BinaryIO, Literal, Protocol

from holdfast import __version__
from holdfast.app.ports import InstallationProof
from holdfast.app.reporting import Report, render_html, render_pdf
from holdfast.evidence.names import pack_name
from holdfast.evidence.packs import archive, layout
from holdfast.evidence.packs.reading import Record
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import DamagedError
from holdfast.ledger import checkpoints
from holdfast.ledger.checkpoints import Checkpoint
from holdfast.ledger.notes import Signer, VerifierKey, open_note, sign_note
from holdfast.ledger.tree import Tree, leaf_hash


@dataclass(frozen=True, slots=True)
class PackedObject:
    """One stored object that goes into the pack."""

    evidence_id: str
    role: Literal["item", "manifest", "content"]
    """The item's own bytes, its capture manifest when that is another object, or an object the manifest names."""
    name: str
    """Original name or path, for the name in the pack; '' when unknown or erased."""
    sha256: str
    size: int


class PackSource(Protocol):
    """One incident as the packer sees it."""

    @property
    def incident_id(self) -> str:
        """The incident; also the bag's folder."""
        ...

    @property
    def signer(self) -> Signer:
        """Who signs the pack."""
        ...

    @property
    def verifier_keys(self) -> Sequence[VerifierKey]:
        """Every key the installation ever signed with."""
        ...

    @property
    def withheld(self) -> Collection[str]:
        """Evidence ids and text ids that stay behind; what was erased need not be named."""
        ...

    def installation(self) -> InstallationProof:
        """The installation log and the incident's places in it; asked first, it fixes where the pack ends."""
        ...

    def checkpoint(self, size: int) -> bytes | None:
        """The incident's signed checkpoint at a size."""
        ...

    def lines(self) -> Iterator[bytes]:
        """Stored bytes of every event in order; asked twice, and read only up to the checkpoint."""
        ...

    def material(self, text_id: str) -> tuple[bytes, str] | None:
        """(salt, words) of a sealed text, or none when erased."""
        ...

    def objects(self) -> Iterable[PackedObject]:
        """Every object of every item that is neither erased nor withheld, each digest once per item."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """An object's bytes."""
        ...

    def report(self, seq: int) -> Report:
        """What people read, covering events up to and including ``seq``, without withheld words."""
        ...


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written."""

    incident_id: str
    events: int
    objects: int
    size: int
    """Bytes of the archive."""
    sha256: str
    """Of the archive, for a transfer note; the pack proves itself without it."""
    signer: VerifierKey


@dataclass(frozen=True, slots=True)
class _File:
    """A member to come."""

    size: int
    sha256: str
    open: Callable[[], Iterator[bytes | memoryview]]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The record up to the pack's checkpoint, read once."""

    record: Record
    point: Checkpoint
    note: bytes
    tree: Tree
    lines: _File


def write_pack(
    source: PackSource, out: BinaryIO, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> Packed:
    """Write the pack to ``out``; ``tell`` hears (bytes written, bytes in all) about once per MiB.

    Raises:
        DamagedError: record, words or evidence in the store fail their proof; what was written is no pack.
    """
    proof = source.installation()
    ledger = _read_ledger(source, proof)
    plan = _texts(source, ledger) | _evidence(source) | _proofs(ledger) | _installation(source, proof)
    plan[layout.EVENTS] = ledger.lines
    plan |= _signed_record(source, ledger)
    report = source.report(ledger.point.size - 1)
    plan[layout.REPORT_HTML] = _whole(render_html(report))
    plan[layout.REPORT_PDF] = _whole(render_pdf(report))
    plan |= _bag(source, ledger, plan)
    objects = sum(path.startswith("data/evidence/") for path in plan)
    size, digest = _write(source.incident_id, plan, out, tell)
    return Packed(source.incident_id, ledger.point.size, objects, size, digest, source.signer.key)


def _read_ledger(source: PackSource, proof: InstallationProof) -> _Ledger:
    newest = json.loads(proof.leaves[proof.newest])
    note = source.checkpoint(newest["size"])
    if note is None:
        raise _damaged("pack-source-record", "the checkpoint that the installation log names is missing")
    point = checkpoints.parse(open_note(note, source.verifier_keys)[0])
    record, leaves, digest, size = Record(source.incident_id), [], hashlib.sha256(), 0
    for line in islice(source.lines(), point.size):
        record.add(line)
        leaves.append(leaf_hash(line))
        digest.update(line + b"\n")
        size += len(line) + 1
    record.close(point.body())

    def again() -> Iterator[bytes]:
        for line in islice(source.lines(), point.size):
            yield line + b"\n"

    signed = sign_note(point.body(), [source.signer])
    return _Ledger(record, point, signed, Tree(leaves), _File(size, digest.hexdigest(), again))


def _texts(source: PackSource, ledger: _Ledger) -> dict[str, _File]:
    """``texts.jsonl`` and ``withheld.jsonl``."""
    record, withheld = ledger.record, frozenset(source.withheld)
    lines: list[dict[str, object]] = []
    left: list[dict[str, object]] = []
    for item in record.evidence.values():
        if item.id in withheld and item.id not in record.erased:
            kept = {"event": item.seq, "id": item.id, "kind": "evidence", "sha256": item.sha256, "size": item.size}
            left.append({**kept, "proof": _steps(ledger, item.seq)})
    for text_id, spoken in record.words.items():
        if text_id in record.erased_words:
            lines.append({"erased": record.erased_words[text_id], "id": text_id})
        elif text_id in withheld:
            lines.append({"id": text_id, "withheld": True})
            entry = {"event": spoken.seq, "id": text_id, "kind": "text", "commitment": spoken.reference.commitment}
            left.append({**entry, "proof": _steps(ledger, spoken.seq)})
        else:
            found = source.material(text_id)
            if found is None:
                raise _damaged(
                    "pack-source-text", f"the words of {text_id} are gone, and no recorded order erased them"
                )
            lines.append({"id": text_id, "salt": found[0].hex(), "text": found[1]})
    plan = {layout.TEXTS: _whole(_jsonl(lines))}
    return plan | {layout.WITHHELD: _whole(_jsonl(left))} if left else plan


def _steps(ledger: _Ledger, seq: int) -> list[str]:
    return [step.hex() for step in ledger.tree.inclusion_proof(seq)]


def _jsonl(lines: Iterable[Mapping[str, object]]) -> bytes:
    return b"".join(canonical(line) + b"\n" for line in lines)


def _evidence(source: PackSource) -> dict[str, _File]:
    plan: dict[str, _File] = {}
    for number, item in enumerate(source.objects(), 1):
        folder = f"data/evidence/{item.evidence_id}"
        name = {
            "item": pack_name(item.evidence_id, item.name),
            "manifest": layout.CAPTURE_MANIFEST,
            "content": f"contents/{pack_name(f'{number:06d}', item.name)}",
        }[item.role]
        plan[f"{folder}/{name}"] = _File(item.size, item.sha256, _stream(source, item.sha256))
    return plan


def _stream(source: PackSource, sha256: str) -> Callable[[], Iterator[memoryview]]:
    def pieces() -> Iterator[memoryview]:
        buffer = memoryview(bytearray(archive.CHUNK))
        with source.open(sha256) as file:
            while count := file.readinto(buffer):  # type: ignore[attr-defined]  # BinaryIO lacks it, every file has it
                yield buffer[:count]

    return pieces


def _proofs(ledger: _Ledger) -> dict[str, _File]:
    """One proof per collected item, to show its event alone."""
    return {
        f"data/proofs/{item.id}.tlog-proof": _whole(
            checkpoints.proof_text(item.seq, ledger.tree.inclusion_proof(item.seq), ledger.note)
        )
        for item in ledger.record.evidence.values()
    }


def _installation(source: PackSource, proof: InstallationProof) -> dict[str, _File]:
    point = checkpoints.parse(open_note(proof.note, source.verifier_keys)[0])
    tree = Tree([leaf_hash(leaf) for leaf in proof.leaves])
    if (point.size, point.root) != (tree.size, tree.root()):
        raise _damaged("pack-source-log", "the installation log's leaves do not hash to its checkpoint")
    note = sign_note(point.body(), [source.signer])
    plan = {layout.INSTALLATION: _whole(note)}
    for leaf, path, proof_path in (
        (proof.opening, layout.OPENING, layout.OPENING_PROOF),
        (proof.newest, layout.NEWEST, layout.NEWEST_PROOF),
    ):
        plan[path] = _whole(proof.leaves[leaf])
        plan[proof_path] = _whole(checkpoints.proof_text(leaf, tree.inclusion_proof(leaf), note))
    return plan


def _signed_record(source: PackSource, ledger: _Ledger) -> dict[str, _File]:
    body, key = ledger.point.body(), source.signer.key
    return {
        layout.CHECKPOINT: _whole(ledger.note),
        layout.CHECKPOINT_BODY: _whole(body),
        layout.CHECKPOINT_SIG: _whole(source.signer.sign(body)),
        layout.PUBLIC_KEY: _whole(layout.public_pem(key.public)),
        layout.VKEY: _whole(f"{key.vkey()}\n".encode()),
    }


def _bag(source: PackSource, ledger: _Ledger, plan: Mapping[str, _File]) -> dict[str, _File]:
    """Everything outside ``data/``, once all of that is planned."""
    payload = sorted(plan)
    digests = {path: plan[path].sha256 for path in payload}
    counts = (sum(file.size for file in plan.values()), len(plan))
    record = (ledger.point.size, ledger.record.through)
    shipped, key = files("holdfast.evidence.packs"), source.signer.key
    words = {"@INCIDENT@": source.incident_id, "@SIGNER@": key.name, "@VKEY@": key.vkey(), "@PRINT@": key.fingerprint()}
    instructions = shipped.joinpath(layout.INSTRUCTIONS).read_text(encoding="utf-8")
    for mark, word in words.items():
        instructions = instructions.replace(mark, word)
    tags = {
        layout.BAGIT_TXT: layout.BAGIT,
        layout.BAG_INFO: layout.bag_info(source.incident_id, counts, record, __version__),
        layout.MANIFEST: layout.manifest(digests, payload),
        layout.INSTRUCTIONS: instructions.encode(),
        layout.VERIFIER: shipped.joinpath(layout.VERIFIER).read_bytes(),
    }
    bag = {path: _whole(content) for path, content in tags.items()}
    listing = layout.manifest({path: file.sha256 for path, file in bag.items()}, layout.TAGGED)
    bag[layout.TAG_MANIFEST] = _whole(listing)
    bag[layout.TAG_NOTE] = _whole(sign_note(listing, [source.signer]))
    bag[layout.TAG_SIG] = _whole(source.signer.sign(listing))
    return bag


def _whole(content: bytes) -> _File:
    return _File(len(content), hashlib.sha256(content).hexdigest(), lambda: iter((content,)))


def _write(root: str, plan: Mapping[str, _File], out: BinaryIO, tell: Callable[[int, int], None]) -> tuple[int, str]:
    """Stream the archive; its size and digest."""
    headers = {path: archive.header(f"{root}/{path}", plan[path].size) for path in sorted(plan)}
    padded = sum(file.size + len(archive.padding(file.size)) for file in plan.values())
    total = padded + sum(map(len, headers.values())) + len(archive.END)
    whole, done, told = hashlib.sha256(), 0, 0

    def put(piece: bytes | memoryview) -> None:
        nonlocal done, told
        out.write(piece)
        whole.update(piece)
        done += len(piece)
        if done - told >= archive.CHUNK or done == total:
            told = done
            tell(done, total)

    for path, head in headers.items():
        put(head)
        digest, size, file = hashlib.sha256(), 0, plan[path]
        for piece in file.open():
            digest.update(piece)
            size += len(piece)
            put(piece)
        if size != file.size or digest.hexdigest() != file.sha256:
            raise _damaged("pack-source-file", f"the stored bytes of {path} are not those the record names")
        put(archive.padding(size))
    put(archive.END)
    return done, whole.hexdigest()


def _damaged(code: str, why: str) -> DamagedError:
    return DamagedError(
        code,
        "No pack can be made of this incident as it is stored.",
        why=f"Everything is checked on its way out, and {why}.",
        next_step="Run `holdfast fsck`, and restore what it names from a backup.",
    )
