"""An engine that is not there says what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.engines.clickhouse import ClickHouseEngine
from holdfast.engines.spark import SparkEngine
from holdfast.kernel.errors import UnavailableError


def test_without_chdb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "chdb", None)
    with pytest.raises(UnavailableError) as caught:
        ClickHouseEngine(tmp_path)
    assert "holdfast[clickhouse]" in caught.value.next_step


def test_without_pyspark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UnavailableError) as caught:
        SparkEngine(tmp_path)
    assert "holdfast[spark]" in caught.value.next_step


@pytest.mark.parametrize("said", [None, 'openjdk version "11.0.2" 2019-01-15'])
def test_without_a_java_that_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str | None) -> None:
    pytest.importorskip("pyspark")
    home = tmp_path / "java"
    if said is not None:
        (home / "bin").mkdir(parents=True)
        java = home / "bin" / "java"
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(UnavailableError) as caught:
        SparkEngine(tmp_path / "own")
    assert "openjdk-17-jre-headless" in caught.value.next_step
