"""Columns of text are cleared of secrets wherever they stand, also where a text comes again."""

from __future__ import annotations

import pyarrow as pa

from holdfast.engines.ingest.columns import clean

_SESSION = '{"credentials":{"sessionToken":"IQoJverysecret"}}'
_PASSWORD = '{"masterUserPassword":"hunter2hunter2"}'
_PLAIN = '{"bucketName":"logs"}'


def test_every_occurrence_of_a_secret_is_replaced_and_all_else_stays_in_place() -> None:
    column = pa.array([_PLAIN, _SESSION, None, _PASSWORD, _SESSION, _PLAIN, None, _PASSWORD, ""], pa.string())
    told = clean(column).to_pylist()
    session, password = (
        '{"credentials":{"sessionToken":"[redacted sessionToken]"}}',
        '{"masterUserPassword":"[redacted masterUserPassword]"}',
    )
    assert told == [_PLAIN, session, None, password, session, _PLAIN, None, password, ""]


def test_a_column_without_secrets_is_given_back_as_it_is() -> None:
    column = pa.array([_PLAIN, None, _PLAIN], pa.string())
    assert clean(column) is column


def test_a_slice_of_a_column_is_looked_through_at_its_own_places() -> None:
    column = pa.array([_SESSION, _PLAIN, None, _PASSWORD], pa.string()).slice(1)
    assert clean(column).to_pylist() == [_PLAIN, None, '{"masterUserPassword":"[redacted masterUserPassword]"}']


def test_columns_of_nothing_are_looked_through() -> None:
    assert clean(pa.array([], pa.string())).to_pylist() == []
    assert clean(pa.array([None, None], pa.string())).to_pylist() == [None, None]
