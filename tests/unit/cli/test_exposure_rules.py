"""``holdfast exposure search --rules`` as somebody types it: findings, reports, lists and SARIF."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from holdfast.app.ports_exposure import Listener, Target
from holdfast.engines.exposure import hardening
from holdfast.exposure.cases import expand
from holdfast.exposure.formats import shipped
from holdfast.exposure.query import Query
from holdfast.exposure.report import read as read_report
from holdfast.exposure.results import Totals, Unknown
from holdfast.kernel.errors import BadInputError
from tests.unit.cli.searching import (
    STORY,
    VALUE,
    Use,
    lines,
    nothing,
    place,
    typed,
)


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
