"""The tree against RFC 6962's published vectors and against an independent implementation."""

from __future__ import annotations

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.ledger.tree import (
    EMPTY_FRONTIER,
    Frontier,
    Tree,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight entries and the root after each that certificate-transparency's reference tests publish.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

leaf_lists = st.integers(1, 70).map(lambda count: [leaf_hash(bytes([n])) for n in range(count)])


def test_roots_are_those_the_reference_publishes() -> None:
    assert EMPTY_FRONTIER.root() == hashlib.sha256(b"").digest()
    frontier = EMPTY_FRONTIER
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier = frontier.append(leaf)
        assert frontier.root().hex() == root
        assert Tree(LEAVES[: frontier.size]).root().hex() == root


def test_the_reference_inclusion_and_consistency_proofs_come_out() -> None:
    assert [step.hex() for step in inclusion_proof(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in consistency_proof(LEAVES, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_an_independent_implementation_agrees_on_every_root_and_proof() -> None:
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    leaves: list[bytes] = []
    for number in range(40):
        data = f"event {number}".encode()
        oracle.append_entry(data)
        leaves.append(leaf_hash(data))
        assert root_of(leaves) == oracle.get_root()
    size, root = len(leaves), root_of(leaves)
    for index in range(size):
        theirs = oracle.prove_inclusion(index + 1, size)
        assert theirs.compute_root() == root
        assert list(inclusion_proof(leaves, index)) == theirs.path[1:]
    for old in range(1, size):
        theirs = oracle.prove_consistency(old, size)
        assert theirs.retrieve_prior_state() == root_of(leaves[:old])
        assert theirs.compute_root() == root


@given(leaf_lists)
def test_every_leaf_proves_its_place_and_no_other(leaves: list[bytes]) -> None:
    tree, size = Tree(leaves), len(leaves)
    for index, leaf in enumerate(leaves):
        proof = tree.inclusion_proof(index)
        assert verify_inclusion(leaf, index, size, proof, tree.root())
        assert not verify_inclusion(leaf, (index + 1) % size, size, proof, tree.root()) or size == 1
        assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, tree.root())
        assert not verify_inclusion(leaf, index, size, (*proof, leaf), tree.root())
        assert not proof or not verify_inclusion(leaf, index, size, proof[:-1], tree.root())
        assert not verify_inclusion(leaf, size, size, proof, tree.root())


@given(leaf_lists, st.data())
def test_every_prefix_is_consistent_and_nothing_else_is(leaves: list[bytes], data: st.DataObject) -> None:
    old_size = data.draw(st.integers(0, len(leaves)))
    old, new = root_of(leaves[:old_size]), root_of(leaves)
    proof = consistency_proof(leaves, old_size)
    assert verify_consistency(old_size, old, len(leaves), new, proof)
    assert not verify_consistency(old_size, leaf_hash(b"x"), len(leaves), new, proof)
    assert not verify_consistency(old_size, old, len(leaves), leaf_hash(b"x"), proof) or old_size == 0
    assert not verify_consistency(old_size, old, len(leaves), new, (*proof, new))
    if proof:
        assert not verify_consistency(old_size, old, len(leaves), new, proof[:-1])


def test_a_tree_cannot_shrink() -> None:
    assert not verify_consistency(3, root_of(LEAVES[:3]), 2, root_of(LEAVES[:2]), ())


def test_proofs_of_what_the_tree_never_held_are_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 8"):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(ValueError, match="never had 9"):
        consistency_proof(LEAVES, 9)


@given(leaf_lists)
def test_a_frontier_survives_storage(leaves: list[bytes]) -> None:
    frontier = frontier_of(leaves)
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier
    assert frontier.append(leaves[0]).root() == root_of([*leaves, leaves[0]])


@pytest.mark.parametrize("stored", [b"", b"\x00" * 7, b"\x00" * 7 + b"\x03" + b"\x00" * 32, b"\x00" * 9])
def test_a_frontier_of_the_wrong_length_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="does not take"):
        Frontier.from_bytes(stored)
