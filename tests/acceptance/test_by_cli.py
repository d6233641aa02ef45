"""Every id and part of the runbook, performed through the command line."""

from tests.acceptance.by_cli import CliSurface
from tests.acceptance.closing import Closing
from tests.acceptance.communicating import Communications
from tests.acceptance.completeness import Completeness
from tests.acceptance.driver import By
from tests.acceptance.first_fifteen import FirstFifteen
from tests.acceptance.inquiry import Investigation, Plays
from tests.acceptance.installation import COMMANDER, LEAD, SECOND
from tests.acceptance.severity import Roles, Severity

SURFACE = CliSurface


class TestTheCommandLine(Completeness, Closing, Communications, Plays, Investigation, FirstFifteen, Roles, Severity):
    def test_the_command_is_a_process_with_documented_exit_codes(self, by: By) -> None:
        terminal = by.surface
        assert isinstance(terminal, CliSurface)
        declared = terminal.process(COMMANDER, ["declare", "Seen from a terminal", "--play", "leaked-secret"])
        assert declared.returncode == 0, declared.stderr
        incident = declared.stdout.split()[0]
        frozen = terminal.process(
            COMMANDER,
            ["freeze", "order", incident, "terminal", "--reason", "not now", "--expires-at", "2999-01-01T00:00:00Z"],
        )
        assert frozen.returncode == 2, "a freeze reaches at most seven days ahead"
        asked = terminal.process(LEAD, ["gate", "--scope", "terminal/app"])
        assert asked.returncode == 0, asked.stderr
        shown = terminal.process(LEAD, ["timeline", "show", incident])
        assert f"{COMMANDER} declared the incident" in shown.stdout
        assert f"{COMMANDER} started the play Leaked production secret as play-1" in shown.stdout
        missing = terminal.process(LEAD, ["show", "INC-2026-9999"])
        assert (missing.returncode, missing.stdout) == (5, "")
        assert "Next:" in missing.stderr

    def test_a_person_logs_in_with_password_and_code(self, by: By) -> None:
        terminal = by.surface
        assert isinstance(terminal, CliSurface)
        terminal.log_in(SECOND)
        assert terminal.who_am_i(SECOND).startswith(f"{SECOND} on {by.installation.url}: ")
