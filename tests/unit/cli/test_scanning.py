"""``holdfast exposure check`` and ``guard`` as developers meet them: in a real repository, by its real hook."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from holdfast.cli import scanning
from holdfast.exposure.cases import expand

VALUE = secrets.token_urlsafe(30)
TOKEN = expand("gh{}p_{alnum:36}")
PROGRAMS = Path(sys.executable).parent
RULE_FILE = ".holdfast/leaked.toml"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "HOLDFAST_KEYS": str(tmp_path / "keys"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.org",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.org",
    }


@pytest.fixture
def repository(tmp_path: Path, environment: dict[str, str]) -> Path:
    folder = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True, env=environment)
    return folder


@pytest.fixture
def git(repository: Path, environment: dict[str, str]) -> Run:
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=repository, check=False, capture_output=True, text=True, env={**environment, **more}
        )

    return run


@pytest.fixture
def holdfast(repository: Path, environment: dict[str, str]) -> Run:
    def run(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAMS / "holdfast"), "exposure", *words]
        return subprocess.run(
            command, cwd=repository, check=False, capture_output=True, text=True, env=environment, input=given
        )

    return run


@pytest.fixture
def check(repository: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command in this process, which is quicker."""
    monkeypatch.chdir(repository)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    scanning.add_to(app)
    return lambda *words: CliRunner().invoke(app, ["check", *words])


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestGuard:
    def test_the_real_hook_refuses_the_leaked_value_and_lets_a_clean_commit_pass(
        self, repository: Path, git: Run, holdfast: Run
    ) -> None:
        placed = holdfast("guard", "install", ".", "--secret-stdin", "--incident", "INC-2026-0001", given=VALUE)
        assert placed.returncode == 0, placed.stderr
        hook = repository / ".git" / "hooks" / "pre-commit"
        assert os.access(hook, os.X_OK)
        git("add", RULE_FILE)
        assert git("commit", "-m", "guard").returncode == 0

        for text in (f"url = https://ana:{VALUE}@db\n", base64.b64encode(f"ana:{VALUE}".encode()).decode()):
            write(repository, "config.ini", text)
            git("add", "config.ini")
            refused = git("commit", "-m", "bring it back")
            assert refused.returncode == 1
            assert "config.ini:1: leaked-value" in refused.stderr + refused.stdout
            assert "leak-1 of INC-2026-0001" in refused.stderr + refused.stdout
            assert VALUE[:6] not in refused.stderr + refused.stdout
        assert git("rev-list", "--count", "HEAD").stdout.strip() == "1"
        assert git("commit", "-am", "all at once").returncode == 1

        write(repository, "config.ini", "url = vault:db\n")
        git("add", "config.ini")
        assert git("commit", "-m", "clean").returncode == 0
        assert git("rev-list", "--count", "HEAD").stdout.strip() == "2"

    def test_taking_the_rule_out_in_the_same_commit_does_not_help(
        self, repository: Path, git: Run, holdfast: Run
    ) -> None:
        holdfast("guard", "install", ".", "--secret-stdin", given=VALUE)
        git("add", RULE_FILE)
        git("commit", "-m", "guard")
        git("rm", "-q", RULE_FILE)
        write(repository, "a", VALUE)
        git("add", "a")
        assert git("commit", "-m", "both").returncode == 1

    def test_the_hook_refuses_when_there_is_no_holdfast_to_ask(
        self, repository: Path, git: Run, holdfast: Run, tmp_path: Path
    ) -> None:
        holdfast("guard", "install", ".", "--secret-stdin", given=VALUE)
        hook = repository / ".git" / "hooks" / "pre-commit"
        hook.write_text(hook.read_text().replace(str(PROGRAMS), str(tmp_path / "gone")), encoding="utf-8")
        write(repository, "a", "clean\n")
        git("add", "a")
        refused = git("commit", "-m", "a", PATH="/usr/bin:/bin")
        assert refused.returncode == 1
        assert "not installed here" in refused.stderr

    def test_nothing_written_holds_a_piece_of_the_value(self, repository: Path, holdfast: Run) -> None:
        told = holdfast("guard", "install", ".", "--secret-stdin", "--pre-commit-config", "--json", given=VALUE)
        assert json.loads(told.stdout)["config"] == ".pre-commit-config.yaml"
        texts = [path.read_bytes() for path in repository.rglob("*") if path.is_file()]
        for start in range(len(VALUE) - 5):
            piece = VALUE[start : start + 6]
            assert piece not in told.stdout + told.stderr
            assert not any(piece.encode() in text for text in texts)
        config = (repository / ".pre-commit-config.yaml").read_text()
        assert "entry: holdfast exposure check --staged" in config

    def test_a_hook_or_a_configuration_that_is_there_is_not_touched(self, repository: Path, holdfast: Run) -> None:
        hook = repository / ".git" / "hooks" / "pre-commit"
        write(repository, ".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n")
        write(repository, ".pre-commit-config.yaml", "repos: []\n")
        placed = holdfast("guard", "install", ".", "--secret-stdin", "--json", given=VALUE)
        assert json.loads(placed.stdout)["hook"] is None
        assert "holdfast exposure check --staged || exit" in json.loads(placed.stdout)["notes"][0]
        assert hook.read_text() == "#!/bin/sh\nexit 0\n"
        refused = holdfast("guard", "install", ".", "--secret-stdin", "--pre-commit-config", given=VALUE)
        assert refused.returncode == 6
        assert (repository / ".pre-commit-config.yaml").read_text() == "repos: []\n"

    def test_a_folder_for_hooks_that_the_configuration_names_is_told(
        self, repository: Path, git: Run, holdfast: Run
    ) -> None:
        git("config", "core.hooksPath", "/opt/hooks")
        placed = holdfast("guard", "install", ".", "--secret-stdin", "--json", given=VALUE)
        assert "/opt/hooks" in json.loads(placed.stdout)["notes"][0]
        assert not (repository / ".git" / "hooks" / "pre-commit").exists()

    @pytest.mark.parametrize(("value", "code"), [("Summer2026!Summer2026!", 2), ("", 2)])
    def test_a_value_that_can_be_guessed_and_none_are_refused(
        self, repository: Path, holdfast: Run, value: str, code: int
    ) -> None:
        assert holdfast("guard", "install", ".", "--secret-stdin", given=value).returncode == code
        assert not (repository / RULE_FILE).exists()

    def test_a_second_value_joins_the_first(self, repository: Path, holdfast: Run, git: Run) -> None:
        other = secrets.token_hex(20)
        holdfast("guard", "install", ".", "--secret-stdin", given=VALUE)
        placed = holdfast("guard", "install", ".", "--secret-stdin", "--json", given=other)
        assert json.loads(placed.stdout)["rules"] == ["leak-2"]
        for text in (VALUE, other):
            write(repository, "a", text)
            git("add", "a")
            assert git("commit", "-m", "a").returncode == 1


