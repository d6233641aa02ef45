from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.exposure import shipped
from holdfast.exposure.cases import expand
from holdfast.exposure.checking import LEAKED, Finding, Report
from holdfast.exposure.results import Fault
from holdfast.exposure.sarif import sarif

SECRET = expand("gh{}p_{alnum:36}")


def finding(**more: Any) -> Finding:
    fields: dict[str, Any] = {
        "rule": "github-token", "fingerprint": "0123456789abcdef", "path": "src/ä b:c.py", "line": 3, "column": 5,
        "start": 40, "end": 80, "length": "up to 64 bytes", "state": "new", "object": "ab" * 20, "commit": "cd" * 20,
    }  # fmt: skip
    return Finding(**{**fields, **more})


def log(*findings: Finding, faults: tuple[Fault, ...] = (), with_baseline: bool = False) -> dict[str, Any]:
    report = Report(findings, faults, 7, 700)
    return sarif(report, shipped(), version="0.1.0", with_baseline=with_baseline)


def run_of(document: dict[str, Any]) -> dict[str, Any]:
    (run,) = document["runs"]
    return dict(run)


EVERYTHING = log(
    finding(),
    finding(state="known", path="b"),
    finding(state="allowed", note="made up"),
    finding(rule=LEAKED, note="leak-1 of INC-2026-0001", form="base64", path=""),
    finding(object=None, commit=None, path="/abs/x"),
    faults=(Fault("repo", "c.bin", "gone"),),
    with_baseline=True,
)


class TestSarif:
    def test_it_says_what_it_is(self) -> None:
        assert EVERYTHING["version"] == "2.1.0"
        assert EVERYTHING["$schema"].endswith("sarif-schema-2.1.0.json")
        assert run_of(EVERYTHING)["tool"]["driver"]["name"] == "Holdfast"

    def test_a_result_has_rule_place_and_fingerprint(self) -> None:
        run = run_of(log(finding()))
        (result,) = run["results"]
        rules = run["tool"]["driver"]["rules"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "github-token"
        assert result["partialFingerprints"] == {"holdfastSecret/v1": "0123456789abcdef"}
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "src/%C3%A4%20b%3Ac.py", "uriBaseId": "SRCROOT"}
        assert place["region"]["startLine"] == 3
        assert result["properties"]["gitObject"] == "ab" * 20
        assert result["properties"]["gitCommit"] == "cd" * 20
        assert "baselineState" not in result

    def test_every_rule_is_described_once_with_what_it_finds(self) -> None:
        rules = run_of(EVERYTHING)["tool"]["driver"]["rules"]
        keys = [rule["id"] for rule in rules]
        assert sorted(keys) == sorted({LEAKED, *(rule.key for rule in shipped().scanning)})
        assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)

    def test_with_a_baseline_each_result_says_whether_it_is_new(self) -> None:
        states = [one["baselineState"] for one in run_of(EVERYTHING)["results"]]
        assert states == ["new", "unchanged", "new", "new", "new"]

    def test_what_is_allowed_is_suppressed_with_its_reason(self) -> None:
        allowed = run_of(EVERYTHING)["results"][2]
        assert allowed["suppressions"] == [{"kind": "external", "justification": "made up"}]
        assert allowed["level"] == "note"

    def test_a_place_is_relative_and_a_commit_s_message_has_none(self) -> None:
        results = run_of(EVERYTHING)["results"]
        assert results[4]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "abs/x"
        assert "uri" not in results[3]["locations"][0]["physicalLocation"]["artifactLocation"]

    def test_an_incomplete_check_did_not_succeed_and_says_why(self) -> None:
        (invocation,) = run_of(EVERYTHING)["invocations"]
        assert invocation["executionSuccessful"] is False
        assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "Not read: repo: c.bin: gone."
        assert run_of(log())["invocations"] == [{"executionSuccessful": True}]

    def test_it_is_json_without_a_piece_of_a_secret(self) -> None:
        text = json.dumps(EVERYTHING)
        assert SECRET[:8] not in text
        assert json.loads(text) == EVERYTHING

    @pytest.mark.parametrize(
        ("object_", "required"),
        [
            (EVERYTHING, {"version", "runs"}),
            (EVERYTHING["runs"][0], {"tool"}),
            (EVERYTHING["runs"][0]["tool"], {"driver"}),
            (EVERYTHING["runs"][0]["tool"]["driver"], {"name"}),
            *((rule, {"id"}) for rule in EVERYTHING["runs"][0]["tool"]["driver"]["rules"]),
            *((result, {"message"}) for result in EVERYTHING["runs"][0]["results"]),
            *((one, {"executionSuccessful"}) for one in EVERYTHING["runs"][0]["invocations"]),
        ],
    )
    def test_what_the_standard_requires_is_there(self, object_: dict[str, Any], required: set[str]) -> None:
        assert required <= set(object_)
