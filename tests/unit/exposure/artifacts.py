"""Artifacts as people publish and keep them, made at test time around a secret that is made at test time, too."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import secrets
import string
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import zstandard

from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import search_bytes
from holdfast.exposure.matching import Matcher, matcher
from holdfast.exposure.query import Query, compile_query
from holdfast.exposure.unpacked import Found
from holdfast.kernel.secrets import SecretValue

LETTERS = string.ascii_letters + string.digits


def secret_of(length: int = 40) -> bytes:
    """Characters nobody used before."""
    return "".join(secrets.choice(LETTERS) for _ in range(length)).encode()


class Searching:
    """A secret and what looks for it."""

    def __init__(self, secret: bytes | None = None) -> None:
        self.secret = secret or secret_of()
        self.query: Query = compile_query([SecretValue(self.secret)])
        self.matcher: Matcher = matcher(self.query.anchors)
        self.document = b"host=db\nuser=app\nkey=" + self.secret + b"\nport=5432\n"

    def search(self, data: bytes, limits: Limits | None = None) -> Found:
        return search_bytes(data, self.query, self.matcher, limits or Limits())

    def places(self, data: bytes, limits: Limits | None = None) -> list[tuple[str, ...]]:
        """Where it was found whole, without a fault."""
        found = self.search(data, limits)
        assert found.faults == []
        return [one.inner for one in found.matches if one.match.cls != "partial"]


def tar_of(members: Mapping[str, bytes], how: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=how) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(members: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def compressed(kind: str, data: bytes) -> bytes:
    made = {
        "gzip": lambda: gzip.compress(data, mtime=0),
        "zstd": lambda: zstandard.ZstdCompressor(write_checksum=True).compress(data),
        "xz": lambda: lzma.compress(data),
        "bzip2": lambda: bz2.compress(data),
        "lzma": lambda: lzma.compress(data, lzma.FORMAT_ALONE),
    }
    return made[kind]()


def wheel_of(name: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel that an index accepts."""
    info = f"{name}-1.0.dist-info"
    files = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
        for path, data in files.items()
    )
    return zip_of({**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()})


def slack_of(text: str) -> bytes:
    """A Slack export in which one message has a text."""
    users = [{"id": "U1", "name": "ada", "profile": {"real_name": "Ada L."}}, {"id": "U2", "name": "bob"}]
    talk = [
        {"type": "message", "user": "U2", "text": "who has it?", "ts": "1704103200.000100"},
        {"type": "message", "user": "U1", "text": text, "ts": "1704103260.000200"},
    ]
    return zip_of(
        {
            "channels.json": json.dumps([{"id": "C1", "name": "ops"}]).encode(),
            "users.json": json.dumps(users).encode(),
            "ops/2024-01-01.json": json.dumps(talk, indent=4).encode(),
            "ops/2024-01-02.json": b"[]",
        }
    )


def jira_of(text: str) -> bytes:
    """A search result of Jira's REST interface."""
    comment = {"author": {"displayName": "Bob"}, "body": text, "created": "2024-03-04T05:06:07.000+0200"}
    fields = {"summary": "Deploy fails", "reporter": {"displayName": "Ada"}, "comment": {"comments": [comment]}}
    issues = [
        {"id": "1", "key": "OPS-1", "fields": {"summary": "other"}},
        {"id": "2", "key": "OPS-7", "fields": fields},
    ]
    return json.dumps({"startAt": 0, "total": 2, "issues": issues}).encode()


def layout(folder: Path, name: str, layers: list[bytes], config: Mapping[str, object] | None = None) -> list[str]:
    """Write an image layout; returns the digests of its layers."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def put(data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    plain = [_plain(one) for one in layers]
    whole = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "history": [{"created_by": "made"} for _ in layers],
        **(config or {}),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(one).hexdigest()}" for one in plain]},
    }
    media = "application/vnd.oci.image"
    described = [{"mediaType": f"{media}.layer.v1.tar+{_packing(one)}", **put(one)} for one in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{media}.manifest.v1+json",
        "config": {"mediaType": f"{media}.config.v1+json", **put(json.dumps(whole).encode())},
        "layers": described,
    }
    entry = {
        "mediaType": f"{media}.manifest.v1+json",
        **put(json.dumps(manifest).encode()),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return [str(one["digest"]) for one in described]


def _packing(layer: bytes) -> str:
    return "gzip" if layer[:2] == b"\x1f\x8b" else "zstd"


def _plain(layer: bytes) -> bytes:
    if _packing(layer) == "gzip":
        return gzip.decompress(layer)
    return zstandard.ZstdDecompressor().decompressobj().decompress(layer)


def artifacts(found: Searching) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """The kinds of artifacts, with where the secret is in each."""
    text = found.document
    inner = zip_of({"application.properties": text})
    jar = zip_of({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "BOOT-INF/lib/a.jar": inner})
    in_jar = ("app/app.jar", "BOOT-INF/lib/a.jar", "application.properties")
    layer = tar_of({"app/app.jar": jar, "etc/motd": b"hi\n"})
    sdist = tar_of({"pkg-1.0/PKG-INFO": b"Name: pkg\n", "pkg-1.0/pkg/settings.py": text})
    npm = tar_of({"package/package.json": b"{}", "package/.env": text}, tarfile.USTAR_FORMAT)
    log = b"2024-01-01T10:00:00.1234567Z ##[group]Run tests\n2024-01-01T10:00:01.0Z export K=" + found.secret + b"\n"
    nested = zip_of({"dist.tar.gz": compressed("gzip", tar_of({"pkg.whl": wheel_of("pkg", {"pkg/a.py": text})}))})
    registry = '\ufeffWindows Registry Editor Version 5.00\r\n\r\n[HKEY_X]\r\n"p"="' + found.secret.decode() + '"\r\n'
    return {
        "layer.tar.gz": (compressed("gzip", layer), in_jar),
        "layer.tar.zst": (compressed("zstd", layer), in_jar),
        "pkg-1.0-py3-none-any.whl": (wheel_of("pkg", {"pkg/settings.py": text}), ("pkg/settings.py",)),
        "pkg-1.0.tar.gz": (compressed("gzip", sdist), ("pkg-1.0/pkg/settings.py",)),
        "pkg-1.0.0.tgz": (compressed("gzip", npm), ("package/.env",)),
        "logs.zip": (zip_of({"0_build.txt": b"x\n", "build/3_Run tests.txt": log}), ("build/3_Run tests.txt",)),
        "build.log.gz": (compressed("gzip", log), ()),
        "slack.zip": (slack_of(f"it is {found.secret.decode()} ok"), ("ops/2024-01-01.json",)),
        "jira.json.gz": (compressed("gzip", jira_of(f"use {found.secret.decode()}")), ()),
        "release.zip": (nested, ("dist.tar.gz", "pkg.whl", "pkg/a.py")),
        "export.reg": (registry.encode("utf-16-le"), ()),
        "paste.txt": (b"look:\r\n" + text, ()),
    }
