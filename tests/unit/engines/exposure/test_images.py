"""Images on disk: which layer, who removed the file, what is missing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.unit.engines.exposure.test_folders import look
from tests.unit.exposure.artifacts import Searching, compressed, layout, tar_of


@pytest.fixture(scope="module")
def one() -> Searching:
    return Searching()


def layers_of(one: Searching) -> list[bytes]:
    return [
        compressed("gzip", tar_of({"etc/base": b"1"})),
        compressed("gzip", tar_of({"app/.env": one.document, "app/kept": b"k=" + one.secret})),
        compressed("zstd", tar_of({"app/.wh..env": b""})),
    ]


def test_a_file_that_a_later_layer_removed_is_found_and_told(one: Searching, tmp_path: Path) -> None:
    digests = layout(tmp_path, "acme/api:1.2", layers_of(one))
    heard, _ = look(one, tmp_path)
    assert heard.faults == []
    removed, kept = heard.hits
    assert (removed.kind, removed.artifact, removed.digest) == ("layer", "acme/api:1.2", digests[1])
    assert removed.inner == ("app/.env",)
    assert removed.path == f"blobs/{digests[1].replace(':', '/')}"
    assert dict(removed.about) == {"container": "tar", "layer": "2 of 3", "removed": "by layer 3"}
    assert "removed" not in dict(kept.about)


def test_a_folder_that_was_made_opaque_hides_what_was_in_it(one: Searching, tmp_path: Path) -> None:
    layers = [*layers_of(one)[:2], compressed("gzip", tar_of({"./app/.wh..wh..opq": b""}))]
    layout(tmp_path, "a:1", layers)
    heard, _ = look(one, tmp_path)
    assert [dict(hit.about)["removed"] for hit in heard.hits] == ["by layer 3"] * 2


def test_the_configuration_tells_environment_labels_and_history(one: Searching, tmp_path: Path) -> None:
    text = one.secret.decode()
    config = {
        "config": {"Env": ["PATH=/bin", f"TOKEN={text}"], "Labels": {"note": text}},
        "history": [{"created_by": "FROM base"}, {"created_by": f"RUN login {text}"}],
    }
    layout(tmp_path, "a:1", layers_of(one)[:1], config)
    heard, _ = look(one, tmp_path)
    told = sorted((hit.kind, hit.about[-1]) for hit in heard.hits)
    assert told == [
        ("image-config", ("part", "Env")),
        ("image-config", ("part", "Labels")),
        ("image-history", ("step", "2")),
    ]


def test_a_blob_that_no_manifest_mentions_is_searched_and_told(one: Searching, tmp_path: Path) -> None:
    layout(tmp_path, "a:1", layers_of(one)[:1])
    stray = compressed("gzip", tar_of({"x": one.document}))
    (tmp_path / "blobs" / "sha256" / hashlib.sha256(stray).hexdigest()).write_bytes(stray)
    heard, _ = look(one, tmp_path)
    assert [dict(hit.about)["referenced"] for hit in heard.hits] == ["by no manifest"]
    assert heard.faults == []


def test_a_missing_layer_and_a_wrong_digest_make_the_search_incomplete(one: Searching, tmp_path: Path) -> None:
    digests = layout(tmp_path, "a:1", layers_of(one))
    blobs = tmp_path / "blobs" / "sha256"
    (blobs / digests[0].removeprefix("sha256:")).unlink()
    (blobs / digests[2].removeprefix("sha256:")).write_bytes(compressed("gzip", tar_of({"y": one.document})))
    heard, _ = look(one, tmp_path)
    assert len(heard.hits) == 3
    told = sorted(reason for _, reason in heard.reasons())
    assert told[0].startswith("its digest is sha256:")
    assert told[1] == f"layer 1 of a:1 is missing: {digests[0]}"


def test_a_missing_manifest_is_told(one: Searching, tmp_path: Path) -> None:
    layout(tmp_path, "a:1", layers_of(one))
    index = json.loads((tmp_path / "index.json").read_text())
    digest = index["manifests"][0]["digest"]
    (tmp_path / "blobs" / "sha256" / digest.removeprefix("sha256:")).unlink()
    heard, _ = look(one, tmp_path)
    assert (f"the manifest {digest} is missing") in [reason for _, reason in heard.reasons()]
    assert len(heard.hits) == 2


@pytest.mark.parametrize("packed", [False, True])
def test_a_saved_image_names_its_layers(one: Searching, tmp_path: Path, packed: bool) -> None:
    """By ``docker save`` before version 25."""
    layers = [tar_of({"etc/base": b"1"}), tar_of({"app/.env": one.document}), tar_of({"app/.wh..env": b""})]
    config = json.dumps({"config": {"Env": [f"T={one.secret.decode()}"]}, "rootfs": {}}).encode()
    ids = [hashlib.sha256(layer + b"id").hexdigest() for layer in layers]
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": ["acme/api:1"], "Layers": [f"{one_id}/layer.tar" for one_id in ids]}]
    members = {f"{one_id}/layer.tar": layer for one_id, layer in zip(ids, layers, strict=True)}
    data = tar_of({**members, name: config, "manifest.json": json.dumps(manifest).encode()})
    (tmp_path / "saved.tar").write_bytes(compressed("gzip", data) if packed else data)
    heard, _ = look(one, tmp_path)
    assert heard.faults == []
    layer, configured = sorted(heard.hits, key=lambda hit: hit.kind, reverse=True)
    assert (layer.kind, layer.artifact, layer.inner) == ("layer", "acme/api:1", (f"{ids[1]}/layer.tar", "app/.env"))
    assert layer.digest == f"sha256:{hashlib.sha256(layers[1]).hexdigest()}"
    assert dict(layer.about)["removed"] == "by layer 3"
    assert (configured.kind, configured.about[-1]) == ("image-config", ("part", "Env"))


def test_a_saved_image_without_one_of_its_layers_is_incomplete(one: Searching, tmp_path: Path) -> None:
    manifest = [{"Config": "", "RepoTags": ["a:1"], "Layers": [f"{'0' * 64}/layer.tar"]}]
    (tmp_path / "saved.tar").write_bytes(tar_of({"manifest.json": json.dumps(manifest).encode()}))
    heard, _ = look(one, tmp_path)
    assert heard.reasons() == [("saved.tar", f"layer 1 of a:1 is missing: {'0' * 64}/layer.tar")]


def test_an_archive_of_a_layout_names_its_layers(one: Searching, tmp_path: Path) -> None:
    """By ``docker save`` since version 25, and ``skopeo copy … oci-archive:``."""
    folder = tmp_path / "made"
    digests = layout(folder, "a:1", layers_of(one))
    members = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    (tmp_path / "looked").mkdir()
    (tmp_path / "looked" / "image.tar").write_bytes(tar_of(members))
    heard, _ = look(one, tmp_path / "looked")
    assert heard.faults == []
    assert [(hit.kind, hit.digest, hit.inner[1:]) for hit in heard.hits] == [
        ("layer", digests[1], ("app/.env",)),
        ("layer", digests[1], ("app/kept",)),
    ]
