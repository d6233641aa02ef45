"""The pictures of a result: their rows are kept in the result, and drawn where they are shown.

Drawn anew each time, so that a page never shows markup that somebody uploaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.drawing import coverage_svg, identities_svg, timeline_svg, trust_svg

PICTURES = ("timeline", "trust", "coverage", "identities")


def draw(rows: Mapping[str, Any], from_us: int, to_us: int) -> dict[str, str]:
    """Each picture as SVG.

    Args:
        rows: of each picture, as a run lays them out.
        from_us: start of the window.
        to_us: end of it.
    """
    suspects = frozenset(str(one["value"]) for one in rows["suspects"])
    return {
        "timeline": timeline_svg(rows["timeline"]),
        "trust": trust_svg(rows["trust"], suspects),
        "coverage": coverage_svg(rows["coverage"], from_us, to_us),
        "identities": identities_svg(rows["identities"], from_us, to_us, suspects),
    }
