"""What a hostile input may cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.investigation.framing import Limits as FramingLimits


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run; what lies beyond is quarantined with its reason."""

    framing: FramingLimits = field(default_factory=FramingLimits)
    inflated: int = 32 << 30
    """Bytes that one captured file may inflate to, all its members together."""
    ratio: int = 300
    """Times its size that a file may inflate to, once that is more than ``ratio_from``. Logs reach about 50."""
    ratio_from: int = 64 << 20
    members: int = 100_000
    """Members of one archive, those of archives within it included."""
    depth: int = 4
    """Archives and compressions within one another."""
    folders: int = 40
    """Depth of folders."""
    spool: int = 1 << 30
    """Bytes of a zip within another archive, which has to be written out to be read."""
    listed: int = 100
    """Quarantined records that are listed one by one, for each input; all are counted."""
    rows: int = 131_072
    """Rows of a row group of Parquet."""
    part_rows: int = 1 << 20
    """Rows of one Parquet file."""
