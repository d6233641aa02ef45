"""Claims, updates to audiences, the review of their wording, and the promises they make. Pure.

Rules:
1. A claim is a hypothesis until somebody confirms it citing evidence or the record; only then it is a fact.
2. Known impact is made of facts of kind *impact* and of nothing else.
3. A fact that turns out wrong is retracted, and a correction is owed to every audience that was sent it.
4. An update is approved as an exact text: the approval names the text's commitment, any edit voids it.
5. Outward text (executives, customers) rests on facts only; hypotheses stand in a labelled block for responders.
6. Each sent update promises the next one to its audience; the promise is a clock.

Not handled here: sending. A person copies the text out, and records where it went.
"""

from holdfast.communications.events import TYPES
from holdfast.communications.state import EMPTY, State, apply

__all__ = ["EMPTY", "TYPES", "State", "apply"]
