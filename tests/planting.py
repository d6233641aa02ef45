"""Places where one secret was left: repositories in which every plant has its expected class.

The secret is made up when the plants are; nothing here holds one. Each encoder is written for the plants and shares
nothing with the product.
"""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import quopri
import random
import string
import subprocess
import tarfile
import urllib.parse
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Plant"), ("EMAIL", "plant@example.org"), ("DATE", "1700000000 +0000"))
}
QUIET = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **_AUTHOR,
}


@dataclass(frozen=True, slots=True)
class Plant:
    """Where a secret is, and what a search has to say of it."""

    kind: str
    """Of the object, or ``git-file``."""
    oid: str | None
    cls: str
    inner: bool = False
    """Whether it is within an archive."""
    path: str | None = None
    reach: str | None = None
    """What its provenance has to say, where a plant is about that."""


@dataclass(slots=True)
class Planted:
    """A repository with plants."""

    home: Path
    """Its git folder."""
    secret: bytes
    plants: dict[str, Plant] = field(default_factory=dict)

    def git(self, *words: str, given: bytes | None = None, more: Mapping[str, str] | None = None) -> str:
        """Run git in it; what it said."""
        done = subprocess.run(
            ["git", *words],
            input=given,
            env={**QUIET, "GIT_DIR": str(self.home), **(more or {})},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def blob(self, data: bytes) -> str:
        """Write a blob."""
        return self.git("hash-object", "-w", "--stdin", given=data)

    def tree(self, entries: Mapping[str, str], mode: str = "100644 blob") -> str:
        """Write a tree of blobs by name."""
        rows = b"".join(f"{mode} {oid}\t{name}\0".encode() for name, oid in entries.items())
        return self.git("mktree", "-z", given=rows)

    def folder(self, name: str, tree: str) -> str:
        """Write a tree that holds another."""
        return self.git("mktree", given=f"040000 tree {tree}\t{name}\n".encode())

    def commit(self, tree: str, *parents: str, message: bytes = b"plant", more: Mapping[str, str] | None = None) -> str:
        """Write a commit."""
        words = [word for one in parents for word in ("-p", one)]
        return self.git("commit-tree", tree, *words, given=message, more=more)


def made_up(seed: object, length: int = 40) -> bytes:
    """A secret like a provider's: it holds what has to be escaped."""
    chance = random.Random(f"{seed}")
    letters = string.ascii_letters + string.digits + "+/"
    return ("q/" + "".join(chance.choice(letters) for _ in range(length - 3)) + "=").encode()


def near_miss(secret: bytes) -> bytes:
    """The secret with two characters changed; a long piece stays."""
    changed = bytearray(secret)
    changed[3] ^= 1
    changed[-3] ^= 1
    return bytes(changed)


def gz(data: bytes, name: str = "") -> bytes:
    """As gzip writes it."""
    out = io.BytesIO()
    with gzip.GzipFile(filename=name, fileobj=out, mode="wb", mtime=0) as file:
        file.write(data)
    return out.getvalue()


def zipped(members: Mapping[str, bytes], comment: bytes = b"") -> bytes:
    """A zip of members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return out.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    """A tar of members, compressed by ``w:gz`` and the like."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # the mode is a variable
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return out.getvalue()


def spelled(secret: bytes, chance: random.Random) -> dict[str, tuple[bytes, str, bool]]:
    """Contents by name of the plant: bytes, class, whether it is within an archive."""
    text = secret.decode()
    b64 = base64.b64encode
    noise = lambda count: bytes(chance.getrandbits(8) for _ in range(count))  # noqa: E731 - said once
    words = lambda inserted: _amid(chance, inserted)  # noqa: E731 - likewise
    half = len(secret) // 2
    encoded = "encoded"
    return {
        # The 36 places that the first measurements were made with (those that are contents).
        "raw_old": (words(b'  key = "' + secret + b'"'), "exact", False),
        "raw_head": (words(b"SECRET=" + secret), "exact", False),
        "b64_0": (words(b"auth: " + b64(secret + b":x")), encoded, False),
        "b64_1": (words(b"auth: " + b64(b"u" + secret + b":xy")), encoded, False),
        "b64_2": (words(b"auth: " + b64(b"u:" + secret + b"zz")), encoded, False),
        "b64url": (words(b"auth: " + base64.urlsafe_b64encode(b"user:" + secret)), encoded, False),
        "url": (words(b"https://x.example/?k=" + urllib.parse.quote(text, safe="").encode()), encoded, False),
        "hex": (words(secret.hex().encode()), encoded, False),
        "hex_upper": (words(secret.hex().upper().encode()), encoded, False),
        "json_escaped": (
            words(b'{"k":"' + secret.replace(b"/", b"\\/").replace(b"=", b"\\u003d") + b'"}'),
            encoded,
            False,
        ),
        "utf16le": (b"\xff\xfe" + f"password={text}\r\nmore text\r\n".encode("utf-16le"), encoded, False),
        "utf16be": (b"\xfe\xff" + f"password={text}\r\nmore text\r\n".encode("utf-16be"), encoded, False),
        "binary_nul": (noise(3000) + b"\0" + secret + b"\0" + noise(3000), "exact", False),
        "reversed": (words(secret[::-1]), encoded, False),
        "double_b64": (words(b64(b"v:" + b64(b"p=" + secret))), encoded, False),
        "gz": (gz(b"line\n" * 50 + b"K=" + secret + b"\n" + b"tail\n" * 50), "exact", True),
        "zip": (zipped({"a/.env": b"A=1\nK=" + secret + b"\n", "x.txt": b"hello " * 100}), "exact", True),
        "tgz_in_zip": (
            zipped({"layer.tgz": tarred({"app/config.yml": b"k: " + secret + b"\n" * 20}, "w:gz")}),
            "exact",
            True,
        ),
        "zst": (zstandard.compress(b"foo\n" * 100 + b"K=" + secret + b"\nbar"), "exact", True),
        "wrapped_b64": (
            b"-----BEGIN X-----\n" + base64.encodebytes(b"a" * 50 + secret + b"b" * 80) + b"-----END X-----\n",
            encoded,
            False,
        ),
        "nodiff_attr": (words(b"lock " + secret), "exact", False),
        "split_concat": (words(b'k = "' + secret[:half] + b'" + "' + secret[half:] + b'"'), "split", False),
        "big_log": (
            b"".join(b"2026-01-01 INFO something happened with id %d\n" % n for n in range(20_000))
            + b"export TOKEN=" + secret + b"\n",
            "exact",
            False,
        ),
        "html_entities": (words(secret.replace(b"/", b"&#x2F;").replace(b"=", b"&#x3D;")), encoded, False),
        "seam_delta": (words(b'api_token: "' + secret + b'"'), "exact", False),
        # Others.
        "powershell": (words(b"powershell -enc " + b64(f"$k='{text}'".encode("utf-16le"))), encoded, False),
        "base32": (words(base64.b32encode(secret)), encoded, False),
        "hex_spaced": (words(b" ".join(b"%02x" % one for one in secret)), encoded, False),
        "hex_colons": (words(b":".join(b"%02X" % one for one in secret)), encoded, False),
        "escaped_x": (words(b'"' + b"".join(b"\\x%02x" % one for one in secret) + b'"'), encoded, False),
        "escaped_u": (words(b'"' + b"".join(b"\\u%04x" % one for one in secret) + b'"'), encoded, False),
        "octal": (words(b'"' + b"".join(b"\\%03o" % one for one in secret) + b'"'), encoded, False),
        "decimal_list": (words(b"[" + b", ".join(b"%d" % one for one in secret) + b"]"), encoded, False),
        "c_array": (words(b"{" + b", ".join(b"0x%02x" % one for one in secret) + b"}"), encoded, False),
        "percent_all": (words(b"".join(b"%%%02X" % one for one in secret)), encoded, False),
        "url_twice": (
            words(urllib.parse.quote(urllib.parse.quote(text, safe=""), safe="").encode()),
            encoded,
            False,
        ),
        "entities_all": (words(b"".join(b"&#%d;" % one for one in secret)), encoded, False),
        "rot13": (words(codecs.encode(text, "rot13").encode()), encoded, False),
        "uuencoded": (b"begin 644 k\n" + _uu(b"user:" + secret + b"!\n") + b"`\nend\n", encoded, False),
        "quoted_printable": (
            b"Content-Transfer-Encoding: quoted-printable\n\n"
            + quopri.encodestring(b"the key is " + secret + b" and more of it follows here\n"),
            "exact",
            False,
        ),
        "utf32": (text.encode("utf-32le"), encoded, False),
        "k8s_secret": (
            b"apiVersion: v1\nkind: Secret\ndata:\n  token: " + b64(secret) + b"\ntype: Opaque\n",
            encoded,
            False,
        ),
        "b64_of_json": (words(b64(json.dumps({"auths": {"r": {"auth": text}}}).encode())), encoded, False),
        "b64_of_escaped": (words(b64(b'{"k":"' + secret.replace(b"/", b"\\/") + b'"}')), encoded, False),
        "shell_continued": (words(b"export K=" + secret[:half] + b"\\\n" + secret[half:]), "split", False),
        "js_joined": (words(b"k = '" + secret[:half] + b"' +\n    '" + secret[half:] + b"';"), "split", False),
        "c_adjacent": (words(b'char *k = "' + secret[:half] + b'"\n  "' + secret[half:] + b'";'), "split", False),
        "xz": (lzma.compress(b"K=" + secret + b"\n"), "exact", True),
        "bz2": (bz2.compress(b"K=" + secret + b"\n"), "exact", True),
        "tar": (tarred({"home/app/.env": b"K=" + secret + b"\n", "other": b"x" * 700}), "exact", True),
        "deep": (
            gz(tarred({"a.zip": zipped({"b.jar": zipped({"c.properties": b"k=" + secret})})})),
            "exact",
            True,
        ),
        "b64_in_gz": (gz(b"token: " + b64(b"x" + secret) + b"\n"), encoded, True),
        "gz_in_b64": (b"release: " + b64(gz(b"some values here, and K=" + secret + b"\n" * 30)) + b"\n", "exact", True),
        "zip_comment": (zipped({"x.txt": b"hello"}, comment=b"built with " + secret), "exact", False),
        "crlf": (b"a\r\nK=" + secret + b"\r\nb\r\n", "exact", False),
        "at_start": (secret + b"\n", "exact", False),
        "at_end": (b"K=" + secret, "exact", False),
        "alone": (secret, "exact", False),
        "twice": (b"a=" + secret + b"\nb=" + secret + b"\n", "exact", False),
        "near_miss": (words(b"key: " + near_miss(secret)), "partial", False),
        "half": (words(b"key starts " + secret[: half + 6] + b"..."), "partial", False),
    }  # fmt: skip


def plant(planted: Planted, *, seed: object = 0) -> Planted:
    """Leave the secret everywhere: on a branch ``planted``, in what it forgot, and around the objects."""
    chance = random.Random(f"chance {seed}")
    secret = planted.secret
    contents = spelled(secret, chance)
    before = planted.blob(contents["seam_delta"][0].replace(secret, near_miss(secret)))
    blobs = {name: planted.blob(data) for name, (data, _, _) in contents.items()}
    base = planted.tree({"README.md": planted.blob(b"# nothing here\n")})
    attributes = planted.blob(b"*.lock -diff\n*.lock binary\n")
    start = planted.commit(base, message=b"start")
    first = planted.commit(planted.tree({".gitattributes": attributes, "seam_delta": before}), start)
    every = planted.folder("plant", planted.tree({_name(name): oid for name, oid in blobs.items()}))
    all_of_them = planted.commit(every, first, message=b"all of them")
    left = planted.folder("plant", planted.tree({_name("raw_head"): blobs["raw_head"]}))
    clean = planted.commit(left, all_of_them, message=b"clean up")
    for name, (_, cls, inner) in contents.items():
        planted.plants[name] = Plant("blob", blobs[name], cls, inner, f"plant/{_name(name)}", "reachable")
    tip = _in_commits(planted, left, clean)
    planted.git("update-ref", "refs/heads/planted", tip)
    planted.git("symbolic-ref", "HEAD", "refs/heads/planted")
    _in_refs(planted, left, tip)
    planted.git("repack", "-q", "-d")
    _unreachable(planted, base, start, chance)
    _around(planted)
    return planted


def _in_commits(planted: Planted, left: str, tip: str) -> str:
    secret, plants = planted.secret, planted.plants
    tip = planted.commit(left, tip, message=b"rotate\n\nold key was " + secret + b"\n")
    plants["commit_message"] = Plant("commit", tip, "exact", reach="reachable")
    tip = planted.commit(left, tip, more={"GIT_AUTHOR_EMAIL": f"{secret.decode()}@example.org"})
    plants["author"] = Plant("commit", tip, "exact")
    tip = planted.commit(left, tip, more={"GIT_COMMITTER_NAME": f"bot {secret.decode()}"})
    plants["committer"] = Plant("commit", tip, "exact")
    tip = planted.commit(left, tip, message=b"encoded " + base64.b64encode(b"a:" + secret) + b"\n")
    plants["commit_message_b64"] = Plant("commit", tip, "encoded")
    side = planted.commit(left, tip, message=b"side")
    main = planted.commit(left, tip, message=b"main")
    evil = planted.blob(b"resolved conflict\npw=" + secret + b"\n")
    merged = planted.tree({"merged.txt": evil})
    tip = planted.commit(merged, main, side, message=b"Merge side")
    plants["evil_merge"] = Plant("blob", evil, "exact", path="merged.txt", reach="reachable")
    named = planted.tree({secret.decode().replace("/", "_") + ".txt": planted.blob(b"hi")})
    tip = planted.commit(planted.folder("names", named), tip, message=b"a name")
    plants["file_name"] = Plant("tree", named, "partial", reach="reachable")
    return planted.commit(left, tip, message=b"after")


def _in_refs(planted: Planted, left: str, tip: str) -> None:
    secret, plants = planted.secret, planted.plants
    text = b"object " + tip.encode() + b"\ntype commit\ntag planted\ntagger P <p@example.org> 1700000000 +0000\n\nkey "
    tag = planted.git("mktag", given=text + secret + b"\n")
    planted.git("update-ref", "refs/tags/planted", tag)
    plants["tag_message"] = Plant("tag", tag, "exact", reach="reachable")
    outer = planted.git(
        "mktag",
        given=f"object {tag}\ntype tag\ntag outer\ntagger P <p@example.org> 1700000000 +0000\n\n".encode() + secret,
    )
    planted.git("update-ref", "refs/tags/outer", outer)
    plants["tag_of_tag"] = Plant("tag", outer, "exact", reach="reachable")
    note = planted.blob(b"build used " + secret + b"\n")
    noted = planted.git("mktree", given=f"100644 blob {note}\t{tip}\n".encode())
    planted.git("update-ref", "refs/notes/commits", planted.commit(noted, message=b"notes"))
    plants["note"] = Plant("blob", note, "exact", reach="reachable")
    stashed = planted.blob(b"stashed " + secret + b"\n")
    index = planted.commit(left, tip, message=b"index on")
    work = planted.commit(planted.tree({"stash.txt": stashed}), tip, index, message=b"WIP on")
    planted.git("update-ref", "refs/stash", work)
    plants["stash"] = Plant("blob", stashed, "exact", path="stash.txt", reach="reachable")
    direct = planted.blob(b"a ref names me " + secret + b"\n")
    planted.git("update-ref", "refs/odd/blob", direct)
    plants["ref_to_blob"] = Plant("blob", direct, "exact", reach="reachable")
    replaced, other = planted.blob(b"I was replaced " + secret + b"\n"), planted.blob(b"nothing\n")
    planted.git("update-ref", "refs/odd/replaced", planted.commit(planted.tree({"r.txt": replaced}), tip))
    planted.git("update-ref", f"refs/replace/{replaced}", other)
    plants["replaced"] = Plant("blob", replaced, "exact", path="r.txt", reach="reachable")
    orphan = planted.blob(b"an orphan branch " + secret + b"\n")
    planted.git("update-ref", "refs/heads/orphan", planted.commit(planted.tree({"o.txt": orphan})))
    plants["orphan_branch"] = Plant("blob", orphan, "exact", path="o.txt", reach="reachable")


def _unreachable(planted: Planted, base: str, start: str, chance: random.Random) -> None:
    secret, plants = planted.secret, planted.plants
    noise = bytes(chance.getrandbits(8) for _ in range(10))
    pushed, encoded = (
        planted.blob(_amid(chance, b"force-pushed away " + secret)),
        planted.blob(b"another " + noise + base64.b64encode(b"zz" + secret)),
    )
    subprocess.run(
        ["git", "pack-objects", "-q", str(planted.home / "objects/pack/pack")],
        input=f"{pushed}\n{encoded}\n".encode(),
        env={**QUIET, "GIT_DIR": str(planted.home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    planted.git("prune-packed", "-q")
    plants["unreachable_packed"] = Plant("blob", pushed, "exact", reach="unreachable")
    plants["unreachable_packed_b64"] = Plant("blob", encoded, "encoded", reach="unreachable")
    plants["dangling"] = Plant("blob", planted.blob(b"dangling " + secret + b"\n"), "exact", reach="unreachable")
    dropped = planted.blob(b"K=" + secret + b" in dropped commit\n")
    planted.commit(planted.tree({"f.env": dropped}), start, message=b"dropped")
    plants["dropped_commit_blob"] = Plant("blob", dropped, "exact", path="f.env", reach="unreachable")
    plants["dropped_commit_message"] = Plant(
        "commit", planted.commit(base, start, message=b"dropped with " + secret), "exact", reach="unreachable"
    )
    forgotten = planted.blob(b"only a reflog knows " + secret + b"\n")
    commit = planted.commit(planted.tree({"l.txt": forgotten}), start, message=b"forgotten")
    log = planted.home / "logs/refs/heads"
    log.mkdir(parents=True, exist_ok=True)
    line = f"{start} {commit} P <p@example.org> 1700000000 +0000\tcommit: forgotten\n"
    (log / "gone").write_text(line, encoding="utf-8")
    plants["reflog_only"] = Plant("blob", forgotten, "exact", path="l.txt", reach="reflog")


def _around(planted: Planted) -> None:
    """What is no object: names of refs, git's own files."""
    secret, plants, home = planted.secret.decode(), planted.plants, planted.home
    run = "".join(one if one.isalnum() else "-" for one in secret)
    tip = planted.git("rev-parse", "refs/heads/planted")
    planted.git("update-ref", f"refs/heads/{run}", tip)
    plants["ref_name"] = Plant("git-file", None, "partial", path=f"refs/heads/{run}")
    with (home / "config").open("a", encoding="utf-8") as file:
        file.write(f'[remote "origin"]\n\turl = https://robot:{secret}@git.example.org/x.git\n')
    plants["config"] = Plant("git-file", None, "exact", path="config")
    (home / "hooks").mkdir(exist_ok=True)
    (home / "hooks/post-receive").write_text(
        f"#!/bin/sh\ncurl -H 'X: {secret}' https://example.org\n", encoding="utf-8"
    )
    plants["hook"] = Plant("git-file", None, "exact", path="hooks/post-receive")
    (home / "description").write_text(f"deploys with {secret}\n", encoding="utf-8")
    plants["description"] = Plant("git-file", None, "exact", path="description")
    with (home / "logs/refs/heads/gone").open("a", encoding="utf-8") as file:
        file.write(f"{tip} {tip} P <p@example.org> 1700000000 +0000\treset: moving with {secret}\n")
    plants["reflog_message"] = Plant("git-file", None, "exact", path="logs/refs/heads/gone")
    (home / "lfs/objects/aa/bb").mkdir(parents=True)
    (home / "lfs/objects/aa/bb/content").write_bytes(gz(b"K=" + planted.secret + b"\n"))
    plants["lfs_content"] = Plant("git-file", None, "exact", inner=True, path="lfs/objects/aa/bb/content")


def new_repository(home: Path, seed: object = 0, *words: str) -> Planted:
    """An empty bare repository with a secret of its own."""
    planted = Planted(home, made_up(seed))
    subprocess.run(["git", "init", "-q", "--bare", *words, str(home)], env=QUIET, check=True)
    return planted


def _name(plant: str) -> str:
    ending = {"gz": ".gz", "zip": ".zip", "zst": ".zst", "big_log": ".log", "nodiff_attr": ".lock"}.get(plant, ".txt")
    return plant + ending


def _uu(data: bytes) -> bytes:
    import binascii

    return b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))


def _amid(chance: random.Random, inserted: bytes) -> bytes:
    """A source file with a line in its middle."""
    names = ["alpha", "beta", "gamma", "delta", "value", "result", "index", "count", "total", "name"]
    lines = [
        f"    {chance.choice(names)}_{chance.randrange(1000)} = {chance.choice(names)}({chance.randrange(10**6)})"
        for _ in range(chance.randrange(60, 120))
    ]
    lines.insert(len(lines) // 2, inserted.decode("latin-1"))
    return "\n".join(lines).encode("latin-1") + b"\n"
