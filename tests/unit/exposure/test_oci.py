"""What the documents of an image say, also when they are not what they should be."""

from __future__ import annotations

import json

import pytest

from holdfast.exposure import oci
from holdfast.exposure.oci import Image, Layer
from holdfast.exposure.results import Hit

A, B, C = (f"sha256:{one * 64}" for one in "abc")


def manifest(*layers: str, config: str = C) -> bytes:
    return json.dumps({"config": {"digest": config}, "layers": [{"digest": one} for one in layers]}).encode()


def test_an_index_leads_to_indexes_and_manifests() -> None:
    inner = {"manifests": [{"digest": B}]}
    blobs = {A: json.dumps(inner).encode(), B: manifest(A, B)}
    index = {"manifests": [{"digest": A, "annotations": {"org.opencontainers.image.ref.name": "x:1"}}]}
    found, faults = oci.images(json.dumps(index).encode(), blobs.get)
    assert (found, faults) == ([Image("x:1", B, C, (Layer(A), Layer(B)))], [])


def test_an_index_that_holds_itself_ends() -> None:
    blobs = {A: json.dumps({"manifests": [{"digest": A}, {"digest": B}]}).encode()}
    found, faults = oci.images(blobs[A], blobs.get)
    assert (found, faults) == ([], [f"the manifest {B} is missing"])


@pytest.mark.parametrize("document", [b"", b"[", b"[]", b"3", b"{" * 100_000, b'{"manifests": 3}', b'{"layers": {}}'])
def test_a_document_that_is_none_leads_nowhere(document: bytes) -> None:
    found, faults = oci.images(document, lambda _digest: None)
    assert found == []
    assert len(faults) == (0 if document.startswith(b'{"') else 1)
    assert oci.saved(document) == []


def test_a_layer_kept_elsewhere_is_told_as_such() -> None:
    document = {"layers": [{"digest": A, "urls": ["https://x"]}, {"digest": B}], "config": {"digest": C}}
    found, _ = oci.images(json.dumps(document).encode(), lambda _digest: None, "x:1")
    assert oci.missing(found, []) == [
        f"layer 1 of x:1 is kept elsewhere: {A}",
        f"layer 2 of x:1 is missing: {B}",
        f"the configuration of x:1 is missing: {C}",
    ]


@pytest.mark.parametrize(
    ("removal", "removed"),
    [
        ("app/conf/.wh.key", True),
        ("./app/conf/.wh.key", True),
        ("app/.wh.conf", True),
        (".wh.app", True),
        ("app/conf/.wh..wh..opq", True),
        (".wh..wh..opq", True),
        ("app/conf/.wh.key2", False),
        ("conf/.wh.key", False),
        ("app/other/.wh..wh..opq", False),
    ],
)
def test_a_whiteout_hides_what_it_names(removal: str, removed: bool) -> None:
    image = Image("x", "", "", (Layer(A), Layer(B)))
    assert oci.removed_by(image, 1, "app/conf/key", {B: [removal]}) == (2 if removed else None)
    assert oci.removed_by(image, 2, "app/conf/key", {B: [removal]}) is None


def test_a_file_that_one_of_two_images_still_shows_is_not_removed() -> None:
    one, two = Image("x:1", "", "", (Layer(A), Layer(B))), Image("x:2", "", "", (Layer(A),))
    places = oci.positions([one, two])[A]
    assert dict(oci.about_layer(places, "key", {B: [".wh.key"]})) == {"layer": "1 of 2", "also in": "x:2"}


def test_a_place_in_a_configuration_is_told_by_its_part() -> None:
    document = json.dumps(
        {
            "config": {"Env": ["A=first"], "Labels": {"l": "second"}, "Cmd": ["third"]},
            "history": [{"created_by": "x"}, {"created_by": "fourth", "comment": '{"'}, {"created_by": "fifth"}],
            "author": "sixth",
        },
        indent=2,
    ).encode()
    told = {
        word: oci.about_config(document, document.index(word.encode()))
        for word in ("first", "second", "third", "fourth", "fifth", "sixth")
    }
    assert told == {
        "first": ("image-config", (("part", "Env"),)),
        "second": ("image-config", (("part", "Labels"),)),
        "third": ("image-config", (("part", "Cmd"),)),
        "fourth": ("image-history", (("step", "2"),)),
        "fifth": ("image-history", (("step", "3"),)),
        "sixth": ("image-config", (("part", "author"),)),
    }
    assert oci.about_config(b"{{[", 2) == ("image-config", ())


def test_a_hit_in_a_blob_of_nobody_says_so() -> None:
    hit = Hit("t", "file", "raw", "exact")
    told = oci.placed(hit, A, [], {}, lambda _digest: None)
    assert (told.kind, told.digest, told.about) == ("file", A, oci.UNREFERENCED)


def test_paths_of_blobs_are_digests() -> None:
    assert oci.blob_digest(f"x/blobs/sha256/{'a' * 64}") == A
    assert oci.blob_digest("blobs/sha256/abc") is None
    assert oci.worth_keeping(f"blobs/sha256/{'a' * 64}", 100)
    assert not oci.worth_keeping(f"blobs/sha256/{'a' * 64}", 1 << 30)
    assert oci.worth_checking(f"{'a' * 64}/layer.tar")
