"""Whether an address answers: one TCP connection, or one HTTP HEAD. Only asked when a person names the address.

Rules:
1. HTTP redirects are not followed, no body is read, and a certificate that does not hold up is told, not refused:
   whether somebody answers is the question.
2. A refused connection is ``closed``; silence until the time is up, or a name that does not resolve, is
   ``cannot_tell``: it may answer others.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from holdfast.investigation.probing import ProbeQuestion, ProbeResult, Standing

_SECONDS = 5.0


class EndpointProbe:
    """Probe of addresses such as ``https://host/path`` and ``tcp://host:port``."""

    permissions: Mapping[str, tuple[str, ...]] = {"endpoint_answers": ("one connection to the address",)}

    def __init__(self, now_us: Callable[[], int], seconds: float = _SECONDS) -> None:
        """Wait at most ``seconds`` for an answer."""
        self._now_us = now_us
        self._seconds = seconds

    def check(self, question: ProbeQuestion) -> ProbeResult:
        """Connect once."""
        moment = self._now_us()
        address = question.target.get("address", "")
        try:
            standing, why = self._ask(address)
        except ConnectionRefusedError:
            standing, why = "closed", f"{address} refuses connections"
        except (OSError, http.client.HTTPException, ValueError) as error:
            standing, why = "cannot_tell", f"{address} did not answer: {type(error).__name__}"
        return ProbeResult(question, standing, moment, why, {"address": address})

    def _ask(self, address: str) -> tuple[Standing, str]:
        parts = urlsplit(address)
        host = parts.hostname or ""
        if parts.scheme == "tcp" and parts.port:
            with socket.create_connection((host, parts.port), self._seconds):
                return "exploitable", f"{address} takes connections"
        if parts.scheme not in ("http", "https") or not host:
            return "cannot_tell", f"{address} is not an address of the kinds tcp, http and https"
        connection = self._connection(parts.scheme, host, parts.port)
        try:
            connection.request("HEAD", parts.path or "/")
            return "exploitable", f"{address} answers with {connection.getresponse().status}"
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._seconds)
        context = ssl.create_default_context()
        context.check_hostname = False  # rule 1: nothing is sent but a HEAD, and nothing read is believed
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=context)
