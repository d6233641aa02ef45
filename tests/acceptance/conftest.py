"""One server a worker, and the surface a module is about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.driver import By
from tests.acceptance.installation import Installation, running


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A real server with people."""
    with running(tmp_path_factory.mktemp("acceptance")) as served:
        yield served


@pytest.fixture(scope="module")
def by(request: pytest.FixtureRequest, installation: Installation) -> Iterator[By]:
    """The module's surface, with its own ledger."""
    surface = request.module.SURFACE(installation)
    yield By(surface, installation)
    surface.close()
