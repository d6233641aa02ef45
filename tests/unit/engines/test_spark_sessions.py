"""Sessions of Spark that follow each other in one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.engines import spark
from holdfast.kernel.errors import UnavailableError


def test_the_next_session_has_a_java_and_a_folder_of_its_own(tmp_path: Path) -> None:
    places, numbers = [], []
    for name in ("first", "second"):
        try:
            session = spark.start(tmp_path / name, "local[1]", {"spark.driver.memory": "512m"})
        except UnavailableError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"{error.why} {error.next_step}")
        java = session.sparkContext._jvm.java.lang  # type: ignore[union-attr]
        places.append(java.System.getProperty("java.io.tmpdir"))
        numbers.append(java.ProcessHandle.current().pid())
        spark.end(session)
        assert not Path(f"/proc/{numbers[-1]}").exists()
    assert places == [str(tmp_path / "first" / "tmp"), str(tmp_path / "second" / "tmp")]
    assert len(set(numbers)) == 2
