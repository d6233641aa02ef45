"""A check as SARIF 2.1.0 (OASIS Standard, 27 March 2020), for whatever shows findings of tools beside code.

Rules:
1. No character of a secret is in it: messages tell rule, length and fingerprint.
2. Places are relative to ``SRCROOT``; what lies in a history carries its object and commit as properties.
3. ``baselineState`` is given when there was a baseline; what is allowed is suppressed, with its reason.
4. An incomplete check did not succeed, and says what could not be read.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.exposure.checking import LEAKED, Finding, Report
from holdfast.exposure.formats import Rules
from holdfast.exposure.results import Fault

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_HELP = (
    "Revoke or rotate the secret: whoever could read this place may have it. Then take it out, and let the program get "
    "it from a secret manager, or use an identity of the workload instead of a stored value."
)
_LEAKED_NAME = "Value that leaked before"
_UNRESERVED = frozenset((string.ascii_letters + string.digits + "-._~/").encode())


def sarif(report: Report, rules: Rules, *, version: str, with_baseline: bool) -> dict[str, Any]:
    """The log of one run.

    Args:
        report: of the check.
        rules: the library that it used.
        version: of Holdfast.
        with_baseline: whether a baseline was given.
    """
    described = _described(report.findings, rules)
    numbers = {rule["id"]: number for number, rule in enumerate(described)}
    invocation: dict[str, Any] = {"executionSuccessful": report.complete}
    if report.faults:
        invocation["toolExecutionNotifications"] = [_notification(fault) for fault in report.faults]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Holdfast",
                        "semanticVersion": version,
                        "rules": described,
                    }
                },
                "columnKind": "utf16CodeUnits",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of what was checked."}}},
                "invocations": [invocation],
                "results": [_result(one, numbers[one.rule], with_baseline=with_baseline) for one in report.findings],
                "properties": {"items": report.items, "bytes": report.size, "rulesVersion": rules.version},
            }
        ],
    }


def _described(findings: Sequence[Finding], rules: Rules) -> list[dict[str, Any]]:
    """Every rule that could find something, so that a viewer knows what a clean run means."""
    named = {rule.key: rule.name for rule in rules.scanning}
    if any(one.rule == LEAKED for one in findings):
        named = {LEAKED: _LEAKED_NAME, **named}
    return [_rule(key, name) for key, name in named.items()]


def _rule(key: str, name: str) -> dict[str, Any]:
    return {
        "id": key,
        "name": "".join(word.capitalize() for word in key.split("-")),
        "shortDescription": {"text": name},
        "help": {"text": _HELP},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "secret"], "security-severity": "9.0" if key == LEAKED else "8.0"},
    }


def _result(one: Finding, number: int, *, with_baseline: bool) -> dict[str, Any]:
    said = f"{one.note}: this value leaked before" if one.rule == LEAKED else "This looks like a secret"
    spelled = "" if one.form == "raw" else f", spelled as {one.form}"
    properties = {"length": one.length, "form": one.form, "gitObject": one.object, "gitCommit": one.commit}
    location: dict[str, Any] = {
        "region": {"startLine": one.line, "byteOffset": one.start, "byteLength": one.end - one.start}
    }
    if one.path:
        location["artifactLocation"] = {"uri": _uri(one.path), "uriBaseId": "SRCROOT"}
    else:
        location["artifactLocation"] = {"description": {"text": f"the message of commit {one.commit}"}}
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": "error" if one.state == "new" else "note",
        "message": {"text": f"{said} ({one.length}{spelled}, fingerprint {one.fingerprint})."},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"holdfastSecret/v1": one.fingerprint},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }
    if with_baseline:
        result["baselineState"] = "unchanged" if one.state == "known" else "new"
    if one.state == "allowed":
        result["suppressions"] = [{"kind": "external", "justification": one.note}]
    return result


def _notification(fault: Fault) -> Mapping[str, Any]:
    where = f"{fault.target}: {fault.where}" if fault.where else fault.target
    return {"level": "error", "message": {"text": f"Not read: {where}: {fault.reason}."}}


def _uri(path: str) -> str:
    """A relative reference (RFC 3986): everything but unreserved characters and slashes is written as %XX."""
    data = path.encode("utf-8", "surrogateescape").lstrip(b"/")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)
