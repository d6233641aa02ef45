from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from holdfast.engines.exposure import staged
from holdfast.engines.exposure.staged import Repository, files
from holdfast.exposure.checking import Item
from holdfast.exposure.results import Fault
from holdfast.kernel.errors import HoldfastError, IncompleteError, NotFoundError

WINDOW = 4096
AUTHOR = {
    "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.org", "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


def git(folder: Path, *arguments: str, **more: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **AUTHOR, **more},
    )
    return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    write(folder, "a.txt", "one\n")
    git(folder, "add", "a.txt")
    git(folder, "commit", "-qm", "first")
    return folder


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def in_index(folder: Path, environment: Mapping[str, str] | None = None) -> list[Item | Fault]:
    with Repository(folder, environment or {}) as repository:
        return list(repository.staged(WINDOW))


def in_range(folder: Path, span: str) -> list[Item | Fault]:
    with Repository(folder, {}) as repository:
        return list(repository.between(span, WINDOW))


def told(found: list[Item | Fault]) -> dict[str, bytes]:
    assert not [one for one in found if isinstance(one, Fault)]
    return {one.path: one.data for one in found if isinstance(one, Item)}


class TestStaged:
    def test_contents_are_those_of_the_index_and_not_of_the_work_tree(self, place: Path) -> None:
        write(place, "a.txt", "two\n")
        write(place, "new/ü \n.bin", b"\0\xff")
        git(place, "add", "-A")
        write(place, "a.txt", "three\n")
        write(place, "not added", "four\n")
        assert told(in_index(place)) == {"a.txt": b"two\n", "new/ü \n.bin": b"\0\xff"}
        (changed,) = [one for one in in_index(place) if isinstance(one, Item) and one.path == "a.txt"]
        assert changed.before == b"one\n"
        assert changed.object == git(place, "rev-parse", ":a.txt")

    def test_the_first_commit_brings_everything_in(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", ".")
        write(tmp_path, "a", "x")
        git(tmp_path, "add", "a")
        assert told(in_index(tmp_path)) == {"a": b"x"}

    @pytest.mark.parametrize("more", [("--object-format=sha256",), ()])
    def test_ids_of_both_lengths_are_read(self, tmp_path: Path, more: tuple[str, ...]) -> None:
        git(tmp_path, "init", "-q", *more, ".")
        for text in ("x", "y"):
            write(tmp_path, "a", text)
            git(tmp_path, "add", "a")
            assert told(in_index(tmp_path)) == {"a": text.encode()}
            git(tmp_path, "commit", "-qm", "c")
        assert set(told(in_range(tmp_path, "..HEAD"))) == {"a", ""}

    def test_what_goes_is_told_only_as_gone(self, place: Path) -> None:
        git(place, "mv", "a.txt", "b.txt")
        with Repository(place, {}) as repository:
            assert told(list(repository.staged(WINDOW))) == {"b.txt": b"one\n"}
            assert list(repository.removed(None)) == [b"one\n"]

    def test_nothing_of_the_repository_s_configuration_runs(self, place: Path, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        tool = write(tmp_path, "tool", f"#!/bin/sh\ntouch {mark}\ncat\n")
        tool.chmod(0o755)
        for name in (
            "diff.external",
            "diff.x.textconv",
            "diff.x.command",
            "core.fsmonitor",
            "core.pager",
            "core.sshCommand",
        ):
            git(place, "config", name, str(tool))
        write(place, ".gitattributes", "* diff=x filter=y\n")
        write(place, "c.txt", "clear\n")
        git(place, "-c", "core.fsmonitor=false", "add", ".gitattributes", "c.txt")
        for name in ("filter.y.smudge", "filter.y.clean", "filter.y.process"):
            git(place, "config", name, str(tool))
        assert told(in_index(place))["c.txt"] == b"clear\n"
        assert told(in_range(place, "..HEAD"))["a.txt"] == b"one\n"
        assert not mark.exists()

    def test_a_hook_s_own_index_is_the_one_that_counts(self, place: Path) -> None:
        write(place, "b", "b\n")
        git(place, "add", "b", GIT_INDEX_FILE=str(place / ".git" / "other"))
        assert told(in_index(place)) == {}
        assert "b" in told(in_index(place, {"GIT_INDEX_FILE": ".git/other", "GIT_DIR": ".git"}))

    def test_a_linked_work_tree_and_a_split_index_are_read(self, place: Path) -> None:
        git(place, "worktree", "add", "-q", "-b", "side", "../side")
        side = place.parent / "side"
        git(side, "update-index", "--split-index")
        write(side, "s", "s\n")
        git(side, "add", "s")
        assert told(in_index(side)) == {"s": b"s\n"}
        assert told(in_index(side / ".")) == {"s": b"s\n"}

    def test_borrowed_objects_are_read(self, place: Path) -> None:
        git(place.parent, "clone", "-q", "--shared", str(place), "lent")
        write(place.parent / "lent", "a.txt", "two\n")
        git(place.parent / "lent", "add", "a.txt")
        assert told(in_index(place.parent / "lent")) == {"a.txt": b"two\n"}

    def test_a_missing_object_is_a_fault(self, place: Path) -> None:
        write(place, "b", "b\n")
        git(place, "add", "b")
        oid = git(place, "rev-parse", ":b")
        (place / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
        assert in_index(place) == [Fault(str(place), "b", f"its contents are missing (object {oid[:12]})")]

    def test_a_damaged_index_or_one_that_is_no_repository_is_an_error(self, place: Path, tmp_path: Path) -> None:
        (place / ".git" / "index").write_bytes(b"nonsense")
        with pytest.raises(IncompleteError) as refused:
            in_index(place)
        assert refused.value.exit_code == 3
        with pytest.raises(NotFoundError):
            Repository(tmp_path / "none", {})

    def test_refs_in_another_form_make_it_incomplete(self, place: Path) -> None:
        (place / ".git" / "reftable").mkdir()
        with pytest.raises(IncompleteError, match="form that is not read"):
            in_index(place)

    def test_a_submodule_has_no_contents_here(self, place: Path) -> None:
        git(place, "update-index", "--add", "--cacheinfo", f"160000,{'ab' * 20},sub")
        assert in_index(place) == []

    def test_large_files_come_in_pieces_that_overlap(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(staged, "PIECE", 1 << 20)
        data = (b"%07d\n" * 500_000) % tuple(range(500_000))
        write(place, "big", data)
        git(place, "add", "big")
        pieces = [one for one in in_index(place) if isinstance(one, Item)]
        assert len(pieces) > 2
        assert all(data[one.offset : one.offset + len(one.data)] == one.data for one in pieces)
        assert all(one.line == 1 + data.count(b"\n", 0, one.offset) for one in pieces)
        ends = [one.offset + len(one.data) for one in pieces]
        assert all(later.offset == end - WINDOW for later, end in zip(pieces[1:], ends, strict=False))
        assert ends[-1] == len(data)


class TestLargeFileStorage:
    def pointer(self, folder: Path, content: bytes) -> str:
        oid = hashlib.sha256(content).hexdigest()
        write(folder, "l.bin", f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n")
        git(folder, "add", "l.bin")
        return oid

    def test_what_is_here_is_read(self, place: Path) -> None:
        oid = self.pointer(place, b"content")
        write(place, f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", b"content")
        assert [one.data[:7] for one in in_index(place) if isinstance(one, Item)] == [b"version", b"content"]

    def test_what_is_elsewhere_is_a_fault(self, place: Path) -> None:
        self.pointer(place, b"content")
        assert [one.reason for one in in_index(place) if isinstance(one, Fault)] == [
            "its contents are kept elsewhere (Git LFS)"
        ]


class TestRange:
    def test_what_one_commit_adds_and_the_next_takes_out_is_told(self, place: Path) -> None:
        write(place, "s", "secret\n")
        git(place, "add", "s")
        git(place, "commit", "-qm", "add")
        git(place, "rm", "-q", "s")
        git(place, "commit", "-qm", "remove it")
        found = in_range(place, "HEAD~2..HEAD")
        assert told(found)["s"] == b"secret\n"
        added = git(place, "rev-parse", "HEAD~1")
        assert {one.commit for one in found if isinstance(one, Item) and one.path == "s"} == {added}
        assert any(isinstance(one, Item) and one.path == "" and b"remove it" in one.data for one in found)

    @pytest.mark.parametrize(
        "span", ["main..side", "HEAD..refs/heads/side", "..side", "{first}..{short}", "side~1..side", "0000..side"]
    )
    def test_both_ends_are_named_in_every_usual_way(self, place: Path, span: str) -> None:
        git(place, "checkout", "-q", "-b", "side")
        write(place, "s", "s\n")
        git(place, "add", "s")
        git(place, "commit", "-qm", "s")
        first, short = git(place, "rev-parse", "main"), git(place, "rev-parse", "--short=9", "side")
        git(place, "checkout", "-q", "main")
        git(place, "pack-refs", "--all")
        assert "s" in told(in_range(place, span.format(first=first, short=short)))

    def test_a_merge_tells_what_is_in_none_of_its_parents(self, place: Path) -> None:
        git(place, "checkout", "-q", "-b", "side")
        write(place, "s", "s\n")
        git(place, "add", "s")
        git(place, "commit", "-qm", "s")
        git(place, "checkout", "-q", "main")
        write(place, "m", "m\n")
        git(place, "add", "m")
        git(place, "commit", "-qm", "m")
        git(place, "merge", "-q", "--no-commit", "side")
        write(place, "evil", "slipped in\n")
        write(place, "a.txt", "changed by the merge\n")
        git(place, "add", "-A")
        git(place, "commit", "-qm", "merge")
        found = in_range(place, "main~1..main")
        assert told(found)["evil"] == b"slipped in\n"
        assert told(found)["a.txt"] == b"changed by the merge\n"
        merge = git(place, "rev-parse", "main")
        assert {one.path for one in found if isinstance(one, Item) and one.commit == merge} == {"", "evil", "a.txt"}

    @pytest.mark.parametrize("span", ["none..HEAD", "HEAD..-x", "--output=/x..HEAD", "HEAD..../x", "a b..HEAD"])
    def test_what_names_no_commit_is_refused(self, place: Path, span: str) -> None:
        with pytest.raises(HoldfastError) as refused:
            in_range(place, span)
        assert refused.value.exit_code == 3

    def test_a_shallow_clone_without_the_beginning_is_incomplete(self, place: Path) -> None:
        first = git(place, "rev-parse", "HEAD")
        for text in ("2", "3"):
            write(place, "a.txt", text)
            git(place, "commit", "-qam", text)
        git(place.parent, "clone", "-q", "--depth=1", place.as_uri(), "shallow")
        with pytest.raises(IncompleteError):
            in_range(place.parent / "shallow", f"{first}..HEAD")


class TestDocuments:
    def test_every_version_counts_so_that_taking_a_rule_out_is_still_checked(self, place: Path) -> None:
        write(place, "r.toml", "committed")
        git(place, "add", "r.toml")
        git(place, "commit", "-qm", "rules")
        write(place, "r.toml", "staged")
        git(place, "add", "r.toml")
        write(place, "r.toml", "changed")
        with Repository(place, {}) as repository:
            assert sorted(repository.documents("r.toml").values()) == [b"changed", b"committed", b"staged"]
            assert b"committed" in repository.documents("r.toml", "HEAD~1..HEAD").values()
            assert repository.documents("none.toml") == {}


class TestFiles:
    def test_files_of_folders_are_read_and_links_and_git_folders_are_not(self, place: Path) -> None:
        write(place, "sub/b.txt", "b\n")
        (place / "link").symlink_to("/etc/passwd")
        (place / "round").symlink_to(place)
        found = told(list(files([place], WINDOW)))
        assert found == {str(place / "a.txt"): b"one\n", str(place / "sub" / "b.txt"): b"b\n"}

    def test_what_is_not_there_or_not_readable_is_a_fault(self, tmp_path: Path) -> None:
        (found,) = files([tmp_path / "none"], WINDOW)
        assert isinstance(found, Fault)
        assert "No such file" in found.reason

    def test_a_name_that_is_no_text_is_shown(self, tmp_path: Path) -> None:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff" + secrets.token_hex(3).encode())).write_bytes(b"x")
        (found,) = files([tmp_path], WINDOW)
        assert isinstance(found, Item)
        assert "\\xff" in found.path
