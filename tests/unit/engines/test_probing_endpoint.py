"""One connection to an address on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from holdfast.engines.probing_endpoint import EndpointProbe
from holdfast.investigation.probing import ProbeQuestion, ProbeResult


class Redirecting(BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.seen.append(self.path)
        self.send_response(302)
        self.send_header("Location", "http://192.0.2.1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Redirecting) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


def asked(address: str) -> ProbeResult:
    return EndpointProbe(lambda: 9, 0.5).check(ProbeQuestion("x", "endpoint_answers", {"address": address}))


def test_an_answer_is_told_with_its_status_and_redirects_are_not_followed(server: int) -> None:
    found = asked(f"http://127.0.0.1:{server}/hook")
    assert (found.standing, found.why) == ("exploitable", f"http://127.0.0.1:{server}/hook answers with 302")
    assert Redirecting.seen[-1] == "/hook"


def test_a_plain_connection_is_enough_for_tcp(server: int) -> None:
    assert asked(f"tcp://127.0.0.1:{server}").standing == "exploitable"


def test_a_refused_connection_is_closed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert asked(f"tcp://127.0.0.1:{port}").standing == "closed"


def test_silence_cannot_be_told() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert asked(f"http://127.0.0.1:{listening.getsockname()[1]}").standing == "cannot_tell"


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "tcp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
def test_other_addresses_are_not_asked(address: str) -> None:
    assert asked(address).standing == "cannot_tell"
