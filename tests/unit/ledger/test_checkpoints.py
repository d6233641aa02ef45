"""Checkpoints, single-leaf proofs and the installation log's leaves."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import DamagedError
from holdfast.ledger.checkpoints import (
    Checkpoint,
    checkpoint_leaf,
    opening_leaf,
    parse,
    parse_proof,
    proof_text,
    stream_origin,
)
from holdfast.ledger.notes import open_note
from holdfast.ledger.tree import Tree, leaf_hash, verify_inclusion
from tests.unit.ledger.keys import SeedSigner

SIGNER = SeedSigner(1)
LEAVES = [leaf_hash(bytes([n])) for n in range(7)]
CHECKPOINT = Checkpoint(stream_origin("holdfast.test", "INC-2026-0042"), 7, Tree(LEAVES).root())


def test_a_checkpoint_is_three_lines_and_reads_back() -> None:
    body = CHECKPOINT.body()
    assert body.decode().splitlines()[:2] == ["holdfast.test/INC-2026-0042", "7"]
    assert parse(body) == CHECKPOINT
    assert parse(open_note(CHECKPOINT.signed(SIGNER), [SIGNER.key])[0]) == CHECKPOINT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n7\n", b"\n07\n"),
        (b"\n7\n", b"\n+7\n"),
        (b"\n7\n", b"\n-7\n"),
        (b"\n7\n", b"\n7 \n"),
        (b"=\n", b"\n"),
        (b"=\n", b"=\nextension\n"),
        (b"=\n", b"="),
        (b"holdfast.test/", b"holdfast test/"),
        (b"holdfast.test/", b"\xff/"),
    ],
)
def test_a_checkpoint_has_one_spelling(old: bytes, new: bytes) -> None:
    with pytest.raises(DamagedError) as refused:
        parse(CHECKPOINT.body().replace(old, new))
    assert refused.value.code == "checkpoint-malformed"


def test_one_event_can_be_shown_alone() -> None:
    text = proof_text(3, Tree(LEAVES).inclusion_proof(3), CHECKPOINT.signed(SIGNER))
    assert text.startswith(b"c2sp.org/tlog-proof@v1\nindex 3\n")
    shown = parse_proof(text)
    checkpoint = parse(open_note(shown.checkpoint_note, [SIGNER.key])[0])
    assert verify_inclusion(LEAVES[3], shown.index, checkpoint.size, shown.proof, checkpoint.root)


def test_the_proof_of_a_single_leaf_has_no_hashes() -> None:
    assert parse_proof(proof_text(0, (), b"note\n")).proof == ()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"c2sp.org/tlog-proof@v1\n\nnote\n",
        b"c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n",
        b"c2sp.org/tlog-proof@v1\nindex 00\n\nnote\n",
        b"c2sp.org/tlog-proof@v1\nindex x\n\nnote\n",
        b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nnote\n",
        b"c2sp.org/tlog-proof@v1\nindex 0\n",
    ],
)
def test_a_malformed_proof_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedError) as refused:
        parse_proof(text)
    assert refused.value.code == "proof-malformed"


def test_the_installation_log_names_openings_and_checkpoints() -> None:
    assert opening_leaf("INC-2026-0042", b"\x01" * 32) == (
        b'{"first":"' + b"01" * 32 + b'","log":"opening","stream":"INC-2026-0042"}'
    )
    assert checkpoint_leaf("INC-2026-0042", 7, b"\x02" * 32) == (
        b'{"log":"checkpoint","root":"' + b"02" * 32 + b'","size":7,"stream":"INC-2026-0042"}'
    )
