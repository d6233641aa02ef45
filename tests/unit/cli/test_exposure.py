"""``holdfast exposure`` as somebody types it. What looks through targets is scripted; the canary runs the real one."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from holdfast import wiring_exposure
from holdfast.app.ports_exposure import Listener, Target
from holdfast.cli import exposure, exposure_secret
from holdfast.cli.exposure_telling import place_lines, progress_line
from holdfast.engines.exposure import hardening
from holdfast.exposure.cases import expand
from holdfast.exposure.formats import shipped
from holdfast.exposure.query import Query
from holdfast.exposure.report import read as read_report
from holdfast.exposure.results import Fault, Hit, Provenance, Totals, Touch, Unknown
from holdfast.kernel.errors import BadInputError
from tests.architecture.commands import command_named

VALUE = secrets.token_hex(20)
THEN = "2026-01-02T03:04:05Z"
TOUCH = Touch("cd" * 20, "Ann Lee <ann@example.org>", THEN, "Ann Lee <ann@example.org>", THEN, "2026-01-03T00:00:00Z")
STORY = Provenance(
    paths=("deploy/prod.env", "old/prod.env"),
    paths_total=2,
    first=TOUCH,
    heads=("HEAD", "refs/heads/main", "refs/heads/next"),
    heads_total=5,
    reach="reachable",
    at_head=True,
)
Script = Callable[[Target, Query, Listener], Totals]


def place(target: Target, **more: Any) -> Hit:
    fields: dict[str, Any] = {"object": "ab" * 20, "path": "deploy/prod.env", "line": 3, "end": 40, **more}
    return Hit(
        target.shown, fields.pop("kind", "blob"), fields.pop("form", "raw"), fields.pop("cls", "exact"), **fields
    )


def one_hit(target: Target, query: Query, listener: Listener) -> Totals:
    listener.hit(place(target, provenance=STORY))
    return Totals(objects=12, bytes_read=1_000, bytes_inflated=5_000_000)


def nothing(target: Target, query: Query, listener: Listener) -> Totals:
    return Totals(files=1, bytes_inflated=10)


def unreadable(target: Target, query: Query, listener: Listener) -> Totals:
    listener.fault(Fault(target.shown, "pack-1", "truncated"))
    return Totals()


class Scripted:
    def __init__(self, script: Script) -> None:
        self.search = script


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Script], None]:
    """Lets a test say what is found; everything else is the real command, without hardening the test's own process."""
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOLDFAST_KEYS", str(tmp_path / "keys"))
    monkeypatch.setattr(hardening, "no_core_dumps", lambda: True)
    monkeypatch.setattr(hardening, "no_tracebacks", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "repo").mkdir()
    (tmp_path / "other").mkdir()

    def use(script: Script) -> None:
        monkeypatch.setattr(wiring_exposure.Kit, "_searcher", lambda _self, _target: Scripted(script))

    use(one_hit)
    return use


def typed(*words: str, said: str | bytes | None = f"{VALUE}\n") -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    group = typer.Typer()
    exposure.add_to(group)
    app.add_typer(group, name="exposure")
    ended = CliRunner().invoke(app, ["exposure", *words], input=said)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert VALUE not in ended.output
    assert VALUE[:16] not in ended.output
    return ended


