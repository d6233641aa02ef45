from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_assets", ROOT / "tools" / "build_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENDOR", tmp_path / "vendor")
    return module


def lay(build: ModuleType, modules: Path, content: bytes) -> None:
    for source in build.WANTED:
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_bytes(content)


def test_a_file_that_is_not_the_recorded_one_is_refused(build: ModuleType, tmp_path: Path) -> None:
    lay(build, tmp_path, b"something else")
    with pytest.raises(RuntimeError, match="Refused"):
        build.place(tmp_path)
    assert list(build.VENDOR.iterdir()) == []
    assert not build.in_place()


def test_recorded_files_are_put_in_place_whole(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(build, tmp_path, b"the library")
    digest = build.sha256(tmp_path / next(iter(build.WANTED)))
    monkeypatch.setattr(build, "WANTED", {source: (name, digest) for source, (name, _) in build.WANTED.items()})
    build.place(tmp_path)
    assert build.in_place()
    assert sorted(path.name for path in build.VENDOR.iterdir()) == ["idiomorph.LICENSE.txt", "idiomorph.esm.js"]


def test_the_lock_names_every_package_by_its_hash_and_no_host() -> None:
    lock = json.loads((ROOT / "src/holdfast/web/package-lock.json").read_text())
    wanted = json.loads((ROOT / "src/holdfast/web/package.json").read_text())["dependencies"]
    packages = {name.removeprefix("node_modules/"): one for name, one in lock["packages"].items() if name}
    assert {name: one["version"] for name, one in packages.items()} == wanted
    assert all(one["integrity"].startswith("sha512-") and "resolved" not in one for one in packages.values())
