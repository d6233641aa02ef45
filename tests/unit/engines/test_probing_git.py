"""Looking into a real git repository without trusting anything of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.engines.probing_git import GitProbe
from holdfast.investigation.probing import ProbeQuestion, ProbeResult

SECRET = b"hunter2-very-secret"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "config").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "config" / "prod.env").write_bytes(b"PASSWORD=" + SECRET)
    (folder / "README").write_text("shop\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def asked(folder: Path, check: str, needle: bytes | None = SECRET, **target: str) -> ProbeResult:
    question = ProbeQuestion("shop", check, {"repository": "shop", **target})
    return GitProbe({"shop": folder}, lambda: 9, {} if needle is None else {"shop": needle}).check(question)


def removed(folder: Path) -> None:
    git(folder, "rm", "-q", "config/prod.env")
    git(folder, "commit", "-qm", "gone")


def test_a_secret_at_head_is_exploitable_and_named_by_its_file_only(repository: Path) -> None:
    found = asked(repository, "secret_at_head")
    assert (found.standing, found.probed_us) == ("exploitable", 9)
    assert "config/prod.env" in found.why
    assert SECRET.decode() not in str(found)


def test_a_secret_that_is_only_in_history_is_not_at_head(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    removed(repository)
    assert asked(repository, "secret_at_head").standing == "closed"
    assert asked(repository, "secret_at_head", version=first).standing == "exploitable"


def test_a_file_at_head_is_looked_up_by_its_path(repository: Path) -> None:
    assert asked(repository, "file_at_head", path="config/prod.env").standing == "exploitable"
    removed(repository)
    assert asked(repository, "file_at_head", path="config/prod.env").standing == "closed"


def test_packed_refs_tags_and_bare_copies_are_read(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "-a", "v1", "-m", "release")
    git(repository, "pack-refs", "--all")
    git(repository, "gc", "-q")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", str(repository), str(bare))
    assert asked(repository, "secret_at_head", version="v1").standing == "exploitable"
    assert asked(bare, "secret_at_head").standing == "exploitable"


def test_nothing_of_the_repositorys_own_configuration_runs(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    script = tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\n")
    script.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=trap diff=trap\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "attributes")
    (repository / ".git" / "config").write_text(
        f"""
[core]
repositoryformatversion = 1
fsmonitor = {script}
pager = {script}
sshCommand = {script}
[extensions]
partialClone = origin
[remote "origin"]
url = ext::{script}
promisor = true
[filter "trap"]
smudge = {script}
[diff "trap"]
textconv = {script}
"""
    )
    assert asked(repository, "secret_at_head").standing == "exploitable"
    blob = next(path for path in (repository / ".git" / "objects").glob("??/*"))
    shutil.rmtree(blob.parent)
    asked(repository, "secret_at_head")
    assert not trap.exists()


def test_a_missing_object_cannot_be_told(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:README")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert asked(repository, "secret_at_head", b"not there at all").standing == "cannot_tell"


@pytest.mark.parametrize("version", ["../../etc/passwd", "--upload-pack=x", "main^{tree}", "nothing", "0" * 40])
def test_odd_versions_cannot_be_told(repository: Path, version: str) -> None:
    assert asked(repository, "secret_at_head", version=version).standing == "cannot_tell"


def test_borrowed_objects_elsewhere_kept_files_and_no_secret_cannot_be_told(repository: Path, tmp_path: Path) -> None:
    (repository / "big.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "lfs")
    assert asked(repository, "secret_at_head", b"not there at all").standing == "cannot_tell"
    assert asked(repository, "secret_at_head", None).why.startswith("the secret was not given")
    assert asked(tmp_path / "nowhere", "secret_at_head").standing == "cannot_tell"
    (repository / ".git" / "objects" / "info" / "alternates").write_text("/\n")
    assert "borrows objects" in asked(repository, "file_at_head", path="README").why


def test_a_repository_that_is_not_here_cannot_be_told() -> None:
    found = GitProbe({}, lambda: 9).check(ProbeQuestion("x", "file_at_head", {"repository": "x"}))
    assert (found.standing, found.why) == ("cannot_tell", "the repository is not here")