def lines(ended: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


Use = Callable[[Script], None]


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


def test_with_rules_no_secret_need_be_given_and_findings_are_told_by_rule(scripted: Use) -> None:
    def unknown(target: Target, query: Query, listener: Listener) -> Totals:
        for number in range(3):
            mark = Unknown("github-token", f"{number:016x}")
            listener.hit(
                place(target, path=f"{number}.env", form="rule:github-token", secret=None, unknown=mark, copies=2)
            )
        mark = Unknown("jwt", "f" * 16)
        listener.hit(place(target, form="rule:jwt", secret=None, unknown=mark, provenance=STORY))
        return Totals(objects=5)

    scripted(unknown)
    ended = typed("search", "--rules", "repo", said=None)
    told = " ".join(ended.stdout.split())
    assert ended.exit_code == 0
    for words in (
        "(github-token: 3 values in 3 places) found 0.env:3",
        "fingerprint 0000000000000001, up to 64 bytes, blob abababababab, in 2 objects",
        "(jwt: 1 value in 1 place) found deploy/prod.env:3",
        "still there: HEAD",
        "Complete: 4 places in 1 of 1 target (4 by rules).",
        "Next: rotate what is one",
    ):
        assert words in told, words
    *hits, end = lines(typed("search", "--rules", "--json", "repo", said=None))
    assert {(hit["secret"], hit["rule"], hit["copies"]) for hit in hits} == {
        (None, "github-token", 2),
        (None, "jwt", None),
    }
    assert (end["hits"], end["secrets"], end["by_form"]) == (4, [], {"rule:github-token": 3, "rule:jwt": 1})
    assert "rule:stripe-key" in end["searched_forms"]
    assert typed("search", "--rules", "--fail-if-found", "repo", said=None).exit_code == 7


def test_a_report_of_rules_is_read_back_strictly(scripted: Use) -> None:
    def unknown(target: Target, query: Query, listener: Listener) -> Totals:
        listener.hit(place(target, secret=None, form="rule:jwt", unknown=Unknown("jwt", "f" * 16), copies=3))
        return Totals(objects=5)

    scripted(unknown)
    told = typed("search", "--rules", "--json", "repo", said=None).stdout
    (hit,) = read_report(told.splitlines()).hits
    assert (hit.rule, hit.fingerprint, hit.secret, hit.copies) == ("jwt", "f" * 16, None, 3)
    for right, wrong in (
        ('"secret": null', '"secret": 0'),
        ('"fingerprint": "ffffffffffffffff"', '"fingerprint": null'),
    ):
        with pytest.raises(BadInputError):
            read_report(told.replace(right, wrong).splitlines())


def test_the_rules_search_a_folder_whole_and_lists_and_sarif_say_what_passes(
    scripted: Use, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOLDFAST_KEYS", str(tmp_path / "keys"))
    monkeypatch.setattr(hardening, "no_core_dumps", lambda: True)
    monkeypatch.setattr(hardening, "no_tracebacks", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "repo"
    made = {rule.key: expand(rule.found[0]) for rule in shipped().scanning}
    (folder / "a.env").write_text(f"{made['github-token']}\n", encoding="utf-8")
    (folder / "b.env").write_text(f"{made['stripe-key']}\n{VALUE}\n", encoding="utf-8")
    first = typed("search", "--rules", "--write-baseline", "known.toml", "--json", "repo", said=None)
    assert [(hit["rule"], hit["path"]) for hit in lines(first)[:-1]] == [
        ("github-token", "a.env"),
        ("stripe-key", "b.env"),
    ]
    known = typed("search", "--rules", "--baseline", "known.toml", "--fail-if-found", "--json", "repo", said=None)
    assert (known.exit_code, lines(known)[-1]["passed"]) == (0, {"known": 2, "allowed": 0, "expired": []})
    (folder / "moved.env").write_text(f"{made['github-token']}\n", encoding="utf-8")
    mark = next(hit["fingerprint"] for hit in lines(first) if hit["rule"] == "stripe-key")
    (tmp_path / "allow.toml").write_text(
        (tmp_path / "known.toml").read_text(encoding="utf-8").partition("[[")[0]
        + f'[[allow]]\nfingerprint = "{mark}"\nreason = "a sample of the documentation"\n',
        encoding="utf-8",
    )
    ended = typed(
        "search", "--secret-stdin", "--rules", "--baseline", "known.toml", "--allow", "allow.toml", "--fail-if-found",
        "--sarif", "found.sarif", "repo",
    )  # fmt: skip
    assert ended.exit_code == 7
    assert "Not counted as found: 1 allowed and 1 known" in " ".join(ended.stdout.split())
    text = (tmp_path / "found.sarif").read_text(encoding="utf-8")
    (run,) = json.loads(text)["runs"]
    told = {(one["ruleId"], one["level"], one.get("baselineState")) for one in run["results"]}
    assert told == {
        ("github-token", "note", "unchanged"),
        ("github-token", "error", "new"),
        ("stripe-key", "note", "new"),
        ("leaked-value", "error", "new"),
    }
    assert [one["suppressions"][0]["justification"] for one in run["results"] if "suppressions" in one] == [
        "a sample of the documentation"
    ]
    for secret in (VALUE, *made.values()):
        assert secret not in text + ended.output + first.output
    assert json.loads(typed("search", "--rules", "--sarif", "-", "repo", said=None).stdout)["version"] == "2.1.0"


def test_lists_without_rules_and_lists_of_another_key_are_refused(scripted: Use, tmp_path: Path) -> None:
    ended = typed("search", "--secret-stdin", "--baseline", "x.toml", "repo")
    assert (
        ended.exit_code,
        "lists-without-rules" in typed("search", "--secret-stdin", "--baseline", "x", "--json", "repo").output,
    ) == (2, True)
    typed("search", "--rules", "--write-baseline", "mine.toml", "repo", said=None)
    (tmp_path / "team.key").write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")
    (tmp_path / "team.key").chmod(0o600)
    words = ["search", "--rules", "--fingerprint-key", "team.key", "repo"]
    scripted(nothing)
    assert typed(*words, said=None).exit_code == 0
    refused = typed(*words, "--baseline", "mine.toml", "--json", said=None)
    assert "fingerprints-of-another-key" in refused.output
