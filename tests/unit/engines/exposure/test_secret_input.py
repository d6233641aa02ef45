"""Where secrets come from, and what is refused without being repeated.

The Vault is a small server that answers as the documentation of the key-value engine, version 2, says; no real one can
be had from the registries that tests may use.
"""

from __future__ import annotations

import http.server
import io
import json
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.engines.exposure.secret_input import (
    LARGEST,
    VaultPlace,
    aws_name,
    from_descriptor,
    from_file,
    from_stream,
    from_vault,
)
from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, UnavailableError


def revealed(given: object) -> list[bytes]:
    return [secret.reveal() for secret in given.secrets]  # type: ignore[attr-defined]


def test_the_whole_input_is_one_secret_and_one_newline_at_its_end_is_dropped_and_told() -> None:
    for data, value, dropped in (
        (b"s3cret value", b"s3cret value", False),
        (b"s3cret\n", b"s3cret", True),
        (b"s3cret\r\n", b"s3cret", True),
        (b"two\nlines\n\n", b"two\nlines\n", True),
        (b" \tspaces \n", b" \tspaces ", True),
        (b"nul\0inside\xff", b"nul\0inside\xff", False),
    ):
        given = from_stream(io.BytesIO(data))
        assert (revealed(given), given.newline_dropped) == ([value], dropped)


def test_several_are_one_a_line_and_equal_ones_are_one() -> None:
    given = from_stream(io.BytesIO(b"one\r\ntwo\n\none\n three \n"), lines=True)
    assert revealed(given) == [b"one", b"two", b" three "]
    assert not given.newline_dropped


def test_secrets_of_several_lines_are_parted_by_nul_bytes() -> None:
    given = from_stream(io.BytesIO(b"-----BEGIN\nAAAA\n\0other\0\0"), null=True)
    assert revealed(given) == [b"-----BEGIN\nAAAA\n", b"other"]


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n", b"\0\0"])
def test_no_secret_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError) as refused:
        from_stream(io.BytesIO(data), null=data.startswith(b"\0"))
    assert refused.value.code == "secret-not-given"


def test_a_file_named_by_mistake_is_refused_before_it_is_read_whole() -> None:
    with pytest.raises(BadInputError) as refused:
        from_stream(io.BytesIO(bytes(LARGEST + 1)))
    assert refused.value.code == "secret-too-large"


def test_a_descriptor_is_read_and_closed() -> None:
    end, start = os.pipe()
    os.write(start, b"s3cret\n")
    os.close(start)
    assert revealed(from_descriptor(end)) == [b"s3cret"]
    with pytest.raises(BadInputError) as refused:
        from_descriptor(end)
    assert refused.value.code == "secret-descriptor-closed"


def test_a_file_of_the_user_alone_is_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"s3cret\n")
    path.chmod(0o600)
    assert revealed(from_file(path)) == [b"s3cret"]


def test_a_file_that_others_can_read_is_refused_and_so_is_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"s3cret\n")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for mode in (0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(ForbiddenError, match="readable by other users"):
            from_file(path)
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ForbiddenError):
            from_file(place)
    with pytest.raises(NotFoundError):
        from_file(tmp_path / "gone")


def test_a_name_of_secrets_manager_may_have_a_member_and_a_stage() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1b2c3"
    for text, parts in (
        ("prod/db", ("prod/db", None, None)),
        ("prod/db#password", ("prod/db", "password", None)),
        ("prod/db@AWSPREVIOUS", ("prod/db", None, "AWSPREVIOUS")),
        (f"{arn}#pass word@AWSPENDING", (arn, "pass word", "AWSPENDING")),
    ):
        name = aws_name(text)
        assert (name.name, name.key, name.stage) == parts
    with pytest.raises(BadInputError) as refused:
        aws_name("not a name")
    assert "not a name" not in str(vars(refused.value))


class Vault(http.server.BaseHTTPRequestHandler):
    token = secrets.token_hex(12)
    held = secrets.token_urlsafe(24)

    def do_GET(self) -> None:
        if self.headers["X-Vault-Token"] != self.token:
            return self.answer(403, {"errors": ["permission denied"]})
        if self.headers["X-Vault-Request"] != "true":
            return self.answer(400, {"errors": ["missing header"]})
        if self.path == "/v1/kv/data/team/ci%20deploy":
            data = {"password": self.held, "number": 7}
            return self.answer(200, {"data": {"data": data, "metadata": {"version": 3, "destroyed": False}}})
        if self.path == "/v1/kv/data/broken":
            return self.answer(200, {"data": None})
        return self.answer(404, {"errors": []})

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Tests are quiet."""


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[VaultPlace]:
    token = tmp_path / "token"
    token.write_text(f"{Vault.token}\n", encoding="ascii")
    token.chmod(0o600)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield VaultPlace(f"http://127.0.0.1:{server.server_port}/", token)
        server.shutdown()
        thread.join()


def test_a_vault_gives_one_key_of_a_secret(vault: VaultPlace) -> None:
    assert revealed(from_vault("kv/team/ci deploy#password", vault)) == [Vault.held.encode()]


@pytest.mark.parametrize("reference", ["kv/team/ci deploy#user", "kv/team/ci deploy#number", "kv/other#password"])
def test_a_secret_or_key_that_a_vault_does_not_have_is_told(vault: VaultPlace, reference: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        from_vault(reference, vault)
    assert refused.value.code == "secret-not-found"


def test_a_vault_that_refuses_or_answers_nonsense_is_told_without_what_it_said(vault: VaultPlace) -> None:
    with pytest.raises(UnavailableError):
        from_vault("kv/broken#password", vault)
    vault.token_file.write_text("another token\n", encoding="ascii")
    with pytest.raises(ForbiddenError):
        from_vault("kv/team/ci deploy#password", vault)


def test_a_vault_that_is_not_there_is_told(vault: VaultPlace) -> None:
    with pytest.raises(UnavailableError):
        from_vault("kv/team#password", VaultPlace("http://127.0.0.1:9", vault.token_file))


@pytest.mark.parametrize(
    "reference", ["kv/team", "kv#password", "#password", "kv/../sys#x", "kv/a/../../sys#x", "kv/a?b#x", "kv//a#x"]
)
def test_a_reference_that_is_none_never_reaches_the_vault(vault: VaultPlace, reference: str) -> None:
    with pytest.raises(BadInputError) as refused:
        from_vault(reference, vault)
    assert refused.value.code == "secret-reference-not-understood"


@pytest.mark.parametrize("address", ["http://vault.example", "", "ftp://127.0.0.1", "vault.example"])
def test_a_token_is_never_sent_in_the_clear(vault: VaultPlace, address: str) -> None:
    with pytest.raises(BadInputError) as refused:
        from_vault("kv/team#password", VaultPlace(address, vault.token_file))
    assert refused.value.code == "vault-address-unfit"
