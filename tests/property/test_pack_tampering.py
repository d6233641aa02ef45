"""Whatever is done to a pack, both verifiers refuse it, and at the same place for the same reason.

1,000 changes of one byte anywhere in the archive, and 200 edits of its structure: members and lines dropped,
doubled, swapped, replaced and added, with and without recomputed manifests, with and without a forger's key.
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
from collections.abc import Callable

import pytest

from holdfast.evidence.packs import archive, layout
from holdfast.evidence.packs.verify import verify
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import DamagedError
from holdfast.ledger.checkpoints import Checkpoint, checkpoint_leaf, opening_leaf, proof_text
from holdfast.ledger.notes import sign_note
from holdfast.ledger.tree import Tree, leaf_hash
from tests.unit.evidence.packs.samples import INCIDENT, LOG, Incident, incident, pack, standalone
from tests.unit.ledger.keys import SeedSigner

STANDALONE = standalone()
SOURCE = incident(withheld=frozenset({"ev-2"}))
PACK = pack(SOURCE)
FORGER = SeedSigner(66, LOG)
Files = dict[str, bytes]


def refusals(changed: bytes, *, pinned: bool) -> tuple[tuple[str, str], tuple[str, str]]:
    """(code, place) by which each verifier refuses; fails when one accepts."""
    keys = [SOURCE.signer.key] if pinned else []
    with pytest.raises(DamagedError) as ours:
        verify(io.BytesIO(changed), keys)
    with pytest.raises(STANDALONE.RefusedError) as theirs:
        STANDALONE.verify(io.BytesIO(changed), tuple(key.vkey() for key in keys))
    return (ours.value.code, str(ours.value.details["place"])), theirs.value.args[:2]


def unpack(raw: bytes) -> Files:
    reader = archive.Reader(io.BytesIO(raw))
    return {
        member.path.partition("/")[2]: b"".join(bytes(piece) for piece in reader.contents())
        for member in reader.members()
    }


def archived(members: list[tuple[str, bytes]]) -> bytes:
    parts = []
    for path, content in members:
        parts += [archive.header(f"{INCIDENT}/{path}", len(content)), content, archive.padding(len(content))]
    return b"".join([*parts, archive.END])


def repack(files: Files) -> bytes:
    return archived(sorted(files.items()))


FILES = unpack(PACK)


def with_manifests(files: Files) -> Files:
    """The same files with both manifests and the counts recomputed: what anybody can do without a key."""
    files = dict(files)
    payload = sorted(path for path in files if path.startswith("data/"))
    counts = f"Payload-Oxum: {sum(len(files[path]) for path in payload)}.{len(payload)}\n".encode()
    files[layout.BAG_INFO] = files[layout.BAG_INFO].partition(b"Payload-Oxum")[0] + counts
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    files[layout.MANIFEST] = layout.manifest(digests, payload)
    digests[layout.MANIFEST] = hashlib.sha256(files[layout.MANIFEST]).hexdigest()
    digests[layout.BAG_INFO] = hashlib.sha256(files[layout.BAG_INFO]).hexdigest()
    files[layout.TAG_MANIFEST] = layout.manifest(digests, layout.TAGGED)
    body = files[layout.TAG_NOTE].rpartition(b"\n\n")
    files[layout.TAG_NOTE] = files[layout.TAG_MANIFEST] + b"\n" + body[2]
    return files


def resealed(files: Files, signer: SeedSigner) -> Files:
    """Everything derived and signed anew under another key, as the best forger would."""
    files = dict(files)
    files[layout.VKEY] = f"{signer.key.vkey()}\n".encode()
    files[layout.PUBLIC_KEY] = layout.public_pem(signer.key.public)
    old, log_note = files[layout.CHECKPOINT], files[layout.INSTALLATION]
    body = files[layout.CHECKPOINT_BODY]
    files[layout.CHECKPOINT], files[layout.CHECKPOINT_SIG] = sign_note(body, [signer]), signer.sign(body)
    files[layout.INSTALLATION] = sign_note(log_note.rpartition(b"\n\n")[0] + b"\n", [signer])
    for path in files:
        if path.endswith(".tlog-proof"):
            files[path] = files[path].replace(old, files[layout.CHECKPOINT])
            files[path] = files[path].replace(log_note, files[layout.INSTALLATION])
    files = with_manifests(files)
    files[layout.TAG_NOTE] = sign_note(files[layout.TAG_MANIFEST], [signer])
    files[layout.TAG_SIG] = signer.sign(files[layout.TAG_MANIFEST])
    return files


def test_the_pristine_pack_is_accepted_by_both_and_rebuilds_to_the_same_bytes() -> None:
    assert repack(FILES) == PACK
    assert with_manifests(FILES) == FILES
    assert resealed(FILES, SOURCE.signer) == FILES
    assert verify(io.BytesIO(PACK), [SOURCE.signer.key]).authentic
    assert "authentic" in STANDALONE.verify(io.BytesIO(PACK), [SOURCE.signer.key.vkey()])


@pytest.mark.parametrize("batch", range(10))
def test_any_changed_byte_is_refused_by_both(batch: int) -> None:
    chance = random.Random(f"bytes {batch}")
    differing = []
    for _ in range(100):
        position, flip = chance.randrange(len(PACK)), 1 << chance.randrange(8)
        changed = bytearray(PACK)
        changed[position] ^= flip if chance.random() < 0.7 else chance.randrange(1, 256)
        ours, theirs = refusals(bytes(changed), pinned=False)
        if ours[0] != theirs[0]:
            differing.append((position, ours, theirs))
    assert not differing


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_changed_byte_in_any_file_is_placed_in_that_file(path: str) -> None:
    chance = random.Random(path)
    start = next(m.offset for m in archive.Reader(io.BytesIO(PACK)).members() if m.path.endswith("/" + path)) + 512
    for _ in range(3):
        changed = bytearray(PACK)
        changed[start + chance.randrange(len(FILES[path]))] ^= 1 << chance.randrange(8)
        (code, place), (their_code, their_place) = refusals(bytes(changed), pinned=False)
        assert code == their_code
        named = {path, path.removesuffix(".body"), path + ".body", layout.EVENTS, layout.CHECKPOINT_BODY}
        if "/record/" in path or "/proofs/" in path:
            assert "data/" in place
            assert "data/" in their_place
        else:
            assert any(name in place for name in named), (place, path)
            assert any(name in their_place for name in named), (their_place, path)


def every_byte_outside_contents() -> list[int]:
    inside: set[int] = set()
    for member in archive.Reader(io.BytesIO(PACK)).members():
        inside.update(range(member.offset + 512, member.offset + 512 + member.size))
    return [at for at in range(len(PACK)) if at not in inside]


def test_no_header_padding_or_trailing_byte_can_be_changed() -> None:
    chance = random.Random("outside")
    for position in chance.sample(every_byte_outside_contents(), 600):
        changed = bytearray(PACK)
        changed[position] ^= 1 << chance.randrange(8)
        ours, theirs = refusals(bytes(changed), pinned=False)
        assert ours[0] == theirs[0]


def test_no_truncation_and_no_appended_byte_passes() -> None:
    chance = random.Random("length")
    for length in [
        0,
        1,
        511,
        512,
        len(PACK) - 1,
        len(PACK) - 512,
        len(PACK) - 1024,
        *chance.sample(range(len(PACK)), 30),
    ]:
        ours, theirs = refusals(PACK[:length], pinned=False)
        assert ours[0] == theirs[0]
    for tail in (b"\0", b"x", bytes(512), bytes(8192), PACK):
        assert {refusal[0] for refusal in refusals(PACK + tail, pinned=False)} == {"pack-appended"}


Edit = Callable[[Files, random.Random], Files]


def lines_of(path: str) -> list[bytes]:
    return FILES[path].splitlines(keepends=True)


def edit_lines(path: str) -> list[Edit]:
    """Drop, double, swap, replace and add lines."""

    def drop(files: Files, chance: random.Random) -> Files:
        lines = lines_of(path)
        del lines[chance.randrange(len(lines))]
        return {**files, path: b"".join(lines)}

    def double(files: Files, chance: random.Random) -> Files:
        lines = lines_of(path)
        at = chance.randrange(len(lines))
        return {**files, path: b"".join([*lines[: at + 1], *lines[at:]])}

    def swap(files: Files, chance: random.Random) -> Files:
        lines = lines_of(path)
        first = chance.randrange(len(lines) - 1)
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        return {**files, path: b"".join(lines)}

    def rewrite(files: Files, chance: random.Random) -> Files:
        lines = lines_of(path)
        at = chance.randrange(len(lines))
        lines[at] = lines[at].replace(b'"id":"', b'"id":"x').replace(b'"ines"', b'"omar"')
        return {**files, path: b"".join(lines)}

    def shorten(files: Files, chance: random.Random) -> Files:
        return {**files, path: b"".join(lines_of(path)[: -chance.randrange(1, 3)])}

    return [drop, double, swap, rewrite, shorten]


def drop_file(files: Files, chance: random.Random) -> Files:
    gone = chance.choice(sorted(files))
    return {path: content for path, content in files.items() if path != gone}


def swap_evidence(files: Files, chance: random.Random) -> Files:
    first, second = chance.sample([path for path in files if path.startswith("data/evidence/")], 2)
    return {**files, first: files[second], second: files[first]}


def add_evidence(files: Files, chance: random.Random) -> Files:
    where = chance.choice(["ev-1", "ev-2", "ev-3/contents", "ev-9"])
    return {**files, f"data/evidence/{where}/planted.log": b"planted"}


def add_proof(files: Files, chance: random.Random) -> Files:
    return {**files, f"data/proofs/ev-{chance.randrange(5, 99)}.tlog-proof": files["data/proofs/ev-1.tlog-proof"]}


def rewrite_report(files: Files, chance: random.Random) -> Files:
    path = chance.choice([layout.REPORT_HTML, layout.REPORT_PDF])
    return {**files, path: files[path].replace(b"e", b"a", chance.randrange(1, 9))}


def unerase(files: Files, _: random.Random) -> Files:
    return {**files, layout.TEXTS: files[layout.TEXTS].replace(b'"erased":"erasure-1"', b'"salt":"","text":""')}


def hide(files: Files, chance: random.Random) -> Files:
    lines = lines_of(layout.TEXTS)
    at = chance.randrange(len(lines))
    text_id = lines[at].partition(b'"id":"')[2][:36]
    lines[at] = b'{"id":"' + text_id + b'","withheld":true}\n'
    return {**files, layout.TEXTS: b"".join(lines)}


def unwithhold(files: Files, _: random.Random) -> Files:
    return {path: content for path, content in files.items() if path != layout.WITHHELD}


EDITS: list[Edit] = [
    *edit_lines(layout.EVENTS),
    *edit_lines(layout.TEXTS),
    *(drop_file, swap_evidence, add_evidence, add_proof, unerase, hide, unwithhold),
]


@pytest.mark.parametrize("batch", range(5))
def test_edits_of_the_structure_are_refused_as_they_are_with_manifests_and_resealed(batch: int) -> None:
    chance = random.Random(f"edits {batch}")
    for number in range(40):
        edit = EDITS[(batch * 40 + number) % len(EDITS)]
        files = edit(FILES, chance)
        if files == FILES:
            continue
        is_whole = files.keys() >= layout.REQUIRED
        makes = [files, with_manifests(files), resealed(files, FORGER)] if is_whole else [files]
        for made in makes:
            ours, theirs = refusals(repack(made), pinned=False)
            assert ours[0] == theirs[0], (edit.__name__, ours, theirs)
            assert ours[1]


def test_a_rewritten_report_is_found_with_its_place_and_its_manifests_do_not_help() -> None:
    chance = random.Random("report")
    for _ in range(20):
        files = rewrite_report(FILES, chance)
        (code, place), theirs = refusals(repack(files), pinned=False)
        assert (code, place) == theirs
        assert place.startswith("data/report/report.")
        assert {code for code, _ in refusals(repack(with_manifests(files)), pinned=False)} == {"pack-signature"}


def test_a_complete_reseal_under_a_foreign_key_passes_for_intact_but_never_for_authentic() -> None:
    forged = repack(resealed(rewrite_report(FILES, random.Random(1)), FORGER))
    verdict = verify(io.BytesIO(forged))
    assert not verdict.authentic
    assert verdict.sentence.startswith("intact, signer unproven: compare fingerprint ")
    assert "authentic" not in STANDALONE.verify(io.BytesIO(forged))
    assert {code for code, _ in refusals(forged, pinned=True)} == {"pack-signer"}


def test_a_rewritten_history_under_a_foreign_key_is_refused_against_the_pinned_one() -> None:
    shortened = incident(signer=FORGER)
    shortened.events.pop()
    shortened.texts[next(text for text in reversed(shortened.texts))] = (b"", "")
    forged = Incident(signer=FORGER, events=SOURCE.events[:1], texts=SOURCE.texts)
    made = pack(forged)
    assert not verify(io.BytesIO(made)).authentic
    assert {code for code, _ in refusals(made, pinned=True)} == {"pack-signer"}


def test_a_recomputed_tree_over_a_dropped_event_is_refused_without_the_key() -> None:
    lines = [line.rstrip(b"\n") for line in lines_of(layout.EVENTS)][:-1]
    tree = Tree([leaf_hash(line) for line in lines])
    point = Checkpoint(f"{LOG}/{INCIDENT}", tree.size, tree.root())
    note = point.signed(FORGER)
    log_leaves = [opening_leaf(INCIDENT, leaf_hash(lines[0])), checkpoint_leaf(INCIDENT, tree.size, tree.root())]
    log = Tree([leaf_hash(leaf) for leaf in log_leaves])
    log_note = Checkpoint(LOG, log.size, log.root()).signed(FORGER)
    files = {
        **FILES,
        layout.EVENTS: b"".join(line + b"\n" for line in lines),
        layout.TEXTS: FILES[layout.TEXTS],
        layout.CHECKPOINT: note,
        layout.CHECKPOINT_BODY: point.body(),
        layout.INSTALLATION: log_note,
        layout.OPENING: log_leaves[0],
        layout.NEWEST: log_leaves[1],
        layout.OPENING_PROOF: proof_text(0, log.inclusion_proof(0), log_note),
        layout.NEWEST_PROOF: proof_text(1, log.inclusion_proof(1), log_note),
    }
    for made in (files, with_manifests(files), resealed(files, FORGER)):
        refusals(repack(made), pinned=True)


HOSTILE_NAMES = ["../escape", "/etc/passwd", "a/../../b", "data/evidence/ev-1/..", "data/evidence/ev-1/.hidden", "-rf"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_climb_out_are_refused(name: str) -> None:
    head = bytearray(archive.header(f"{INCIDENT}/data/x", 0))
    for full in (name, f"{INCIDENT}/{name}"):
        head[:100] = full.encode().ljust(100, b"\0")
        head[148:156] = b" " * 8
        head[148:156] = f"{sum(head):06o}\0 ".encode()
        codes = {code for code, _ in refusals(bytes(head) + PACK, pinned=False)}
        assert codes <= {"pack-name", "pack-unexpected"}
        assert len(codes) == 1


def test_doubled_and_unsorted_members_are_refused() -> None:
    members = sorted(FILES.items())
    chance = random.Random("members")
    for _ in range(20):
        at = chance.randrange(len(members) - 1)
        doubled = [*members[: at + 1], *members[at:]]
        swapped = [*members[:at], members[at + 1], members[at], *members[at + 2 :]]
        for made in (doubled, swapped):
            codes = {code for code, _ in refusals(archived(made), pinned=False)}
            assert len(codes) == 1


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"x", b"g", b"L", b"K", b"S", b"\0"])
def test_links_devices_folders_and_extended_headers_are_refused(kind: bytes) -> None:
    record = b"30 path=../../../../etc/passwd\n"
    head = bytearray(archive.header(f"{INCIDENT}/bagit.txt", len(record) if kind in b"xgLK" else 0))
    head[156:157] = kind
    head[157:168] = b"/etc/passwd"
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    body = record.ljust(512, b"\0") if kind in b"xgLK" else b""
    changed = PACK[:512] + PACK[512:]
    first = next(iter(archive.Reader(io.BytesIO(changed)).members()))
    after = first.offset + 512 + first.size + len(archive.padding(first.size))
    codes = {code for code, _ in refusals(PACK[:after] + bytes(head) + body + PACK[after:], pinned=False)}
    assert codes <= {"pack-header", "pack-name"}


def test_a_second_signature_line_is_refused() -> None:
    extra = FILES[layout.TAG_NOTE] + sign_note(b"x\n", [FORGER]).rpartition(b"\n\n")[2]
    assert {code for code, _ in refusals(repack({**FILES, layout.TAG_NOTE: extra}), pinned=False)} == {"pack-signature"}


def test_another_spelling_of_a_signature_is_refused() -> None:
    """S plus the group's order verifies under lax rules (RFC 8032, section 5.1.7 forbids it)."""
    order = 2**252 + 27742317777372353535851937790883648493
    raw = FILES[layout.TAG_SIG]
    lax = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    head, _, line = FILES[layout.TAG_NOTE].rpartition(b" ")
    spelled = head + b" " + base64.b64encode(base64.b64decode(line)[:4] + lax) + b"\n"
    files = {**FILES, layout.TAG_NOTE: spelled, layout.TAG_SIG: lax}
    assert {code for code, _ in refusals(repack(files), pinned=False)} == {"pack-signature"}


def test_events_in_another_spelling_are_refused() -> None:
    for old, new in (
        (b'{"actor"', b'{ "actor"'),
        (b'"seq":0', b'"seq":0.0'),
        (b'"version":1', b'"version":1,"version":1'),
    ):
        files = {**FILES, layout.EVENTS: FILES[layout.EVENTS].replace(old, new, 1)}
        assert {code for code, _ in refusals(repack(files), pinned=False)} == {"pack-event"}
    assert canonical({"a": 1}) == b'{"a":1}'
