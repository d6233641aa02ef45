"""The seven questions of an investigation, and what the record answers to each.

Rules:
1. A question is made of parts; one without named parts has the single part ``answer``.
2. A question is *answered* only when every part is settled, and with a citation: also "no sign of it" is
   an answer that must point at what was looked at.
3. When every part is unknown or unreachable there is no answer; the question is *unknown*, with a reason.
4. Unknown is never clean: a question shows how many of its parts are not done, even when it is answered.
5. A later answer replaces the one before; the earlier ones stay in the record and are named by sequence.
6. Reopening keeps every part and answer; only the standing goes back to open.

Not handled here: which facts and hypotheses follow from an answer (claims, in ``communications``).
"""

from __future__ import annotations

from holdfast.investigation.events import TYPES
from holdfast.investigation.state import EMPTY, QuestionState, State, apply

__all__ = ["EMPTY", "TYPES", "QuestionState", "State", "apply"]
