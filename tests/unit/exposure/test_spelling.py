from __future__ import annotations

import base64
import json
import textwrap
import time
from functools import cache
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from holdfast.exposure.keyblocks import key_blocks
from holdfast.exposure.needles import needles_of
from holdfast.exposure.pieces import Ground
from holdfast.exposure.query import LONGEST_ANCHOR, Query, compile_query
from holdfast.exposure.spelling import anchors_of, rot13
from holdfast.kernel.secrets import SecretValue
from tests.unit.exposure.spelled import ALNUM, ENCODERS, ESCAPES, SECRETS, key_file, made_up, query_for, service_account

KEY = key_file("spelling").rstrip()


def raw_anchors(secret: bytes) -> list[bytes]:
    query = query_for(secret)
    return [one for number, one in enumerate(query.anchors) if (0, "raw") in query.origins(number)]


@pytest.mark.parametrize("secret", [*SECRETS.values(), KEY, service_account("s")], ids=[*SECRETS, "key", "account"])
def test_anchors_are_short_distinct_and_not_too_short(secret: bytes) -> None:
    query = query_for(secret)
    assert len(set(query.anchors)) == len(query.anchors)
    assert {len(one) for one in query.anchors} <= set(range(8, LONGEST_ANCHOR + 1))
    assert query.width == max(map(len, query.anchors)) <= LONGEST_ANCHOR


@pytest.mark.parametrize("seed", range(12))
def test_an_ordinary_secret_of_forty_characters_has_sixty_to_a_hundred_anchors_most_of_them_long(seed: int) -> None:
    query = query_for(made_up(ALNUM + "+/", 40, f"ordinary {seed}").encode())
    assert 60 <= len(query.anchors) <= 115
    assert sum(len(one) >= 12 for one in query.anchors) > len(query.anchors) * 0.6


def test_several_secrets_share_one_table_and_an_anchor_knows_all_it_belongs_to() -> None:
    one = made_up(ALNUM, 32, "shared").encode()
    query = compile_query([SecretValue(one), SecretValue(one), SecretValue(SECRETS["aws"])])
    both = [query.origins(number) for number in range(len(query.anchors))]
    assert ((0, "raw"), (1, "raw")) in both
    assert ((2, "raw"),) in both
    assert len(query.anchors) == len(query_for(one).anchors) + len(query_for(SECRETS["aws"]).anchors)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in ("rot13", "raw")])
@pytest.mark.parametrize("which", ["alnum", "aws"])
def test_two_separate_anchors_stand_in_each_spelling_so_that_one_cut_leaves_one(name: str, which: str) -> None:
    spelled = ENCODERS[name][0](SECRETS[which])
    places = [(spelled.find(one), len(one)) for one in query_for(SECRETS[which]).anchors if one in spelled]
    ends = min(at + size for at, size in places)
    assert any(at >= ends for at, _ in places)


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("which", SECRETS)
def test_an_anchor_stands_in_every_escaped_spelling(name: str, which: str) -> None:
    spelled = ESCAPES[name](SECRETS[which]).replace(b"=\n", b"")
    assert any(one in spelled for one in query_for(SECRETS[which]).anchors)


def test_pieces_of_letters_and_digits_are_preferred() -> None:
    secret = b"%%%%%%//" + made_up(ALNUM, 26, "run").encode() + b"\\\\''\"\"<>"
    assert sum(one.isalnum() for one in raw_anchors(secret)) >= 2


def test_the_frame_of_a_key_is_no_anchor() -> None:
    lines = KEY.split(b"\n")
    for frame in (lines[0], lines[-1], b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----BEGIN CERTIFICATE-----"):
        assert not any(one in frame for one in query_for(KEY).anchors)


def test_the_head_of_a_signed_token_is_no_anchor() -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).rstrip(b"=")
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "1", "name": "Somebody"}).encode()).rstrip(b"=")
    token = b".".join([head, claims, made_up(ALNUM + "-_", 43, "signature").encode()])
    assert not any(one in head + b"." + claims for one in raw_anchors(token))
    assert raw_anchors(token)


@pytest.mark.parametrize(
    "frame",
    ["https://hooks.example.com/services/{}", "postgres://service:{}@db.internal.example.com:5432/service"],
)
def test_the_words_around_a_secret_are_no_anchors(frame: str) -> None:
    secret = frame.format(made_up(ALNUM, 24, frame)).encode()
    other = frame.format(made_up(ALNUM, 24, frame + "other")).encode()
    assert raw_anchors(secret)
    assert not any(one in other for one in raw_anchors(secret))


