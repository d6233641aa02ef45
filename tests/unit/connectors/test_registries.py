"""Registries as a fake tells them: lists with pages, redirects, tokens, and answers that are not what they claim."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from holdfast.app.ports_exposure import Target
from holdfast.connectors.registries.searching import RegistrySearcher, is_registry
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import search_stream
from tests.unit.engines.exposure.test_folders import Heard
from tests.unit.exposure.artifacts import Searching, compressed, tar_of, wheel_of

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def one() -> Searching:
    return Searching()


class Registry:
    """A fake that keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), follow_redirects=False, trust_env=False)

    def visited(self, one: Searching, address: str, reference: str | None = None) -> Heard:
        heard = Heard()
        searcher = RegistrySearcher(
            lambda chunks, query: search_stream(chunks, query, one.matcher, Limits()), reference, self.client
        )
        searcher.search(Target(address, "r"), one.query, heard)
        return heard


def streamed(data: bytes) -> httpx.Response:
    return httpx.Response(200, content=iter([data]))


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Images:
    """One repository of images in memory."""

    def __init__(self, layer: bytes, tags: list[str]) -> None:
        config = b'{"config": {}}'
        self.blobs = {digest_of(layer): layer, digest_of(config): config}
        self.layer, self.tags = digest_of(layer), tags
        self.manifest = json.dumps(
            {"schemaVersion": 2, "config": {"digest": digest_of(config)}, "layers": [{"digest": self.layer}]}
        ).encode()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/tags/list"):
            return self.page(request)
        if "/manifests/" in path:
            return httpx.Response(
                200, content=self.manifest, headers={"docker-content-digest": digest_of(self.manifest)}
            )
        held = self.blobs.get(path.rpartition("/")[2])
        return httpx.Response(404) if held is None else streamed(held)

    def page(self, request: httpx.Request) -> httpx.Response:
        size, last = 2, request.url.params.get("last", "")
        rest = [tag for tag in self.tags if tag > last]
        headers = {"link": f'</v2/a/tags/list?last={rest[size - 1]}&n={size}>; rel="next"'} if len(rest) > size else {}
        return httpx.Response(200, json={"name": "a", "tags": rest[:size]}, headers=headers)


def images(one: Searching, tags: list[str]) -> Images:
    return Images(compressed("gzip", tar_of({"x": one.document})), tags)


def test_all_pages_of_a_list_are_read_and_each_blob_once(one: Searching) -> None:
    held = images(one, ["1", "2", "3", "4", "5"])
    registry = Registry(held)
    heard = registry.visited(one, "oci://registry.example/a")
    assert heard.faults == []
    assert [(hit.kind, hit.artifact, hit.inner, hit.digest) for hit in heard.hits] == [
        ("layer", "a:1", ("x",), held.layer)
    ]
    asked = [request.url.path for request in registry.asked]
    assert len([path for path in asked if "/manifests/" in path]) == 5
    assert asked.count(f"/v2/a/blobs/{held.layer}") == 1
    assert all(request.url.scheme == "https" for request in registry.asked)


def test_a_list_that_leads_back_to_itself_ends_and_is_told(one: Searching) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"tags": []}, headers={"link": '</v2/a/tags/list?n=100>; rel="next"'})

    heard = Registry(answer).visited(one, "oci://registry.example/a")
    assert [fault.reason for fault in heard.faults] == ["its list does not end"]


def test_a_full_page_without_a_way_on_is_asked_for_its_rest(one: Searching) -> None:
    held = images(one, [f"{number:03}" for number in range(150)])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/tags/list"):
            last = request.url.params.get("last", "")
            return httpx.Response(200, json={"tags": [tag for tag in held.tags if tag > last][:100]})
        return held(request)

    registry = Registry(answer)
    registry.visited(one, "oci://registry.example/a")
    assert len([request for request in registry.asked if "/manifests/" in request.url.path]) == 150


