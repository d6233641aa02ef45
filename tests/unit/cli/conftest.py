"""What tests of ``holdfast exposure`` stand on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import wiring_exposure
from holdfast.engines.exposure import hardening
from tests.unit.cli.searching import (
    Script,
    Scripted,
    one_hit,
)


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
