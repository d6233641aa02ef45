"""Declaring, severity, command, first fifteen minutes, freeze, lifecycle and access of an incident.

Rules:
1. An incident has at most one commander. Who declares is *acting*; only an explicit "I command" (taking,
   claiming, accepting a handover, relieving) stops the S1 clock.
2. Command moves on acceptance, never on a proposal. A vacant command is a recorded state, shown red.
3. Severity rises freely with a reason. It falls only by the commander's proposal with a reason that a second
   person confirms; the peak never falls, and duties follow the peak.
4. The first report stands word for word; later words are added beside it. What is not known is *unknown*.
5. Who approves while holding several roles acts alone, and owes a countersignature by somebody else.
6. An incident closes when nothing blocks it. One that is not real closes without the gates, on a second
   person's word, and nothing is erased.
7. A restricted incident exists only for those on its list, its role holders and an open break-glass.
"""

from __future__ import annotations

from holdfast.incidents.events import TYPES
from holdfast.incidents.roles import acting_alone
from holdfast.incidents.state import EMPTY, State, apply

__all__ = ["EMPTY", "TYPES", "State", "acting_alone", "apply"]