def test_credentials_go_to_the_registry_only(one: Searching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_LOGIN", "reader:" + one.secret.decode())
    held = images(one, ["1"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.example":
            return streamed(held.blobs[request.url.path.rpartition("/")[2]])
        if "/blobs/" in request.url.path:
            return httpx.Response(307, headers={"location": f"https://storage.example{request.url.path}"})
        return held(request)

    registry = Registry(answer)
    heard = registry.visited(one, "oci://registry.example/a", "env:REGISTRY_LOGIN")
    assert len(heard.hits) == 1
    for request in registry.asked:
        assert ("authorization" in request.headers) == (request.url.host == "registry.example")


def test_a_token_is_fetched_once_for_a_repository(one: Searching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_LOGIN", "reader:" + one.secret.decode())
    held = images(one, ["1"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            assert request.headers["authorization"].startswith("Basic ")
            assert dict(request.url.params) == {"service": "s", "scope": "repository:a:pull"}
            return httpx.Response(200, json={"token": "short-lived"})
        if request.headers.get("authorization") != "Bearer short-lived":
            challenge = 'Bearer realm="https://auth.example/token",service="s",scope="repository:a:pull"'
            return httpx.Response(401, headers={"www-authenticate": challenge})
        return held(request)

    registry = Registry(answer)
    assert len(registry.visited(one, "oci://registry.example/a", "env:REGISTRY_LOGIN").hits) == 1
    assert len([request for request in registry.asked if request.url.host == "auth.example"]) == 1


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("oci+http://registry.example/a", "registry.example is not this machine: it is asked over TLS only"),
        ("oci://reader:pass@registry.example/a", "credentials do not belong in an address: give a reference"),
        ("npm+https://registry.example/", "no package is named"),
        ("oci://registry.example/A B", "no name of an image"),
        ("gem+https://registry.example/a", "no kind of registry that is known here"),
    ],
)
def test_an_address_that_is_not_asked_is_a_fault(one: Searching, address: str, reason: str) -> None:
    registry = Registry(lambda _request: httpx.Response(500))
    heard = registry.visited(one, address)
    assert [fault.reason for fault in heard.faults] == [reason]
    assert registry.asked == []


def test_a_redirect_from_tls_to_plain_http_is_refused(one: Searching) -> None:
    registry = Registry(lambda _request: httpx.Response(302, headers={"location": "http://127.0.0.1/x"}))
    heard = registry.visited(one, "npm+https://registry.example/a")
    assert "without TLS" in heard.faults[0].reason


@pytest.mark.parametrize("reference", ["env:NOBODY_SET_THIS", "file:/nowhere/at/all", "plain"])
def test_a_reference_that_leads_nowhere_is_a_fault_without_its_value(one: Searching, reference: str) -> None:
    registry = Registry(lambda _request: httpx.Response(500))
    heard = registry.visited(one, "npm+https://registry.example/a", reference)
    assert len(heard.faults) == 1
    assert registry.asked == []


def test_a_blob_that_is_not_its_digest_is_searched_and_told(one: Searching) -> None:
    held = images(one, ["1"])
    held.blobs[held.layer] = compressed("gzip", tar_of({"y": one.document}))
    heard = Registry(held).visited(one, "oci://registry.example/a")
    assert [hit.inner for hit in heard.hits] == [("y",)]
    assert [fault.reason.split(" ", 3)[:3] for fault in heard.faults] == [["its", "digest", "is"]]


def test_a_download_that_breaks_off_is_searched_as_far_as_it_came(one: Searching) -> None:
    held = images(one, ["1"])
    layer = compressed("gzip", tar_of({"x": one.document}))

    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield layer[:-20]
            raise httpx.ReadError("gone")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(held.layer):
            return httpx.Response(200, stream=Broken())
        return held(request)

    heard = Registry(answer).visited(one, "oci://registry.example/a")
    assert [hit.inner for hit in heard.hits] == [("x",)]
    assert "the download broke off (ReadError)" in [fault.reason for fault in heard.faults]


def test_a_missing_blob_and_a_refused_manifest_are_faults(one: Searching) -> None:
    held = images(one, ["1"])
    held.blobs.pop(held.layer)
    heard = Registry(held).visited(one, "oci://registry.example/a")
    assert [fault.reason for fault in heard.faults] == [
        f"https://registry.example/v2/a/blobs/{held.layer} answered 404"
    ]
    heard = Registry(lambda _request: httpx.Response(403)).visited(one, "oci://registry.example/a:1")
    assert [fault.reason for fault in heard.faults] == ["https://registry.example/v2/a/manifests/1 answered 403"]


def test_pages_of_links_are_read_as_an_index(one: Searching) -> None:
    wheel = wheel_of("pkg", {"s.py": one.document})
    good = hashlib.sha256(wheel).hexdigest()
    page = f'<a href="../../f/pkg-1.0-py3-none-any.whl#sha256={good}" data-yanked="">x</a><a href="/about">y</a>'

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/simple/my-pkg/":
            return httpx.Response(200, text=page, headers={"content-type": "text/html"})
        return streamed(wheel) if request.url.path.endswith(".whl") else httpx.Response(404)

    heard = Registry(answer).visited(one, "pypi+https://pypi.example/simple/My_Pkg")
    assert heard.faults == []
    assert [(hit.artifact, hit.inner, hit.digest) for hit in heard.hits] == [
        ("My_Pkg 1.0", ("s.py",), f"sha256:{good}")
    ]


def test_a_tarball_of_npm_is_checked_and_its_description_searched(one: Searching) -> None:
    tarball = compressed("gzip", tar_of({"package/.env": one.document}))
    wrong = base64.b64encode(bytes(64)).decode()
    old = hashlib.sha1(tarball, usedforsecurity=False).hexdigest()
    told = {
        "readme": f"token {one.secret.decode()}",
        "versions": {
            "1.0.0": {"dist": {"tarball": "https://npm.example/a/-/a-1.0.0.tgz", "shasum": old}},
            "1.0.1": {"dist": {"tarball": "/a/-/a-1.0.1.tgz", "integrity": f"sha512-{wrong}"}},
            "1.0.2": {},
        },
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return streamed(tarball) if request.url.path.endswith("tgz") else httpx.Response(200, json=told)

    heard = Registry(answer).visited(one, "npm+https://npm.example/a")
    assert [(hit.artifact, hit.path, hit.inner) for hit in heard.hits] == [
        (None, "a (metadata)", ()),
        ("a@1.0.0", "a-1.0.0.tgz", ("package/.env",)),
        ("a@1.0.1", "a-1.0.1.tgz", ("package/.env",)),
    ]
    assert [(fault.where, fault.reason[:30]) for fault in heard.faults] == [
        ("a-1.0.1.tgz", "its digest is sha512-" + heard.faults[0].reason[21:30]),
        ("a@1.0.2", "its tarball is not named"),
    ]


def test_addresses_of_registries_are_known(tmp_path: Path) -> None:
    assert is_registry("oci://127.0.0.1:5000/a")
    assert is_registry("npm+http://127.0.0.1:1/a")
    assert not is_registry(str(tmp_path))
    assert not is_registry("https://example.org/a.git")
