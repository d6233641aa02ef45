from __future__ import annotations

import secrets
from collections.abc import Iterable

from holdfast.exposure import shipped
from holdfast.exposure.baseline import AllowList, Entry, baseline_of
from holdfast.exposure.cases import expand
from holdfast.exposure.checking import LEAKED, Check, Item, Report, finding_json
from holdfast.exposure.leaked import LeakedMatcher, LeakedRules
from holdfast.exposure.results import Fault
from holdfast.exposure.rules import RuleMatcher
from holdfast.kernel.secrets import SecretValue

KEY = b"a key"
TOKEN, OTHER = expand("gh{}p_{alnum:36}"), expand("np{}m_{alnum:36}")
VALUE = secrets.token_hex(20)
RULES = RuleMatcher(shipped(), KEY, plain=True)
LEAKS, ENTRY = LeakedRules(secrets.token_bytes(16), ()).with_value(SecretValue(VALUE), incident="INC-1", added="")
CHECK = Check(KEY, RULES, (LeakedMatcher(LEAKS),))


def run(*items: Item | Fault, check: Check = CHECK, gone: Iterable[str] = ()) -> Report:
    return check.run(items, lambda _: [one.encode() for one in gone])


def item(text: str, path: str = "a.py", before: str | None = None, commit: str | None = None) -> Item:
    return Item(path, text.encode(), "ab" * 20, commit, None if before is None else before.encode())


class TestFindings:
    def test_a_secret_is_refused_at_its_line_and_column(self) -> None:
        report = run(item(f"one\n  x = '{TOKEN}'\n"))
        (one,) = report.refused
        assert (one.rule, one.path, one.line, one.column) == ("github-token", "a.py", 2, 8)
        assert (one.end - one.start, one.length) == (40, "up to 64 bytes")
        assert (report.items, report.size, report.complete) == (1, 53, True)

    def test_a_leaked_value_is_told_as_that_leak_and_its_fingerprint_tells_nothing(self) -> None:
        (one,) = run(item(f"x = {VALUE}")).refused
        assert (one.rule, one.note) == (LEAKED, "leak-1 of INC-1")
        assert ENTRY.proof.hex()[:16] != one.fingerprint

    def test_nothing_told_holds_a_piece_of_the_secret(self) -> None:
        told = str([finding_json(one) for one in run(item(f"{TOKEN} {VALUE}")).findings])
        for value in (TOKEN, VALUE):
            assert not any(value[start : start + 6] in told for start in range(len(value) - 5))

    def test_pieces_that_overlap_tell_a_place_once(self) -> None:
        text = f"{'.' * 30}\n{TOKEN}\n"
        whole = item(text)
        second = Item("a.py", text[20:].encode(), whole.object, None, None, 20, 1)
        assert [one.start for one in run(whole, second).findings] == [31]
        assert run(whole, second).items == 1

    def test_what_could_not_be_read_makes_it_incomplete(self) -> None:
        report = run(item("clean"), Fault("repo", "b", "gone"))
        assert not report.complete
        assert report.faults[0].reason == "gone"


class TestNew:
    def test_what_the_version_before_held_is_not_new(self) -> None:
        assert run(item(f"a\n{TOKEN}\nmore", before=f"{TOKEN}")).findings == ()

    def test_one_more_of_the_same_is(self) -> None:
        assert len(run(item(f"{TOKEN}\n{TOKEN}", before=f"{TOKEN}")).findings) == 1

    def test_another_value_is(self) -> None:
        assert [one.rule for one in run(item(f"{TOKEN}\n{OTHER}", before=TOKEN)).findings] == ["npm-token"]

    def test_what_only_moves_to_another_file_is_not(self) -> None:
        assert run(item(TOKEN), gone=[TOKEN]).findings == ()
        assert len(run(item(TOKEN), item(TOKEN, "b.py"), gone=[TOKEN]).findings) == 1


class TestAllowed:
    def test_a_reason_on_the_line_allows_and_on_the_next_does_not(self) -> None:
        report = run(item(f"x = '{TOKEN}'  # holdfast:allow made up\ny = '{OTHER}'\n# holdfast:allow too late\n"))
        assert [(one.state, one.note) for one in report.findings] == [("allowed", "made up"), ("new", "")]

    def test_a_list_allows_by_rule_and_path(self) -> None:
        allowed = AllowList((Entry(rule="github-token", path="tests/*", note="samples"),))
        report = run(item(TOKEN, "tests/a.py"), item(TOKEN, "src/a.py"), check=Check(KEY, RULES, (), None, allowed))
        assert {one.path: one.state for one in report.findings} == {"tests/a.py": "allowed", "src/a.py": "new"}

    def test_a_baseline_of_a_report_makes_the_next_one_pass(self) -> None:
        first = run(item(TOKEN), item(OTHER, "b.py"))
        check = Check(KEY, RULES, (), baseline_of(first.entries(), KEY))
        assert {one.state for one in run(item(TOKEN), item(OTHER, "b.py"), check=check).findings} == {"known"}
        assert len(run(item(TOKEN, "c.py"), check=check).refused) == 1

    def test_nothing_allows_what_leaked(self) -> None:
        (told,) = run(item(VALUE)).findings
        allowed = AllowList((Entry(fingerprint=told.fingerprint, note="x"), Entry(rule=LEAKED, path="*", note="x")))
        known = baseline_of([Entry(told.fingerprint, LEAKED, "a.py")], KEY)
        check = Check(KEY, None, CHECK.leaked, known, allowed)
        assert len(run(item(f"{VALUE}  # holdfast:allow please"), check=check).refused) == 1
        assert list(run(item(VALUE)).entries()) == []