class TestKeys:
    """Real keys, made for the test: what is looked for is their private part."""

    @staticmethod
    @cache
    def keys() -> dict[str, tuple[bytes, bytes]]:
        made = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
            "ed25519": ed25519.Ed25519PrivateKey.generate(),
        }
        found: dict[str, tuple[bytes, bytes]] = {}
        for name, key in made.items():
            public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            shapes = {"pkcs8": PrivateFormat.PKCS8, "openssh": PrivateFormat.OpenSSH}
            if name != "ed25519":
                shapes["traditional"] = PrivateFormat.TraditionalOpenSSL
            for shape, form in shapes.items():
                found[f"{name} {shape}"] = key.private_bytes(Encoding.PEM, form, NoEncryption()), public
        return found

    def test_no_anchor_stands_in_the_public_half(self) -> None:
        for name, (pem, public) in self.keys().items():
            query = compile_query([SecretValue(pem.rstrip())])
            spelled = [public, *(base64.b64encode(b"x" * shift + public) for shift in range(3)), public.hex().encode()]
            assert len(query.anchors) > 40, name
            assert not any(one in text for one in query.anchors for text in spelled), name

    def test_the_private_part_is_found_in_every_format(self) -> None:
        for name, (pem, public) in self.keys().items():
            (block,) = key_blocks(pem)
            low, high = block.private
            assert 0 < low < high <= len(block.der), name
            assert high - low >= 32, name
            assert public[-32:] not in block.der[low:high], name

    def test_an_encrypted_key_and_one_that_is_none_give_a_middle_part(self) -> None:
        encrypted = KEY.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1)
        (block,), (plain,) = key_blocks(encrypted), key_blocks(KEY)
        assert block.body == plain.body
        assert 0 < block.private[0] < block.private[1] < len(block.der)

    def test_only_blocks_that_call_themselves_private_count_when_there_is_one(self) -> None:
        chain = key_file("certificate", "CERTIFICATE") + KEY
        assert [block.body for block in key_blocks(chain)] == [block.body for block in key_blocks(KEY)]
        assert len(list(key_blocks(key_file("certificate", "CERTIFICATE")))) == 1

    def test_a_key_written_with_its_line_ends_spelled_out_is_the_same_key(self) -> None:
        written = KEY.replace(b"\n", b"\\n")
        assert [one.body for one in key_blocks(written)] == [one.body for one in key_blocks(KEY)]

    @pytest.mark.parametrize("cut", range(0, 1190, 97))
    def test_truncated_and_altered_keys_are_no_trouble(self, cut: int) -> None:
        (block,) = key_blocks(KEY)
        for der in (
            block.der[:cut],
            b"\x30\x84\xff\xff\xff\xff" + block.der[cut:],
            b"openssh-key-v1\0" + block.der[cut:],
        ):
            body = base64.b64encode(der.ljust(48, b"\0")).decode()
            pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *textwrap.wrap(body, 64), "-----END PRIVATE KEY-----"])
            for one in key_blocks(pem.encode()):
                assert 0 <= one.private[0] < one.private[1] <= len(one.der)


def test_a_secret_of_several_lines_is_looked_for_without_its_white_space() -> None:
    whole, body, der = needles_of(3, KEY)
    assert (whole.secret, whole.loose, whole.text) == (3, True, b"".join(KEY.split()))
    assert (body.label, der.label) == ("pem body", "der")
    shared = {one.literal for one in anchors_of(whole)} & {one.literal for one in anchors_of(body)}
    assert len(shared) > 60


def test_needles_do_not_show_themselves() -> None:
    (needle,) = needles_of(0, SECRETS["aws"])
    assert SECRETS["aws"].decode() not in repr(needle)


def test_two_pieces_do_not_overlap_and_stand_close_together() -> None:
    text = made_up(ALNUM, 60, "ground").encode()
    (low, first), (second, high) = Ground(text, [(0, 60)]).pair(12, 32, 8)
    assert (first - low, high - second) == (12, 12)
    assert first <= second
    assert high - low <= 32


@pytest.mark.parametrize(("size", "pieces"), [(8, 1), (15, 1), (16, 2), (24, 2)])
def test_secrets_of_sixteen_bytes_have_two_pieces(size: int, pieces: int) -> None:
    text = made_up(ALNUM, size, "size").encode()
    assert len(Ground(text, [(0, size)]).pair(12, 32, 8)) == pieces


def test_rot13_moves_letters_only() -> None:
    assert rot13(b"Az09+/\xe9") == b"Nm09+/\xe9"


@pytest.mark.parametrize("secret", [*SECRETS.values(), KEY], ids=[*SECRETS, "key"])
def test_compiling_takes_little_time(secret: bytes) -> None:
    best = min(_seconds(secret) for _ in range(3))
    assert best < 0.15  # 0.05 on an idle machine


def _seconds(secret: bytes) -> float:
    start = time.process_time()
    Query([SecretValue(secret)])
    return time.process_time() - start


def test_quoting_a_url_leaves_what_the_anchors_are_made_of() -> None:
    quoted = quote(SECRETS["aws"], safe="").encode()
    assert any(one in quoted for one in raw_anchors(SECRETS["aws"]))
