"""Signed notes, against the published example of the format and against malformed ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import BadInputError, DamagedError
from holdfast.ledger.notes import VerifierKey, open_note, parse_note, sign_note
from tests.unit.ledger.keys import SeedSigner

# The example that Go's golang.org/x/mod/sumdb/note publishes.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
ALICE, BOB = SeedSigner(1, "alice.test"), SeedSigner(2, "bob.test")


def test_the_published_example_opens() -> None:
    key = VerifierKey.from_vkey(GO_KEY)
    body, keys = open_note(GO_NOTE, [key])
    assert body.endswith(b"what your problem is.\n")
    assert keys == (key,)
    assert key.vkey() == GO_KEY


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_what_is_signed_opens_to_the_same_bytes(text: str) -> None:
    body = f"{text}\n".encode()
    note = sign_note(body, [ALICE, BOB])
    assert open_note(note, [BOB.key]) == (body, (BOB.key,))
    assert open_note(note, [BOB.key, ALICE.key])[1] == (ALICE.key, BOB.key)


def test_a_note_by_strangers_is_refused_and_names_them() -> None:
    with pytest.raises(DamagedError) as refused:
        open_note(sign_note(b"text\n", [ALICE]), [BOB.key])
    assert refused.value.code == "signature-missing"
    assert refused.value.details == {"signers": [f"alice.test+{ALICE.key.key_id.hex()}"]}


def test_a_wrong_signature_of_a_known_key_refuses_even_beside_a_right_one() -> None:
    note = sign_note(b"text\n", [ALICE, BOB])
    forged = sign_note(b"other\n", [ALICE]).partition(b"\n\n")[2]
    mixed = note.replace(note.splitlines(keepends=True)[2], forged)
    with pytest.raises(DamagedError) as refused:
        open_note(mixed, [ALICE.key, BOB.key])
    assert refused.value.code == "signature-wrong"


@pytest.mark.parametrize("position", range(0, len(GO_NOTE), 3))
def test_no_changed_bit_of_a_note_opens_as_before(position: int) -> None:
    changed = bytearray(GO_NOTE)
    changed[position] ^= 1
    with pytest.raises(DamagedError):
        open_note(bytes(changed), [VerifierKey.from_vkey(GO_KEY)])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— na+me x08go/ZJkuBS9UG/SffcvIAQxVBtiFup\n".encode(),
        GO_NOTE.removesuffix(b"\n"),
        GO_NOTE + b"\n",
        GO_NOTE + b"\r\n",
        GO_NOTE.replace(b"cryptography", b"crypto\tgraphy"),
        GO_NOTE.replace(b"cryptography", b"\xff"),
        GO_NOTE.replace(b"AM=\n", b"AN=\n"),
        GO_NOTE.replace(b"AM=\n", b"AM\n"),
    ],
)
def test_a_malformed_note_is_refused(note: bytes) -> None:
    with pytest.raises(DamagedError) as refused:
        parse_note(note)
    assert refused.value.code == "note-malformed"


@pytest.mark.parametrize("body", [b"", b"no newline", b"tab\t\n", b"\xff\n"])
def test_what_a_note_cannot_hold_is_not_signed(body: bytes) -> None:
    with pytest.raises(BadInputError):
        sign_note(body, [ALICE])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "a b+00000000+AAAA",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY[:-4],
        GO_KEY.replace("ARpc", "ERpc"),
    ],
)
def test_a_key_that_does_not_fit_its_own_id_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        VerifierKey.from_vkey(text)


def test_a_fingerprint_reads_in_groups_of_eight() -> None:
    groups = ALICE.key.fingerprint().split(" ")
    assert len(groups) == 8
    assert {len(group) for group in groups} == {8}
