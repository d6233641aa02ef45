"""Response plays as data: what to do, in which order, with which parts and outputs, and how far each run is.

Rules:
1. A run is bound to one definition by its digest for its whole life; a later edit of the play never changes it.
2. A step is made of parts; one without named parts has the single part ``result``.
3. A step is *done* only when every part is settled and every required output is recorded.
4. A step that destroys evidence is done only when all volatile evidence is captured (runbook F5), or an
   override names exactly what is missing, what is lost, why, and who accepts that. Reopening voids it.
5. Steps may be worked in any order; one whose predecessors are open shows a caution, and says so when done.
6. A step that does not apply is *skipped* with a reason; it is never counted as done.
7. A run is *completed* by the event that settles its last step, and runs again when a step is reopened.
8. An abandoned run changes no more; a new run may be started. Several runs may go on at once.
9. Words are sealed; choices, accounts, instants and citations are held to their form.

Not handled here: performing a step in an outside system. A person performs it and proves it here.
"""

from __future__ import annotations

from holdfast.plays.events import TYPES
from holdfast.plays.state import EMPTY, Run, State, StepState, apply

__all__ = ["EMPTY", "TYPES", "Run", "State", "StepState", "apply"]
