"""A pack as its receivers meet it: with our verifiers, with standard tools, in part, after rotation and erasure."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.app.packing import write_pack
from holdfast.evidence.packs import archive, layout
from holdfast.evidence.packs.verify import read_keys, verify
from holdfast.kernel.errors import BadInputError, DamagedError
from holdfast.ledger.checkpoints import parse, parse_proof
from holdfast.ledger.notes import open_note
from holdfast.ledger.tree import leaf_hash, verify_inclusion
from tests.unit.evidence.packs.samples import INCIDENT, LOG, LOG_BYTES, Incident, incident, pack, standalone
from tests.unit.ledger.keys import SeedSigner

STANDALONE = standalone()
SCRIPT = Path(STANDALONE.__file__ or "")
WORDS = "019ab000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def packed() -> bytes:
    return pack(incident())


@pytest.fixture
def bag(packed: bytes, tmp_path: Path) -> Path:
    (tmp_path / "pack.tar").write_bytes(packed)
    subprocess.run(["tar", "-xf", "pack.tar"], cwd=tmp_path, check=True)
    return tmp_path / INCIDENT


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)


def files_of(raw: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {m.name.partition("/")[2]: (tar.extractfile(m) or io.BytesIO()).read() for m in tar.getmembers()}


def test_the_same_incident_makes_the_same_bytes(packed: bytes) -> None:
    out = io.BytesIO()
    told: list[tuple[int, int]] = []
    done = write_pack(incident(), out, lambda now, whole: told.append((now, whole)))
    assert out.getvalue() == packed
    assert (done.size, done.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert told[-1] == (len(packed), len(packed))


def test_every_command_in_its_own_instructions_succeeds(bag: Path) -> None:
    text = (bag / "VERIFY.txt").read_text().replace("\\\n", " ")
    commands = [line.strip() for line in text.splitlines() if line.startswith("    ") and "  " not in line.strip()[:8]]
    tools = [line for line in commands if line.startswith(("sha256sum", "bagit.py", "openssl"))]
    assert len(tools) == 5
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in tools:
        found = subprocess.run(
            shlex.split(line), cwd=bag, capture_output=True, check=False, env={**os.environ, "PATH": path}
        )
        assert found.returncode == 0, (line, found.stderr)


@pytest.mark.parametrize("with_key", [True, False])
def test_the_shipped_verifier_runs_alone_and_accepts(bag: Path, with_key: bool) -> None:
    key = ["--key", (bag / layout.VKEY).read_text().strip()] if with_key else []
    found = run(sys.executable, "-I", "-S", "verify_pack.py", *key, "../pack.tar", cwd=bag)
    assert found.returncode == 0
    assert ("authentic: signed by" in found.stdout) == with_key
    assert ("intact, signer unproven: compare fingerprint" in found.stdout) != with_key


def test_the_shipped_verifier_refuses_with_nine_and_the_place(bag: Path) -> None:
    raw = bytearray((bag / "../pack.tar").read_bytes())
    raw[raw.index(LOG_BYTES) + 5] ^= 1
    (bag / "../pack.tar").write_bytes(raw)
    found = run(sys.executable, "verify_pack.py", "../pack.tar", cwd=bag)
    assert found.returncode == 9
    assert found.stdout.startswith("refused at data/evidence/ev-1/ev-1-cloud_trail.jsonl: ")


@pytest.mark.parametrize("arguments", [[], ["missing.tar"], ["--key", "nonsense", "../pack.tar"]])
def test_the_shipped_verifier_says_two_for_a_wrong_command(bag: Path, arguments: list[str]) -> None:
    assert run(sys.executable, "verify_pack.py", *arguments, cwd=bag).returncode == 2


def test_the_shipped_verifier_is_the_published_file_and_imports_only_the_standard_library(bag: Path) -> None:
    text = (bag / "verify_pack.py").read_text()
    assert text == SCRIPT.read_text()
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) < 400


def test_its_ed25519_agrees_with_the_library_on_good_and_bad_signatures() -> None:
    for seed in range(8):
        signer = SeedSigner(seed)
        message = bytes([seed]) * seed
        signature = signer.sign(message)
        assert STANDALONE.is_signed(signer.key.public, message, signature)
        assert not STANDALONE.is_signed(signer.key.public, message + b"x", signature)
        for bit in (0, 100, 255, 256, 400, 511):
            wrong = bytearray(signature)
            wrong[bit // 8] ^= 1 << bit % 8
            assert not STANDALONE.is_signed(signer.key.public, message, bytes(wrong))
            assert not signer.key.verifies(message, bytes(wrong))


def test_its_ed25519_passes_the_vectors_of_the_rfc() -> None:
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert STANDALONE.is_signed(public, b"\x72", signature)
    assert not STANDALONE.is_signed(public, b"\x73", signature)


def test_evidence_comes_out_byte_for_byte(packed: bytes) -> None:
    files = files_of(packed)
    assert files["data/evidence/ev-1/ev-1-cloud_trail.jsonl"] == LOG_BYTES
    assert files[layout.EVENTS].splitlines() == incident().events


def test_one_event_can_be_shown_with_its_proof_alone(packed: bytes) -> None:
    files, source = files_of(packed), incident()
    shown = parse_proof(files["data/proofs/ev-1.tlog-proof"])
    point = parse(open_note(shown.checkpoint_note, [source.signer.key])[0])
    leaf = leaf_hash(files[layout.EVENTS].splitlines()[shown.index])
    assert verify_inclusion(leaf, shown.index, point.size, shown.proof, point.root)


def test_what_is_withheld_leaves_its_digest_and_proof_and_the_rest_still_verifies(tmp_path: Path) -> None:
    source = incident(withheld=frozenset({"ev-1", "ev-3", WORDS}))
    raw = pack(source)
    verdict = verify(io.BytesIO(raw), [source.signer.key])
    assert (verdict.withheld, verdict.evidence, verdict.authentic) == (3, 2, True)
    assert "3 withheld" in STANDALONE.verify(io.BytesIO(raw))
    files = files_of(raw)
    assert not any("/ev-1/" in path or "/ev-3/" in path for path in files)
    assert LOG_BYTES not in raw
    assert "deploy key" not in files[layout.TEXTS].decode()
    lines = [json.loads(line) for line in files[layout.WITHHELD].splitlines()]
    assert [line["id"] for line in lines] == ["ev-1", "ev-3", WORDS]
    assert lines[0]["sha256"] == hashlib.sha256(LOG_BYTES).hexdigest()
    (tmp_path / "p.tar").write_bytes(raw)
    assert run("tar", "-xf", "p.tar", cwd=tmp_path).returncode == 0
    bagit = Path(sys.executable).with_name("bagit.py")
    assert run(sys.executable, str(bagit), "--validate", INCIDENT, cwd=tmp_path).returncode == 0


def test_an_erased_text_leaves_a_tombstone_that_names_its_order(packed: bytes) -> None:
    lines = [json.loads(line) for line in files_of(packed)[layout.TEXTS].splitlines()]
    assert [line for line in lines if "erased" in line] == [
        {"erased": "erasure-1", "id": "019ab000-0000-7000-8000-000000000005"}
    ]
    assert verify(io.BytesIO(packed)).erased == 1


def test_erased_evidence_is_absent_and_accounted_for() -> None:
    source = incident()
    item = source.packed.pop(0)
    source.add("evidence.erased", erasure_id="erasure-2", evidence_id="ev-1", sha256=item.sha256, size=item.size)
    raw = pack(source)
    assert verify(io.BytesIO(raw)).evidence == 3
    assert "2 erased" in STANDALONE.verify(io.BytesIO(raw))


def test_after_rotation_the_pack_has_one_signer_the_present_one() -> None:
    source = incident(old_signer=SeedSigner(8, LOG))
    raw = pack(source)
    assert verify(io.BytesIO(raw), [source.signer.key]).authentic
    with pytest.raises(DamagedError) as refused:
        verify(io.BytesIO(raw), [source.verifier_keys[0]])
    assert refused.value.code == "pack-signer"


def test_a_pack_ends_at_the_installation_logs_checkpoint_even_if_events_come_meanwhile() -> None:
    class Busy(Incident):
        def checkpoint(self, size: int) -> bytes | None:
            note = super().checkpoint(size)
            self.add("late.event")
            return note

    source = incident()
    busy = Busy(**vars(source))
    assert verify(io.BytesIO(pack(busy))).events == 8


def test_a_large_member_has_a_pax_header_that_others_read() -> None:
    raw = archive.header("INC-1/data/evidence/ev-1/ev-1-disk.img", 2**34)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        member = tar.next()
    assert member is not None
    assert (member.name, member.size) == ("INC-1/data/evidence/ev-1/ev-1-disk.img", 2**34)
    assert STANDALONE.header("INC-1/data/evidence/ev-1/ev-1-disk.img", 2**34) == raw
    found = next(archive.Reader(io.BytesIO(raw)).members())
    assert found.size == 2**34


@pytest.mark.parametrize("length", [1, 30, 31, 60, 90])
def test_long_paths_are_split_as_other_tools_read_them(length: int) -> None:
    path = f"{'i' * 60}/data/evidence/ev-1/contents/{'n' * length}"
    assert tarfile.TarInfo.frombuf(archive.header(path, 1), "ascii", "strict").name == path
    assert STANDALONE.header(path, 1) == archive.header(path, 1)


@pytest.mark.parametrize("fault", ["bytes", "size", "missing words", "event", "log", "checkpoint"])
def test_a_damaged_store_gives_an_error_and_no_pack(fault: str) -> None:
    source = incident()
    if fault == "bytes":
        source.stored[source.packed[0].sha256] = LOG_BYTES.replace(b"G", b"P")
    elif fault == "size":
        source.packed[0] = replace(source.packed[0], size=1)
    elif fault == "missing words":
        del source.texts[WORDS]
    elif fault == "event":
        lines = list(source.events)
        lines[3] = lines[3].replace(b"ines", b"omar")
        source.lines = lambda: iter(lines)  # type: ignore[method-assign]  # a fault planted in this one object
    elif fault == "log":
        proof = source.installation()
        source.installation = lambda: replace(proof, leaves=(b"x", *proof.leaves[1:]))  # type: ignore[method-assign]
    else:
        source.checkpoint = lambda size: None  # type: ignore[method-assign]  # likewise
    with pytest.raises(DamagedError) as refused:
        pack(source)
    assert refused.value.code.startswith("pack-")


def test_a_pinned_keys_file_takes_comments_and_refuses_nonsense() -> None:
    key = SeedSigner(1).key
    assert read_keys(f"# the key of ACME\n\n{key.vkey()}\n") == (key,)
    for text in ("", "# nothing\n", "nonsense\n"):
        with pytest.raises(BadInputError):
            read_keys(text)
