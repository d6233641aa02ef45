"""A person's mapping of an unknown log."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.mapping_document import mapped_from
from holdfast.kernel.errors import BadInputError

GOOD: dict[str, Any] = {
    "format": "activity-mapping",
    "source": "payments.audit",
    "columns": {"time_us": "when", "actor_uid": "user.email", "operation": "action"},
}


def test_a_mapping_says_where_each_column_is() -> None:
    mapped = mapped_from(GOOD)
    assert mapped.source == "payments.audit"
    assert mapped.columns["actor_uid"] == "user.email"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": "csv"}, "format"),
        ({"source": "Payments Audit"}, "source"),
        ({"columns": {"time_us": "when", "colour": "x"}}, "columns.colour"),
        ({"columns": {"time_us": "when", "row_id": "id"}}, "columns.row_id"),
        ({"columns": {"time_us": " "}}, "columns.time_us"),
        ({"columns": {"actor_uid": "user"}}, "columns.time_us"),
        ({"colums": {}}, "colums"),
    ],
)
def test_a_mapping_that_is_not_valid_names_the_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInputError) as refused:
        mapped_from({**GOOD, **change})
    assert refused.value.details["place"] == place
