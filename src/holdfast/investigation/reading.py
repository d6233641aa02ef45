"""How a source is read: a reader recognises its records and turns each into fields of the activity table.

A reader is one module in ``readers/`` with a constant ``READER``. It sees parsed records (a JSON object, a CSV line as
a mapping, a text line), never files: framing, decompression, limits and counting are the same for all.

Rules:
1. A record that cannot be read is quarantined with a reason (:class:`UnreadableError`), never dropped or half read.
2. A reader says what it was proven on. One that is unproven ships off, and a person has to ask for it by name.
3. Recognition goes by content, never by a file's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Standing = Literal["real_data", "real_server", "vendor_sample", "vendor_schema", "unproven"]
Framing = Literal["json", "csv", "lines", "ldif", "journal"]

Fields = dict[str, Any]
"""Columns of :data:`~holdfast.investigation.activity.ACTIVITY` that a record tells; the rest is null. Without
``row_id``, ``hour``, ``src_digest``, ``src_file`` and ``src_ord``, which the ingest adds. ``request``, ``response``
and ``detail`` may be given as mappings or lists: the ingest writes them as JSON, secrets replaced."""


class UnreadableError(Exception):
    """A record cannot be read. The message is a few words that are the same for equal faults: they are counted."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a reader was proven on."""

    standing: Standing
    source: str
    """Which data, which server with its version, or the address of the vendor's page."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One source of records."""

    key: str
    """The source as the activity table names it: ``aws.cloudtrail``. Several readers may share a source; then the key
    has a suffix: ``aws.cloudtrail+lake``."""
    title: str
    framing: Framing
    proof: Proof
    recognises: Callable[[Any], bool]
    """Whether one parsed record is this reader's: a str for lines, a mapping for the others. Must never raise."""
    fields: Callable[[Any], Fields]
    """The record's columns; raises :class:`UnreadableError`."""
    event_classes: tuple[str, ...] = ("management",)
    """Classes of events this source can tell of, for the coverage of a negative answer."""
    unwrap: Callable[[Mapping[str, Any]], list[Any] | None] | None = None
    """Records inside an envelope (``{"Records": […]}``) when the common ones do not fit; none when it is not one."""
    priority: int = 100
    """Readers are asked in this order, lowest first; generic ones come last."""
    fields_at: Callable[[Any, str], Fields] | None = None
    """Instead of ``fields``, with the path of the record's file, for records that do not tell all of their time: a
    log whose lines have no year, in a file whose name tells it."""
    columns: Callable[[list[Any]], tuple[dict[str, list[Any]], dict[int, str]]] | None = None
    """A faster way for many records: columns of equal length for those that can be read, and the reason for each place
    that cannot. Must give what ``fields`` gives."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A generic reader made from a person's mapping of columns (``--map FILE``)."""

    source: str
    columns: Mapping[str, str] = field(default_factory=dict)
    """Activity column to the path in the record: ``actor_uid = "user.email"``."""
