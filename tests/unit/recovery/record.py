"""A record in memory for these tests: events are folded as a real record folds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.texts import Sealed
from holdfast.recovery import EMPTY, State, apply, duties, gates, proofs, review
from holdfast.recovery.duties import Choice
from holdfast.recovery.gates import GateView
from holdfast.recovery.state import ESCALATIONS

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVIDENCE = Citation(evidence="ev-1", sha256="ab" * 32)
GATES = ("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8")


def sealed(words: str = "words") -> Sealed:
    return Sealed(f"text-{words}", hashlib.sha256(words.encode()).hexdigest())  # type: ignore[arg-type]


class Record:
    def __init__(self) -> None:
        self.state: State = EMPTY
        self.now = START
        self.seq = 0

    def add(self, events: Iterable[NewEvent], by: str = "ana") -> None:
        for new in events:
            self.seq += 1
            at = new.occurred_at or self.now
            event = Event(
                "INC-1", self.seq, "id", new.type, 1, at, self.now, new.basis, Actor("person", by, "local"), new.data
            )
            self.state = apply(self.state, event)

    def later(self, **time: int) -> None:
        self.now += timedelta(**time)

    def view(self, gate: str, peak: str | None = "SEV-1") -> GateView:
        return next(one for one in gates.gates(self.state, peak=peak) if one.id == gate)

    def supply(self, gate: str) -> None:
        """Everything the gate needs, but nobody's name under it yet."""
        {
            "X1": self._cause,
            "X2": self._path,
            "X3": self._credentials,
            "X4": self._revalidation,
            "X5": self._monitoring,
            "X6": self._notifications,
            "X7": self._actions,
            "X8": self._review,
        }[gate]()

    def prove(self, gate: str) -> None:
        self.supply(gate)
        self.add(gates.prove(self.state, gate, sealed(), [EVIDENCE]))

    def _cause(self) -> None:
        self.add(proofs.identify_cause(sealed(), [EVIDENCE]))

    def _path(self) -> None:
        self.add(proofs.close_path(sealed(), [EVIDENCE]))
        self.add(proofs.verify_path(self.state, sealed(), [EVIDENCE]))

    def _credentials(self) -> None:
        self.add(proofs.list_credential(self.state, sealed()))
        self.add(proofs.settle_credential(self.state, "credential-1", "rotated", [EVIDENCE], None))

    def _revalidation(self) -> None:
        for part in ("artifacts", "images", "deployments"):
            self.add(proofs.revalidate(part, "done", [EVIDENCE], None))

    def _monitoring(self) -> None:
        self.add(proofs.monitor(self.state, sealed(), sealed(), [EVIDENCE]))

    def _notifications(self) -> None:
        for kind in ESCALATIONS:
            self.add(duties.decide_escalation(self.state, kind, Choice("no", reason=sealed())))

    def _actions(self) -> None:
        self.add(duties.assign_action(self.state, sealed(), "ben", self.now.date(), today=self.now.date()))

    def _review(self) -> None:
        self.add(review.start(self.state, None))
        for prompt in ("V1", "V2", "V3", "V4", "V5", "V6"):
            self.add(review.answer(self.state, prompt, sealed()))
        self.add(review.complete(self.state, None, now=self.now))
