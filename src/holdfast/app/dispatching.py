"""Dispatch: one command from a surface to a durable append, the same for CLI, API, page and chat.

1. free text is scanned for secrets: hits become redactions, the author is told;
2. the same command under an idempotency key that was answered gets the same answer again, even where the
   command itself has ended the right to give it;
3. whoever may not see the incident learns nothing (404);
4. the act is permitted by the authorisation table, or refused;
5. the facet the client saw is still the newest, or it is a conflict;
6. the handler decides; events and words are appended in one durable transaction;
7. a lost race is decided again from the new state, a bounded number of times;
8. only then the answer, the bus and the effects that follow (destruction by erasure orders).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from holdfast.app.authorisation import Viewer, is_permitted, permit
from holdfast.app.bus import Bus
from holdfast.app.commanding import REGISTRY, Command, IncidentCommand, UseCase
from holdfast.app.inputs import Notice, screen
from holdfast.app.installation import STREAM
from holdfast.app.installation_work import InstallationCommand, InstallationTools, InstallationWork
from holdfast.app.ports import Append, LostRaceError, Remembered, SealedWords
from holdfast.app.rows import row_of
from holdfast.app.state import IncidentState
from holdfast.app.states import States
from holdfast.app.work import Drafts, Tools, Work
from holdfast.incidents import lifecycle
from holdfast.incidents.access import may_see
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, ConflictError, HoldfastError, NotFoundError, UnavailableError
from holdfast.kernel.events import Event
from holdfast.kernel.texts import sealed_within

ATTEMPTS = 50
_INC = re.compile(r"\bINC\b(?!-)")
BREAK_GLASS = "access-break-glass"
SETTLED_BY_CLOSING = (
    "cause-",
    "closure-",
    "credential-list",
    "credential-none",
    "credential-settle",
    "escalation-decide",
    "path-",
    "play-",
    "question-",
    "revalidate-",
    "review-",
    "step-",
)
"""Use cases that would contradict the closure of a closed incident: it is reopened first."""
_RESTRICTED_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did, after it is durable."""

    incident_id: str
    version: int
    """Sequence number of the incident's newest event."""
    events: tuple[Event, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    once: Mapping[str, Any] = field(default_factory=dict)
    """Results shown to the caller only now and stored nowhere (tokens)."""
    notices: tuple[Notice, ...] = ()
    replayed: bool = False
    event_refs: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The answer on every surface."""
        return {
            "events": [dict(reference) for reference in self.event_refs],
            "incident": self.incident_id,
            "notices": [notice.as_json() for notice in self.notices],
            "replayed": self.replayed,
            "result": {**self.result, **self.once},
            "version": self.version,
        }

    def stored(self) -> dict[str, Any]:
        """What an idempotency key remembers: everything but what is shown only once."""
        return {**self.as_json(), "result": dict(self.result)}


@dataclass(slots=True)
class Dispatcher:
    """Executes commands."""

    tools: Tools
    states: States
    bus: Bus
    secret_key: bytes
    """Installation key for fingerprints and request digests."""
    after_commit: Callable[[str, tuple[Event, ...]], None]
    installation_tools: InstallationTools
    turns: tuple[threading.Lock, ...] = field(default_factory=lambda: tuple(threading.Lock() for _ in range(64)))

    def visible(self, incident_id: str, viewer: Viewer) -> IncidentState:
        """The incident's state for someone who may see it.

        Raises:
            NotFoundError: absent or invisible, which look the same.
        """
        permit(viewer, "incident.read")
        state = self.states.incident(incident_id)
        if state.seq < 0 or not may_see(state.incidents, viewer.account, viewer.roles, self.tools.clock()):
            raise NotFoundError(
                "incident-not-found",
                f"There is no incident {incident_id[:40]} for you.",
                why="It does not exist, or it is restricted and you are not on its list.",
                next_step="See which there are: holdfast list",
            )
        return state

    def _addressed(self, case: UseCase, incident_id: str, viewer: Viewer) -> IncidentState:
        """The incident a command is for. Only breaking the glass reaches a restricted one from outside."""
        if case.name == BREAK_GLASS and is_permitted(viewer, case.act):
            state = self.states.incident(incident_id)
            if state.seq >= 0 and state.incidents.restricted:
                return state
        return self.visible(incident_id, viewer)

    def execute(
        self,
        name: str,
        fields: Mapping[str, Any] | Command,
        viewer: Viewer,
        *,
        incident_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Run the use case ``name`` with raw fields or a validated command; see the module for the order."""
        case = REGISTRY[name]
        command, notices = screen(fields if isinstance(fields, Command) else validated(case, fields), self.secret_key)
        request = (idempotency_key, self._request_digest(name, incident_id, command))
        earlier = self._remembered(viewer, idempotency_key)
        if earlier is not None and "all" in viewer.scopes and hmac.compare_digest(earlier.request, request[1]):
            return _replay(earlier, request[1])
        permit(viewer, case.act, self._addressed(case, incident_id or "", viewer) if _on_incident(case) else None)
        drafts = Drafts()
        for _ in range(ATTEMPTS):
            if earlier is not None:
                return _replay(earlier, request[1])
            try:
                with self._turn(_stream(case, incident_id)):
                    if issubclass(case.command, InstallationCommand):
                        return self._installation(case, command, viewer, notices, request)
                    return self._attempt(case, command, viewer, incident_id, request, notices, drafts)
            except LostRaceError:
                earlier = self._remembered(viewer, idempotency_key)
            except HoldfastError as error:
                # Refused, perhaps only because another sender of the same command was faster.
                earlier = self._remembered(viewer, idempotency_key)
                if earlier is None:
                    # Deciders do not know the incident's id; what a person is told to type must hold it.
                    error.next_step = _INC.sub(incident_id or "INC", error.next_step)
                    raise
        raise _too_busy()

    def _remembered(self, viewer: Viewer, key: str | None) -> Remembered | None:
        return None if key is None else self.tools.record.remembered(viewer.account, key)

    def _turn(self, stream_id: str) -> threading.Lock:
        """Writers of one process to one stream take turns; only other processes can then win a race."""
        return self.turns[zlib.crc32(stream_id.encode()) % len(self.turns)]

    def _attempt(  # noqa: PLR0913, PLR0917 - the attempt is everything the loop knows
        self,
        case: UseCase,
        command: Command,
        viewer: Viewer,
        incident_id: str | None,
        request: tuple[str | None, str],
        notices: tuple[Notice, ...],
        drafts: Drafts,
    ) -> Outcome:
        number = None
        if issubclass(case.command, IncidentCommand):
            state = self._addressed(case, incident_id or "", viewer)
            permit(viewer, case.act, state)
            _check_facet(case, command, state)
            if case.name.startswith(SETTLED_BY_CLOSING):
                lifecycle.require_open(state.incidents)
        else:
            incident_id, number = self._new_incident_id(command)
            state = IncidentState(incident_id)
        work = Work(self.tools, viewer, state, self.tools.clock(), drafts)
        answer = dict(case.handler(command, work) or {})
        once = answer.pop("once", {})
        outcome = _outcome(work, answer, once, notices)
        self._commit(work, state, outcome, number, viewer.account, request)
        return outcome

    def internal(self, incident_id: str, viewer: Viewer, decide: Callable[[Work], None]) -> Outcome:
        """Record what the application itself decides (clocks, uses of a pass): no person's act is checked."""
        drafts = Drafts()
        for _ in range(ATTEMPTS):
            try:
                with self._turn(incident_id):
                    state = self.states.incident(incident_id)
                    work = Work(self.tools, viewer, state, self.tools.clock(), drafts)
                    decide(work)
                    outcome = _outcome(work, {}, {}, ())
                    self._commit(work, state, outcome, None, viewer.account, (None, ""))
            except LostRaceError:
                continue
            return outcome
        raise _too_busy()

    def _commit(
        self,
        work: Work,
        before: IncidentState,
        outcome: Outcome,
        number: tuple[str, int] | None,
        account: str,
        request: tuple[str | None, str],
    ) -> None:
        if not outcome.events:
            return
        self.tools.record.append(
            Append(
                stream_id=work.state.id,
                expected=before.seq + 1,
                events=outcome.events,
                words=tuple(_used(work.drafts, outcome.events)),
                row=row_of(work.state),
                number=number,
                account=account,
                idempotency_key=request[0],
                request=request[1],
                response=outcome.stored(),
            )
        )
        self.after_commit(work.state.id, outcome.events)
        self.bus.publish(work.state.id, work.state.seq)

    def _installation(
        self,
        case: UseCase,
        command: Command,
        viewer: Viewer,
        notices: tuple[Notice, ...],
        request: tuple[str | None, str],
    ) -> Outcome:
        earlier = self._remembered(viewer, request[0])
        if earlier is not None:
            # Looked up inside the turn, because rotating the key is done while deciding, and not twice for one command.
            return _replay(earlier, request[1])
        work = InstallationWork(self.installation_tools, viewer, self.states.installation(), self.tools.clock())
        answer = dict(case.handler(command, work) or {})
        once = answer.pop("once", {})
        outcome = _outcome(work, answer, once, notices)
        if outcome.events:
            self.tools.record.append(
                Append(
                    stream_id=STREAM,
                    expected=outcome.events[0].seq,
                    events=outcome.events,
                    account=viewer.account,
                    idempotency_key=request[0],
                    request=request[1],
                    response=outcome.stored(),
                )
            )
            work.perform()
        return outcome

    def _new_incident_id(self, command: Command) -> tuple[str, tuple[str, int] | None]:
        prefix = "EX" if getattr(command, "kind", "real") == "exercise" else "INC"
        year = self.tools.clock().year
        if getattr(command, "sensitivity", "open") == "restricted":
            # A number would leave a gap that tells others of a hidden incident.
            letters = (_RESTRICTED_ALPHABET[byte % len(_RESTRICTED_ALPHABET)] for byte in self.tools.randomness(8))
            return f"{prefix}-R-{''.join(letters)}", None
        series = f"{prefix}-{year}"
        number = self.tools.record.last_number(series) + 1
        return f"{series}-{number:04d}", (series, number)

    def _request_digest(self, name: str, incident_id: str | None, command: Command) -> str:
        # Keyed, because a plain digest of erased words would still confirm a guess of them.
        body = canonical({"fields": command.model_dump(mode="json"), "incident": incident_id, "name": name})
        return hmac.new(self.secret_key, body, hashlib.sha256).hexdigest()


def _outcome(
    work: Work | InstallationWork, answer: Mapping[str, Any], once: Mapping[str, Any], notices: tuple[Notice, ...]
) -> Outcome:
    events = tuple(work.events)
    stream = work.state.id if isinstance(work, Work) else STREAM
    references = tuple(_reference(event) for event in events)
    return Outcome(stream, work.state.seq, events, answer, once, notices, event_refs=references)


def _too_busy() -> UnavailableError:
    return UnavailableError(
        "too-busy",
        "The command was not done.",
        why=f"Other writers came first {ATTEMPTS} times in a row.",
        next_step="Send the same command again.",
    )


def validated(case: UseCase, fields: Mapping[str, Any]) -> Command:
    """The command from raw fields.

    Raises:
        BadInputError: naming every field that does not fit; input values are never echoed.
    """
    try:
        return case.command.model_validate(fields)
    except ValidationError as error:
        faults = [
            {
                # A name that was sent may hold what cannot be written as UTF-8.
                "field": ".".join(str(place)[:80] for place in fault["loc"]).encode("utf-8", "replace").decode(),
                "fault": fault["msg"],
            }
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        listed = "; ".join(f"{fault['field'] or 'command'}: {fault['fault']}" for fault in faults[:5])
        raise BadInputError(
            "input-invalid",
            f"The command {case.path!r} was not done.",
            why=listed + ".",
            next_step=f"Correct it and send it again; see: holdfast {case.path} --help",
            details={"faults": faults},
        ) from None


def _check_facet(case: UseCase, command: Command, state: IncidentState) -> None:
    if case.facet is None or not isinstance(command, IncidentCommand) or command.saw is None:
        return
    facet = case.facet.format(**command.model_dump())
    version = state.facets.get(facet, -1)
    if version > command.saw:
        raise ConflictError(
            "facet-changed",
            f"The {facet} has changed since you looked; nothing was done.",
            why=f"You saw version {command.saw}, and event #{version} changed it.",
            next_step="Look at the newest state, then decide again; your text is kept.",
            details={"facet": facet, "saw": command.saw, "version": version},
        )


def _used(drafts: Drafts, events: tuple[Event, ...]) -> list[SealedWords]:
    if not drafts.words:
        return []
    cited = {sealed.text_id for event in events for sealed in sealed_within(event.data)}
    return [words for words in drafts.words.values() if words.reference.text_id in cited]


def _reference(event: Event) -> dict[str, Any]:
    return {"event_id": event.event_id, "seq": event.seq, "type": event.type}


def _on_incident(case: UseCase) -> bool:
    return issubclass(case.command, IncidentCommand)


def _stream(case: UseCase, incident_id: str | None) -> str:
    """Whose turn a command takes: its incident's, the installation's, or that of declarations."""
    return incident_id or (STREAM if issubclass(case.command, InstallationCommand) else case.name)


def _replay(earlier: Remembered, request: str) -> Outcome:
    if not hmac.compare_digest(earlier.request, request):
        raise BadInputError(
            "idempotency-key-reused",
            "The command was not done.",
            why="Its idempotency key was used before for a different command.",
            next_step="Send it again with a fresh key.",
        )
    response = earlier.response
    return Outcome(
        response["incident"],
        response["version"],
        result=response["result"],
        notices=tuple(Notice(**notice) for notice in response["notices"]),
        replayed=True,
        event_refs=tuple(response["events"]),
    )
