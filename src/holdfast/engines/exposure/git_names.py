"""Places of a repository that are no objects: names of refs, and git's own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from holdfast.engines.exposure.git_layout import Repository, own_files
from holdfast.engines.exposure.git_work import Worker
from holdfast.engines.exposure.unpacking import search_stream
from holdfast.exposure.results import Hit

_PIECE = 1 << 20


def search_names(repository: Repository, worker: Worker) -> Iterator[Hit]:
    """Refs whose names hold a secret."""
    names = [name.encode("utf-8", "surrogateescape") for name in repository.refs]
    ends = np.cumsum([len(name) + 1 for name in names])
    places = [end - 1 for _, end in worker.anchors.find(b"\n".join(names))]
    for number in np.unique(np.searchsorted(ends, places, side="right")).tolist() if places else ():
        data = names[number]
        for match in worker.query.confirm(data, worker.anchors.find(data)):
            shown = data.decode("utf-8", "surrogateescape")
            yield Hit(
                "", "git-file", match.form, match.cls, match.secret, path=shown, start=match.start, end=match.end,
                about=(("where", "the name of a ref"),), unknown=match.unknown,
            )  # fmt: skip


def search_texts(
    repository: Repository, inner: list[Path], worker: Worker, fault: Callable[[str, str], None]
) -> Iterator[Hit]:
    """Configuration, hooks, reflogs, the index and whatever else lies in the git folder."""
    for name, path in own_files(repository, inner):
        try:
            with path.open("rb") as file:
                found = search_stream(iter(lambda: file.read(_PIECE), b""), worker.query, worker.anchors, worker.limits)
        except OSError as error:
            fault(name, f"it cannot be read: {error.strerror}")
            continue
        for where, why in found.faults:
            fault("!".join([name, *where]), why)
        for one in found.matches:
            match = one.match
            inward = one.inner or ((f"({one.kind_of_container})",) if one.kind_of_container else ())
            yield Hit(
                "", "git-file", match.form, match.cls, match.secret, path=name, inner=inward, start=match.start,
                end=match.end, line=one.line, unknown=match.unknown,
            )  # fmt: skip