class TestCheck:
    def test_a_secret_in_what_is_staged_is_refused_and_a_removed_one_is_not(
        self, repository: Path, git: Run, check: Callable[..., Result]
    ) -> None:
        write(repository, "a.py", f"token = '{TOKEN}'\n")
        git("add", "a.py")
        refused = check("--staged", "--rules")
        assert refused.exit_code == 7
        assert "a.py:1: github-token" in refused.output
        assert TOKEN[4:10] not in refused.output
        git("commit", "-m", "in")
        write(repository, "a.py", f"token = '{TOKEN}'\nmore = 1\n")
        git("add", "a.py")
        assert check("--staged", "--rules").exit_code == 0

    def test_the_lines_of_json_tell_findings_and_an_end(self, repository: Path, check: Callable[..., Result]) -> None:
        write(repository, "a.py", f"x\ntoken = '{TOKEN}'\n")
        found, end = lines(check("a.py", "--rules", "--json"))
        assert (found["kind"], found["rule"], found["line"], found["state"]) == ("finding", "github-token", 2, "new")
        assert end == {
            "kind": "end", "complete": True, "items": 1, "bytes": 53, "new": 1, "known": 0, "allowed": 0, "refused": 1,
            "expired": [],
        }  # fmt: skip

    def test_both_engines_answer_alike(self, repository: Path, check: Callable[..., Result]) -> None:
        write(repository, "a.py", f"token = '{TOKEN}'\npassword = '{VALUE}'\n")
        assert lines(check("a.py", "--rules", "--json")) == lines(check("a.py", "--rules", "--json", "--plain"))

    def test_a_range_tells_what_was_taken_out_again(
        self, repository: Path, git: Run, check: Callable[..., Result]
    ) -> None:
        for text in ("clean\n", f"{TOKEN}\n", "clean again\n"):
            write(repository, "a", text)
            git("add", "a")
            git("commit", "-m", "c")
        assert check("--range", "HEAD~2..HEAD", "--rules").exit_code == 7
        assert check("--range", "HEAD~1..HEAD", "--rules").exit_code == 0
        assert check("--range", "nothing..HEAD", "--rules").exit_code == 3

    def test_what_cannot_be_read_is_incomplete(self, check: Callable[..., Result]) -> None:
        result = check("nowhere", "--rules", "--json")
        assert result.exit_code == 3
        assert lines(result)[0]["kind"] == "fault"
        assert lines(result)[-1]["complete"] is False

    def test_a_baseline_lets_what_is_known_pass_and_nothing_new(
        self, repository: Path, check: Callable[..., Result]
    ) -> None:
        write(repository, "src/a.py", f"token = '{TOKEN}'\n")
        assert check("src", "--rules", "--write-baseline", "base.toml").exit_code == 0
        assert TOKEN[4:10] not in (repository / "base.toml").read_text()
        assert check("src", "--rules", "--baseline", "base.toml").exit_code == 0
        write(repository, "src/b.py", f"token = '{TOKEN}'\n")
        assert check("src", "--rules", "--baseline", "base.toml").exit_code == 7

    def test_a_team_shares_a_baseline_by_a_key_of_its_own(
        self, repository: Path, check: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        write(repository, "a.py", f"token = '{TOKEN}'\n")
        key = tmp_path / "team.key"
        key.write_text(secrets.token_hex(32), encoding="utf-8")
        key.chmod(0o600)
        check("a.py", "--rules", "--fingerprint-key", str(key), "--write-baseline", "base.toml")
        monkeypatch.setenv("HOLDFAST_KEYS", str(tmp_path / "somebody else's"))
        assert check("a.py", "--rules", "--fingerprint-key", str(key), "--baseline", "base.toml").exit_code == 0
        refused = check("a.py", "--rules", "--baseline", "base.toml", "--json")
        assert refused.exit_code == 2
        assert "fingerprints-of-another-key" in refused.output
        key.chmod(0o644)
        assert check("a.py", "--rules", "--fingerprint-key", str(key)).exit_code == 4

    def test_an_allow_list_of_the_repository_counts_until_its_day(
        self, repository: Path, git: Run, check: Callable[..., Result]
    ) -> None:
        write(repository, "docs/a.md", f"token = '{TOKEN}'\n")
        git("add", "docs/a.md")
        entry = 'schema = 1\n[[allow]]\nrule = "github-token"\npath = "docs/*"\nreason = "a sample"\n'
        write(repository, ".holdfast/allow.toml", entry)
        assert check("--staged", "--rules").exit_code == 0
        write(repository, ".holdfast/allow.toml", f"{entry}expires = 2020-01-01\n")
        result = check("--staged", "--rules")
        assert result.exit_code == 7
        assert "its day has passed" in result.output

    def test_a_word_on_the_line_allows(self, repository: Path, check: Callable[..., Result]) -> None:
        write(repository, "a.py", f"token = '{TOKEN}'  # holdfast:allow made up\n")
        result = check("a.py", "--rules")
        assert result.exit_code == 0
        assert "made up" in result.output

    def test_sarif_is_written_beside_the_answer_or_instead_of_it(
        self, repository: Path, check: Callable[..., Result]
    ) -> None:
        write(repository, "a.py", f"token = '{TOKEN}'\n")
        assert check("a.py", "--rules", "--sarif", "out.sarif").exit_code == 7
        text = (repository / "out.sarif").read_text()
        assert json.loads(text)["runs"][0]["results"][0]["ruleId"] == "github-token"
        assert TOKEN[4:10] not in text
        assert json.loads(check("a.py", "--rules", "--sarif", "-").stdout) == json.loads(text)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ((), "check-one-thing"),
            (("--staged", "a.py"), "check-one-thing"),
            (("--range", "HEAD"), "range-not-understood"),
            (("--staged",), "nothing-to-check-for"),
            (("a.py", "--rules", "--baseline", "none.toml"), "check-file-unreadable"),
            (("a.py", "--rules", "--sarif", "no/folder/x"), "check-file-not-written"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_its_code(
        self, check: Callable[..., Result], repository: Path, words: tuple[str, ...], code: str
    ) -> None:
        write(repository, "a.py", "clean\n")
        result = check(*words, "--json")
        assert result.exit_code in (2, 8)
        assert json.loads(result.stderr)["code"] == code
