"""Whatever the bytes: nothing raises, and records are rows, duplicates and quarantined, for each input."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.engines.ingest import Limits
from holdfast.investigation.framing import Limits as Framing
from tests.unit.engines.ingest.helping import event, ingest, native, packed, tarred, zipped

_SMALL = Limits(framing=Framing(line=2000, whole=3000, document=4000, yaml=3000), listed=3, rows=7, part_rows=20)

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_events = st.builds(
    lambda number, changed: event(number, **changed),
    st.integers(0, 8),
    st.dictionaries(st.sampled_from(sorted(event(0))), _values, max_size=3),
)
_json = _values.map(lambda value: json.dumps(value).encode())
_files = st.one_of(
    st.binary(max_size=400),
    _json,
    st.lists(_events, max_size=6).map(lambda found: native(*found)),
    st.lists(
        st.one_of(_events.map(lambda one: json.dumps(one).encode()), _json, st.binary(max_size=30)), max_size=6
    ).map(b"\n".join),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(st.lists(st.text(max_size=8), max_size=4).map(",".join), max_size=6).map(
        lambda rows: "\n".join(rows).encode()
    ),
)
_packs = st.sampled_from(
    [
        lambda content: content,
        packed,
        lambda content: zipped({"a": content, "b": content}),
        lambda content: tarred({"a": content}),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file, perhaps packed, perhaps cut short or changed in one place."""
    content = draw(_packs)(draw(_files))
    if content and draw(st.booleans()):
        at = draw(st.integers(0, len(content) - 1))
        content = (
            content[:at]
            if draw(st.booleans())
            else content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
        )
    return content


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(damaged(), min_size=1, max_size=4))
def test_every_record_is_accounted_for(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = ingest(Path(name), {f"{number}": content for number, content in enumerate(contents)}, limits=_SMALL)
    outer = [one for one in made.inputs if "!" not in one["path"]]
    assert len(outer) == len(contents)
    for one in made.inputs:
        assert one["reason"] is not None or not one["quarantined"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_events, min_size=1, max_size=12), st.integers(1, 5))
def test_a_second_delivery_of_everything_adds_no_row(found: list[dict[str, object]], size: int) -> None:
    first = {f"a{at}": native(*found[at : at + size]) for at in range(0, len(found), size)}
    with tempfile.TemporaryDirectory() as name:
        once = ingest(Path(name) / "once", first, limits=_SMALL)
        twice = ingest(Path(name) / "twice", {**first, "z": native(*found)}, limits=_SMALL)
    rows = sum(one["rows"] for one in once.inputs)
    undated = sum(1 for one in found if not one.get("eventID"))
    assert rows <= sum(one["rows"] for one in twice.inputs) <= rows + undated
