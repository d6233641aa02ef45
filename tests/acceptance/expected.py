"""What the runbook asks for, written down once more and by hand, so that the shipped data cannot be short of it."""

from __future__ import annotations

from collections.abc import Mapping

COUNTS: Mapping[str, int] = {
    **{f"S{number}": 3 for number in range(1, 5)},
    **{f"R{number}": 0 for number in range(1, 6)},
    "F1": 2,
    "F2": 5,
    "F3": 4,
    "F4": 1,
    "F5": 6,
    "F6": 2,
    "I1": 4,
    "I2": 6,
    "I3": 1,
    "I4": 4,
    "I5": 3,
    "I6": 1,
    "I7": 1,
    "LS1": 4,
    "LS2": 6,
    "LS3": 1,
    "LS4": 1,
    "LS5": 2,
    "LS6": 1,
    "CT1": 4,
    "CT2": 4,
    "CT3": 2,
    "CT4": 3,
    "CT5": 2,
    "CA1": 1,
    "CA2": 2,
    "CA3": 8,
    "CA4": 4,
    "CA5": 2,
    "C1": 8,
    "C2": 4,
    **{f"X{number}": 2 for number in range(1, 9)},
    **{f"V{number}": 0 for number in range(1, 7)},
}
"""Every id, and how many parts of it have to be performed: the examples of a severity, the parts of a line, question
or step (one where it is a single thing), the fields and contents of a text, and each gate both proven and waived."""

ORDER: Mapping[str, tuple[str, ...]] = {
    "F": ("F1", "F2", "F3", "F4", "F5", "F6"),
    "I": ("I1", "I2", "I3", "I4", "I5", "I6", "I7"),
    "LS": ("LS1", "LS2", "LS3", "LS4", "LS5", "LS6"),
    "CT": ("CT1", "CT2", "CT3", "CT4", "CT5"),
    "CA": ("CA1", "CA2", "CA3", "CA4", "CA5"),
    "X": ("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"),
    "V": ("V1", "V2", "V3", "V4", "V5", "V6"),
}

CLASSIFIED: Mapping[str, tuple[str, str]] = {
    "Customer records were copied out": ("data_left=confirmed", "SEV-1"),
    "An intruder works in production": ("attacker_in_production=confirmed", "SEV-1"),
    "The cloud root account is taken over": ("cloud_admin=confirmed", "SEV-1"),
    "A production secret is in a public repository": ("production_secret=confirmed", "SEV-2"),
    "The CI token was stolen": ("ci_token=confirmed", "SEV-2"),
    "The public gateway was exploited": ("exploited_service=confirmed", "SEV-2"),
    "A critical vulnerability can be reached": ("critical_vulnerability=confirmed", "SEV-3"),
    "A sign-in that nobody recognises": ("unexplained_access=suspected", "SEV-3"),
    "The audit trail was switched off by mistake": ("failed_control=confirmed", "SEV-3"),
    "A test-system secret was posted": ("non_production_secret=confirmed", "SEV-4"),
    "A leaver still has an account": ("stale_access=confirmed", "SEV-4"),
    "The scanner reports an old cipher": ("scanner_finding=confirmed", "SEV-4"),
}
"""The runbook's twelve examples, three a level, in its order."""

FIELDS = (
    "Incident", "Severity", "Status", "Started", "Commander", "Known impact", "Current actions", "Next update",
)  # fmt: skip
"""C1, in order."""
CONTENTS = ("What happened", "What data or services were affected", "What you should do", "Next update")
"""C2, in order."""
