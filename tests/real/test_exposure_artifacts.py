"""A secret in what was published to real registries: images, Python packages, npm packages; every version of them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from holdfast.app.ports_exposure import Target
from holdfast.connectors.registries.searching import RegistrySearcher
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import search_stream
from holdfast.exposure.results import Totals
from tests.real.publishing import devpi, docker_registry, npm_token, push_image, put, upload, verdaccio
from tests.real.services import program
from tests.unit.engines.exposure.test_folders import Heard, look
from tests.unit.exposure.artifacts import Searching, compressed, layout, secret_of, tar_of, wheel_of

pytestmark = pytest.mark.real


def visited(one: Searching, address: str, reference: str | None = None) -> tuple[Heard, Totals]:
    heard = Heard()
    searcher = RegistrySearcher(lambda chunks, query: search_stream(chunks, query, one.matcher, Limits()), reference)
    totals = searcher.search(Target(address, "registry"), one.query, heard)
    return heard, totals


def test_every_tag_of_every_repository_of_a_registry_is_searched(tmp_path: Path) -> None:
    one = Searching()
    program("skopeo")
    layers = [
        compressed("gzip", tar_of({"etc/base": b"1"})),
        compressed("gzip", tar_of({"app/.env": one.document})),
        compressed("gzip", tar_of({"app/.wh..env": b""})),
    ]
    digests = layout(tmp_path / "leaky", "1", layers, {"history": [{"created_by": f"RUN {one.secret.decode()}"}]})
    layout(tmp_path / "clean", "1", layers[:1])
    with docker_registry(tmp_path) as port:
        for tag in ("1.0", "1.1"):
            push_image(tmp_path / "leaky", "1", port, f"acme/api:{tag}")
        push_image(tmp_path / "clean", "1", port, "acme/web:2")
        whole, totals = visited(one, f"oci://127.0.0.1:{port}")
        named, _ = visited(one, f"oci://127.0.0.1:{port}/acme/api:1.1")
        clean, _ = visited(one, f"oci://127.0.0.1:{port}/acme/web")
        gone, _ = visited(one, f"oci://127.0.0.1:{port}/acme/nothing")
    assert whole.faults == []
    assert totals.files > 6
    told = sorted((hit.kind, hit.artifact, hit.inner) for hit in whole.hits)
    assert told == [("image-history", "acme/api:1.0", ()), ("layer", "acme/api:1.0", ("app/.env",))]
    layer = next(hit for hit in whole.hits if hit.kind == "layer")
    assert layer.digest == digests[1]
    assert dict(layer.about)["removed"] == "by layer 3"
    assert dict(layer.about)["also in"] == "acme/api:1.1"
    assert {hit.artifact for hit in named.hits} == {"acme/api:1.1"}
    assert (clean.hits, clean.faults) == ([], [])
    assert "answered 404" in gone.faults[0].reason
    copied, _ = look(one, tmp_path / "leaky")
    assert {hit.digest for hit in copied.hits} == {hit.digest for hit in whole.hits}


def test_every_file_of_every_version_of_a_python_package_is_searched(tmp_path: Path) -> None:
    one, other = Searching(), secret_of()
    wheel = tmp_path / "pkg-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel_of("pkg", {"pkg/settings.py": one.document}))
    told = b"Metadata-Version: 2.1\nName: pkg\nVersion: 2.0\n"
    sdist = tmp_path / "pkg-2.0.tar.gz"
    sdist.write_bytes(compressed("gzip", tar_of({"pkg-2.0/PKG-INFO": told, "pkg-2.0/conf.ini": one.document})))
    with devpi(tmp_path) as address:
        index = upload(address, [wheel, sdist], other.decode())
        project, totals = visited(one, f"pypi+{address}/{index}/pkg")
        whole, _ = visited(one, f"pypi+{address}/{index}/")
        gone, _ = visited(one, f"pypi+{address}/{index}/nothing")
    assert project.faults == []
    assert sorted((hit.kind, hit.artifact, hit.path, hit.inner) for hit in project.hits) == [
        ("package", "pkg 1.0", "pkg-1.0-py3-none-any.whl", ("pkg/settings.py",)),
        ("package", "pkg 2.0", "pkg-2.0.tar.gz", ("pkg-2.0/conf.ini",)),
    ]
    assert {hit.digest for hit in project.hits} == {
        f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in (wheel, sdist)
    }
    assert totals.bytes_read >= wheel.stat().st_size + sdist.stat().st_size
    assert [hit.path for hit in whole.hits] == [hit.path for hit in project.hits]
    assert len(gone.faults) == 1


def test_every_version_of_an_npm_package_is_searched_with_a_token_by_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, password = Searching(), secret_of().decode()
    with verdaccio(tmp_path) as address:
        token = npm_token(address, "ci", password)
        monkeypatch.setenv("NPM_READ", token)
        (tmp_path / "token").write_text(token)
        _publish(address, token, "@acme/tool", "1.0.0", {"package/.env": one.document})
        _publish(address, token, "@acme/tool", "1.0.1", {"package/index.js": b"1"})
        found, _ = visited(one, f"npm+{address}/@acme/tool", "env:NPM_READ")
        by_file, _ = visited(one, f"npm+{address}/@acme/tool", f"file:{tmp_path / 'token'}")
        refused, _ = visited(one, f"npm+{address}/@acme/tool")
    assert found.faults == []
    assert [(hit.kind, hit.artifact, hit.inner) for hit in found.hits] == [
        ("package", "@acme/tool@1.0.0", ("package/.env",))
    ]
    assert [hit.inner for hit in by_file.hits] == [("package/.env",)]
    assert (refused.hits, len(refused.faults)) == ([], 1)
    assert token not in repr(refused.faults)


def _publish(address: str, token: str, name: str, version: str, members: dict[str, bytes]) -> None:
    """As ``npm publish`` does."""
    told = {"name": name, "version": version}
    tarball = compressed("gzip", tar_of({"package/package.json": json.dumps(told).encode(), **members}))
    file = f"{name.partition('/')[2]}-{version}.tgz"
    dist = {
        "integrity": f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}",
        "shasum": hashlib.sha1(tarball, usedforsecurity=False).hexdigest(),
        "tarball": f"{address}/{name}/-/{file}",
    }
    put(
        f"{address}/{name.replace('/', '%2f')}",
        {
            "_id": name,
            "name": name,
            "dist-tags": {"latest": version},
            "versions": {version: {**told, "dist": dist}},
            "_attachments": {
                file: {
                    "content_type": "application/octet-stream",
                    "data": base64.b64encode(tarball).decode(),
                    "length": len(tarball),
                }
            },
        },
        token,
    )
