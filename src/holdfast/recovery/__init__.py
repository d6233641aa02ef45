"""Closure gates, the post-incident review, corrective actions and measures. Pure.

Rules:
1. X1 to X8 are gates: proven by a person citing what shows it, waived by the business owner with a reason, or open.
2. A gate is proven only while nothing it needs is missing; something new that is missing opens it again.
3. Unknown is never clean: a part that is unknown or out of reach leaves its gate open.
4. Closing the attack path and verifying that it is closed are two events.
5. An escalation is undecided until the business owner says yes or no; a yes counts once its receipt is recorded.
6. A corrective action has an owner and a date from the start.
7. A late review is recorded as late, and still closes.

Not handled here: the incident's status and the review's due date, which belong to ``incidents``.
"""

from holdfast.recovery.events import TYPES
from holdfast.recovery.folding import apply
from holdfast.recovery.state import EMPTY, State

__all__ = ["EMPTY", "TYPES", "State", "apply"]
