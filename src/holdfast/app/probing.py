"""Running probes: each question goes to the probe that can ask it; what none can ask stays not probed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdfast.app.ports_probing import Probe
from holdfast.investigation.probing import OWN_CREDENTIAL, ProbeQuestion, ProbeResult
from holdfast.kernel.errors import RefusedError


def probe_all(questions: Iterable[ProbeQuestion], probes: Sequence[Probe]) -> list[ProbeResult]:
    """Ask every question, in order.

    Args:
        questions: what to look at.
        probes: means to look; the first that can make a check makes it.
    """
    results = []
    for question in questions:
        able = next((probe for probe in probes if question.check in probe.permissions), None)
        if able is None:
            results.append(ProbeResult(question, "not_probed", None, f"nothing here can ask for {question.check}"))
        else:
            results.append(able.check(question))
    return results


def require_order(check: str, order: str | None) -> None:
    """Refuse to use a suspect's own credential without a recorded order.

    Raises:
        RefusedError: the check acts as the suspect, and no order is named.
    """
    if check == OWN_CREDENTIAL and not (order or "").strip():
        raise RefusedError(
            "probe-needs-order",
            "The suspect credential was not used.",
            why="Signing in with it acts as the suspect, shows in the logs, and may warn whoever else holds it.",
            next_step="Record the order in the incident, and name it with the probe; or probe through the "
            "administrator's view (key_active), which needs none.",
        )
