"""Addresses of registries, and who searches each kind.

``oci://HOST[:PORT][/NAME[:TAG|@DIGEST]]``, ``pypi+https://HOST/INDEX/PROJECT`` (a slash at the end: all projects),
``npm+https://HOST/PACKAGE``. Plain HTTP for this machine only.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from holdfast.app.ports_exposure import Listener, Target
from holdfast.connectors.registries import npm, oci, pypi
from holdfast.connectors.registries.fetching import Fetcher, NotFetchedError, credential
from holdfast.connectors.registries.publishing import Visit, Visitor
from holdfast.exposure.query import Query
from holdfast.exposure.results import Totals
from holdfast.exposure.unpacked import SearchStream

_KINDS: dict[str, Visitor] = {"oci": oci.visit, "pypi": pypi.visit, "npm": npm.visit}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SECONDS = 60.0


def is_registry(address: str) -> bool:
    """Whether an address is one that is searched here."""
    return urlsplit(address).scheme.partition("+")[0] in _KINDS and "://" in address


def open_client() -> httpx.Client:
    """A client without credentials, environment or redirects of its own."""
    return httpx.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False)


class RegistrySearcher:
    """See :class:`holdfast.app.ports_exposure.Searcher`."""

    def __init__(
        self,
        search: SearchStream,
        reference: str | None = None,
        client: Callable[[], httpx.Client] = open_client,
    ) -> None:
        """Search by streams.

        Args:
            search: searches one stream that may be an archive.
            reference: of the credential, ``env:NAME`` or ``file:PATH``; none asks as a stranger.
            client: makes a client.
        """
        self._search, self._reference, self._client = search, reference, client

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        """Look through everything that is published under an address."""
        visit = Visit(target, query, listener, self._search)
        kind, _, scheme = urlsplit(target.where).scheme.partition("+")
        base, path = _split(target.where, scheme, whole=kind == "pypi")
        try:
            with self._client() as client:
                fetcher = Fetcher(client, base, credential(self._reference))
                _KINDS[kind](visit, fetcher, path)
        except NotFetchedError as error:
            visit.fault("", str(error))
        except KeyError:
            visit.fault("", "no kind of registry that is known here")
        return visit.totals


def _split(address: str, scheme: str, *, whole: bool) -> tuple[str, str]:
    """Address of the registry, and the path that names what is searched.

    Args:
        address: with the kind in its scheme.
        scheme: what is spoken; empty means TLS, and plain HTTP to this machine.
        whole: whether a slash at the end means something.
    """
    parts = urlsplit(address)
    spoken = scheme or ("http" if parts.hostname in _LOOPBACK else "https")
    path = parts.path.removeprefix("/")
    return f"{spoken}://{parts.netloc}", path if whole else path.strip("/")
