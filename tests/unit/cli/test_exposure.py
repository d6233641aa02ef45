"""``holdfast exposure`` as somebody types it. What looks through targets is scripted; the canary runs the real one."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import wiring_exposure
from holdfast.app.ports_exposure import Listener, Target
from holdfast.cli import exposure_secret
from holdfast.cli.exposure_telling import place_lines, progress_line
from holdfast.exposure.query import Query
from holdfast.exposure.results import Provenance, Totals
from tests.architecture.commands import command_named
from tests.unit.cli.searching import (
    THEN,
    VALUE,
    Use,
    lines,
    nothing,
    one_hit,
    place,
    typed,
    unreadable,
)


def test_a_search_that_looked_everywhere_ends_with_0_found_or_not(scripted: Use) -> None:
    assert typed("search", "--secret-stdin", "repo").exit_code == 0
    scripted(nothing)
    assert typed("search", "--secret-stdin", "repo").exit_code == 0


def test_finding_it_ends_with_7_when_that_was_asked_for(scripted: Use) -> None:
    assert typed("search", "--secret-stdin", "--fail-if-found", "repo").exit_code == 7
    scripted(nothing)
    assert typed("search", "--secret-stdin", "--fail-if-found", "repo").exit_code == 0


def test_what_could_not_be_read_ends_with_3_and_is_never_called_complete(scripted: Use) -> None:
    scripted(unreadable)
    ended = typed("search", "--secret-stdin", "repo")
    assert ended.exit_code == 3
    assert "not searched repo pack-1: truncated" in ended.stderr
    assert "Incomplete: 0 places in 0 of 1 target." in ended.stdout
    assert "Complete" not in ended.stdout
    assert "does not prove" in ended.stdout


def test_json_is_a_line_for_each_place_and_fault_and_a_last_one(scripted: Use) -> None:
    def both(target: Target, query: Query, listener: Listener) -> Totals:
        return one_hit(target, query, listener) + unreadable(target, query, listener)

    scripted(both)
    ended = typed("search", "--secret-stdin", "--json", "repo", "other")
    told = lines(ended)
    assert [line["kind"] for line in told] == ["hit", "fault", "hit", "fault", "end"]
    hit, end = told[0], told[-1]
    assert (hit["target"], hit["object"], hit["form"], hit["class"]) == ("repo", "ab" * 20, "raw", "exact")
    assert (end["complete"], end["hits"], end["faults"], end["engine"]) == (False, 2, 2, "fast")
    assert [one["target"] for one in end["targets"]] == ["repo", "other"]
    assert len(end["secrets"][0]["fingerprint"]) == 16
    assert ended.exit_code == 3


def test_people_read_where_since_when_by_whom_and_whether_it_is_still_there_in_80_columns(scripted: Use) -> None:
    ended = typed("search", "--secret-stdin", "--visibility", "internal", "repo")
    told = " ".join(ended.stdout.split())
    for words in (
        "repo (internal)",
        "exact deploy/prod.env:3",
        "raw, blob abababababab",
        "also as old/prod.env",
        f"since {THEN} by Ann Lee <ann@example.org>, commit cdcdcdcdcdcd, pushed 2026-01-03",
        "still there: HEAD, refs/heads/main, refs/heads/next and 2 more",
        "Complete: 1 place in 1 of 1 target (1 exact).",
        "Next: ",
    ):
        assert words in told, words
    assert all(len(line) <= 80 for line in ended.stdout.splitlines() if not line.startswith("Next: "))


def test_a_target_with_very_many_places_is_counted_after_the_first_ones(scripted: Use) -> None:
    def many(target: Target, query: Query, listener: Listener) -> Totals:
        for number in range(100):
            listener.hit(place(target, path=f"file-{number}"))
        return Totals()

    scripted(many)
    ended = typed("search", "--secret-stdin", "repo")
    assert ended.stdout.count("file-") == 40
    assert "… and more in this target; every place: --json" in ended.stdout
    assert "Complete: 100 places" in ended.stdout


def test_names_of_files_cannot_write_lines_or_colours_of_their_own(scripted: Use) -> None:
    def nasty(target: Target, query: Query, listener: Listener) -> Totals:
        listener.hit(place(target, path="a\nComplete: 0 places\x1b[2J[red]\udcff"))
        return Totals()

    scripted(nasty)
    people = typed("search", "--secret-stdin", "repo").stdout
    assert "\nComplete: 0 places" not in people
    assert "\x1b" not in people
    assert "[red]" in people
    (hit, _) = lines(typed("search", "--secret-stdin", "--json", "repo"))
    assert hit["path"].endswith("\udcff")


def test_where_it_is_gone_from_the_newest_versions_or_reached_by_nothing_is_said() -> None:
    target = Target("r", "r")
    history = Provenance(reach="reachable", refs=("refs/heads/main",), refs_total=1)
    for story, words in (
        (history, "not in the newest version of any ref; in the history of refs/heads/main"),
        (Provenance(reach="reflog"), "only by a reflog"),
        (Provenance(), "every copy made before still has it"),
    ):
        assert words in " ".join(" ".join(place_lines(place(target, provenance=story))).split())


def test_an_interruption_ends_with_130_and_a_last_line(scripted: Use) -> None:
    def interrupted(target: Target, query: Query, listener: Listener) -> Totals:
        if target.shown == "other":
            raise KeyboardInterrupt
        return one_hit(target, query, listener)

    scripted(interrupted)
    ended = typed("search", "--secret-stdin", "--json", "repo", "other")
    assert ended.exit_code == 130
    end = lines(ended)[-1]
    assert (end["kind"], end["complete"], end["interrupted"], end["hits"]) == ("end", False, True, 1)
    people = typed("search", "--secret-stdin", "repo", "other")
    assert people.exit_code == 130
    assert "what was finished is kept" in " ".join(people.stdout.split())


def test_the_secret_comes_from_a_descriptor_or_a_private_file_too(scripted: Use, tmp_path: Path) -> None:
    end, start = os.pipe()
    os.write(start, VALUE.encode())
    os.close(start)
    assert typed("search", "--secret-fd", str(end), "repo", said=None).exit_code == 0
    path = tmp_path / "secret"
    path.write_text(VALUE, encoding="ascii")
    path.chmod(0o600)
    told = typed("search", "--secret-from", f"file:{path}", "--label", "deploy token", "repo", said=None)
    assert told.exit_code == 0
    assert "Searching for deploy token, fingerprint " in told.stderr


def test_equal_secrets_have_equal_fingerprints_whichever_way_they_come(scripted: Use) -> None:
    def marks(*words: str, said: str) -> list[str]:
        end = lines(typed("search", "--secret-stdin", *words, "--json", "repo", said=said))[-1]
        return [one["fingerprint"] for one in end["secrets"]]

    other = secrets.token_hex(20)
    assert marks(said=VALUE) == marks(said=f"{VALUE}\n")
    assert marks("--lines", said=f"{other}\n{VALUE}\n") == marks(said=other) + marks(said=VALUE)
    assert marks("--null", said=f"{VALUE}\0") == marks(said=VALUE)


def test_a_newline_that_was_dropped_is_told(scripted: Use) -> None:
    assert "newline" in typed("search", "--secret-stdin", "repo").stderr
    assert "newline" not in typed("search", "--secret-stdin", "repo", said=VALUE).stderr


def test_a_terminal_is_asked_without_echo(scripted: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return VALUE

    monkeypatch.setattr(exposure_secret, "getpass", prompt)
    given = exposure_secret._prompted({"lines": False, "null": False})
    assert [one.reveal() for one in given.secrets] == [VALUE.encode()]
    assert asked == ["Secret (it is not shown): "]


@pytest.mark.parametrize("reference", ["env:{}", "cmd:{}", "{}", "vault:{}", "aws-sm:{} {}", "file:"])
def test_a_reference_that_is_none_is_refused_without_being_repeated(scripted: Use, reference: str) -> None:
    ended = typed("search", "--secret-from", reference.format(VALUE, VALUE), "repo", said=None)
    assert ended.exit_code == 2
    assert "Nothing was searched." in ended.stderr


def test_a_secret_given_as_an_argument_is_refused_without_being_repeated(scripted: Use) -> None:
    for words in ((VALUE,), ("repo", VALUE), ("--secret", VALUE, "repo"), (f"--secret={VALUE}", "repo")):
        ended = typed("search", "--secret-stdin", *words)
        assert ended.exit_code in (2, 5)
        assert "shell's history" in " ".join(ended.stderr.split())
    assert "TARGET number 2" in typed("search", "--secret-stdin", "repo", VALUE).stderr


def test_several_ways_no_target_and_an_unknown_visibility_are_refused(scripted: Use) -> None:
    for words in (("--secret-fd", "0", "repo"), (), ("--visibility", "everybody", "repo")):
        ended = typed("search", "--secret-stdin", *words)
        assert ended.exit_code == 2
        assert "Next: " in ended.stderr


def test_an_error_as_json_is_one_line_on_standard_error(scripted: Use) -> None:
    ended = typed("search", "--secret-stdin", "--json", VALUE)
    assert json.loads(ended.stderr)["code"] == "target-not-found"
    assert ended.stdout == ""


def test_targets_are_told_apart_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "git@host:x").mkdir()
    found = wiring_exposure.aim(
        [str(tmp_path), f"file://{tmp_path}", "https://host/x.git", "git@host:x", "oci://host/image:1"], "public"
    )
    assert [target.where for target in found] == [
        str(tmp_path),
        str(tmp_path),
        "https://host/x.git",
        "git@host:x",
        "oci://host/image:1",
    ]
    assert {target.visibility for target in found} == {"public"}


def test_what_the_index_knows_is_told_before_the_search_confirms_it(scripted: Use, tmp_path: Path) -> None:
    for name in ("repo", "other"):
        (tmp_path / name / "app.env").write_text(f"KEY={VALUE}\n", encoding="ascii")
    assert typed("index", "add", "repo", "other", said=None).exit_code == 0
    ended = typed("search", "--secret-stdin", str(tmp_path / "repo"))
    told = " ".join(ended.stderr.split())
    assert f"probably in {tmp_path / 'repo'} (confirming)" in told
    assert f"probably in {tmp_path / 'other'} (not among the targets: add it)" in told


def test_the_index_is_asked_listed_and_dropped(scripted: Use, tmp_path: Path) -> None:
    (tmp_path / "repo/app.env").write_text(f"KEY={VALUE}\n", encoding="ascii")
    added = json.loads(typed("index", "add", "repo", "other", "--json", said=None).stdout)
    assert [one["marks"] > 0 for one in added] == [True, False]
    asked = typed("index", "ask", "--secret-stdin")
    assert f"probably in {tmp_path / 'repo'}" in asked.stdout.replace("\n", "")
    assert "not proven clean" in asked.stdout
    told = json.loads(typed("index", "ask", "--secret-stdin", "--json").stdout)
    assert [one["name"] for one in told["probable"]] == [str(tmp_path / "repo")]
    assert told["places"] == 2
    listed = json.loads(typed("index", "list", "--json", said=None).stdout)
    assert [one["name"] for one in listed] == [str(tmp_path / "other"), str(tmp_path / "repo")]
    assert typed("index", "drop", "repo", said=None).exit_code == 0
    assert json.loads(typed("index", "ask", "--secret-stdin", "--json").stdout)["probable"] == []
    assert typed("index", "drop", "repo", said=None).exit_code == 5


def test_mirrors_and_finished_units_are_forgotten(scripted: Use, tmp_path: Path) -> None:
    mirror = tmp_path / "cache/exposure/mirrors/host-1.git"
    mirror.mkdir(parents=True)
    told = json.loads(typed("forget", "--json", said=None).stdout)
    assert told == {"units": 0, "mirrors": 1, "left": []}
    assert not mirror.exists()


def test_progress_is_a_line_with_rate_and_remaining_time() -> None:
    from holdfast.app.exposing import Step

    step = Step(2, 3, "repo", 50_000_000, 200_000_000, "reading packs", 25_000_000.0, 6.0)
    assert progress_line(step) == "2 of 3  25 % reading packs 25.0 MB/s, 0:06 min left  repo"
    assert progress_line(Step(1, 1, "repo", 0, 0, "fetching", 0.0, None)) == "fetching  repo"


def test_an_unforeseen_error_shows_no_secret(tmp_path: Path) -> None:
    """In a process of its own, through the real entry point, with a searcher and an orchestration that fail."""
    (tmp_path / "repo").mkdir()
    for failing in ("Kit._searcher", "Kit.means", "Kit.named"):
        code = (
            "import sys\n"
            "from holdfast import wiring_exposure as w\n"
            "from holdfast.cli.main import run\n"
            "kept = []\n"
            "really = w.shield\n"
            "w.shield = lambda secrets, more: (kept.extend(secrets), really(secrets, more))[1]\n"
            "def fail(*_, **__): raise RuntimeError(kept[0].reveal().decode())\n"
            f"w.{failing} = fail\n"
            "run()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "exposure", "search", "--secret-stdin", "repo"],
            input=VALUE.encode(),
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "HOLDFAST_CACHE": str(tmp_path / "c"), "HOLDFAST_KEYS": str(tmp_path / "k")},
        )
        assert done.returncode == (3 if failing == "Kit._searcher" else 1), done.stderr
        assert b"RuntimeError" in done.stdout + done.stderr
        assert VALUE[:12].encode() not in done.stdout + done.stderr


def test_the_search_starts_without_what_only_a_server_needs() -> None:
    """By modules rather than seconds, so that a busy machine proves nothing wrong."""
    code = (
        "import sys\n"
        "sys.argv = ['holdfast', 'exposure', 'search', '--help']\n"
        "from holdfast.cli import main\n"
        "try:\n    main._start()()\nexcept SystemExit:\n    pass\n"
        "heavy = {'fastapi', 'sqlalchemy', 'duckdb', 'pyarrow', 'httpx', 'numpy', 'numba', 'holidays'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "--secret-stdin" in told
    assert told.endswith("heavy: []\n")


def test_the_whole_command_line_has_the_same_commands() -> None:
    for words in (["search"], ["forget"], ["index", "add"], ["index", "ask"], ["index", "list"], ["index", "drop"]):
        assert command_named(["exposure", *words]) is not None


def test_the_reference_engine_is_used_and_announced_when_the_fast_one_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.app.settings import load
    from holdfast.engines.exposure import git_search
    from holdfast.engines.exposure.inflater import NotReadyError

    def broken() -> None:
        raise NotReadyError("a library is missing: ImportError")

    monkeypatch.setattr(git_search, "ready", broken)
    said: list[str] = []
    settings = load({"HOLDFAST_CACHE": str(tmp_path), "HOLDFAST_KEYS": str(tmp_path / "keys")})
    kit = wiring_exposure.Kit(settings, announce=said.append)
    means = kit.means()
    assert means.engine() == "fast"
    kit._repository()
    assert means.engine() == "plain"
    assert said == [
        "The fast engine does not start here (a library is missing: ImportError): the reference one is used."
    ]


def test_a_log_of_pushes_that_tells_of_none_is_refused_before_anything_is_searched(
    scripted: Use, tmp_path: Path
) -> None:
    log = tmp_path / "audit.json"
    for text in ("[]", "no json", '[{"action": "login"}]'):
        log.write_text(text, encoding="ascii")
        ended = typed("search", "--secret-stdin", "--push-log", str(log), "repo")
        assert ended.exit_code == 2
        assert "audit.json" in ended.stderr
    assert typed("search", "--secret-stdin", "--push-log", str(tmp_path / "gone"), "repo").exit_code == 2
    pushed = {
        "after": "ab" * 20,
        "before": "cd" * 20,
        "ref": "refs/heads/main",
        "timestamp": THEN,
        "actor": {"login": "a"},
    }
    log.write_text(json.dumps([pushed]), encoding="ascii")
    assert typed("search", "--secret-stdin", "--push-log", str(log), "repo").exit_code == 0
