from __future__ import annotations

import secrets
import string

import pytest

from holdfast.exposure.guessing import bits, guessable

PEOPLE = [
    "Summer2026!Summer2026!", "correct horse battery staple", "P@ssw0rd-Prod-2026-Q4!!", "hunter2hunter2hunter2",
    "abcdefghijklmnopqrstuvwxyz0123456789", "a" * 200, "mysql-root-password-production-1", "4111 1111 1111 1111",
    "CorrectHorseBatteryStaple99", "qwertyuiopasdfghjkl1234567890", "short1!aB", "2026-11-29T12:00:00Z", "",
    "00000000-0000-0000-0000-000000000000", "password password password password", "abababababababababababab",
]  # fmt: skip
MACHINES = [
    (string.hexdigits[:16], 32), (string.hexdigits[:16], 64), (string.ascii_letters + string.digits, 24),
    (string.ascii_letters + string.digits + "+/", 40), (string.ascii_letters + string.digits + "-_", 43),
    (string.ascii_lowercase + string.digits, 36),
]  # fmt: skip


class TestGuessing:
    @pytest.mark.parametrize("value", PEOPLE)
    def test_what_a_person_makes_up_can_be_guessed(self, value: str) -> None:
        assert guessable(value.encode())

    @pytest.mark.parametrize(("alphabet", "length"), MACHINES, ids=lambda one: str(one)[:12])
    def test_what_a_machine_makes_cannot(self, alphabet: str, length: int) -> None:
        values = ["".join(secrets.choice(alphabet) for _ in range(length)) for _ in range(200)]
        assert sum(guessable(one.encode()) for one in values) <= 2  # the estimate errs on the low side

    def test_the_estimate_never_exceeds_what_the_alphabet_allows(self) -> None:
        value = secrets.token_hex(16)
        assert 0 < bits(value.encode()) <= 32 * 4
        assert bits(b"") == bits(b"a" * 3) == 0 or bits(b"aaa") < 10
