from __future__ import annotations

from datetime import UTC, datetime

import pytest

from holdfast.exposure.baseline import Entry, baseline_of, inline_reason, key_mark, read_allow_list, read_baseline
from holdfast.kernel.errors import BadInputError

KEY, OTHER = b"the key of a team", b"the key of another"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MARK, AGAIN = "0123456789abcdef", "fedcba9876543210"


def allow(rows: str, key: bytes = KEY) -> str:
    return f'schema = 1\nkey = "{key_mark(key)}"\n{rows}'


class TestBaseline:
    def test_what_was_written_is_known_when_it_is_read(self) -> None:
        text = baseline_of([Entry(MARK, "jwt", 'a/ü\\"\n.py'), Entry(AGAIN, "jwt", "b")], KEY).text()
        read = read_baseline(text, KEY, NOW).baseline
        assert read is not None
        assert read.known("jwt", MARK, 'a/ü\\"\n.py')
        assert not read.known("jwt", MARK, "b")
        assert not read.known("npm-token", AGAIN, "b")

    def test_it_is_the_same_file_whatever_the_order_and_holds_each_thing_once(self) -> None:
        entries = [Entry(MARK, "jwt", "b"), Entry(AGAIN, "jwt", "a"), Entry(MARK, "jwt", "b")]
        text = baseline_of(entries, KEY).text()
        assert text == baseline_of(reversed(entries), KEY).text()
        assert text.count("[[known]]") == 2

    def test_under_another_key_it_is_refused_and_not_passed_over(self) -> None:
        with pytest.raises(BadInputError, match="another key") as refused:
            read_baseline(baseline_of([], OTHER).text(), KEY, NOW)
        assert refused.value.code == "fingerprints-of-another-key"

    def test_an_entry_that_ran_out_is_not_known_and_is_told(self) -> None:
        text = baseline_of([Entry(MARK, "jwt", "a", "later", datetime(2026, 11, 29, 11, tzinfo=UTC))], KEY).text()
        read = read_baseline(text, KEY, NOW)
        assert read.baseline is not None
        assert not read.baseline.known("jwt", MARK, "a")
        assert read.expired == (f"jwt fp:{MARK} a (later)",)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "schema = 2\nkey = 'x'",
            "[",
            f'schema = 1\nkey = "{key_mark(KEY)}"\n[[known]]\nrule = "jwt"',
            f'schema = 1\nkey = "{key_mark(KEY)}"\n[[known]]\nrule = "jwt"\nfingerprint = "{MARK}"\nsecret = "x"',
            f'schema = 1\nkey = "{key_mark(KEY)}"\n[[known]]\nrule = "jwt"\nfingerprint = "0123"',
        ],
    )
    def test_what_cannot_be_used_is_refused(self, text: str) -> None:
        with pytest.raises(BadInputError) as refused:
            read_baseline(text, KEY, NOW)
        assert refused.value.code == "baseline-invalid"


class TestAllowList:
    def test_a_fingerprint_is_allowed_wherever_it_is_and_under_its_rule_and_path_if_they_are_named(self) -> None:
        rows = (
            f'[[allow]]\nfingerprint = "{MARK}"\nreason = "a sample"\n'
            f'[[allow]]\nfingerprint = "{AGAIN}"\nrule = "jwt"\npath = "docs/*"\nreason = "shown"\n'
        )
        allowed = read_allow_list(allow(rows), KEY, NOW).allowed
        assert allowed.reason("jwt", MARK, "anything") == "a sample"
        assert allowed.reason("jwt", AGAIN, "docs/deep/a.md") == "shown"
        assert allowed.reason("jwt", AGAIN, "src/a.py") is None
        assert allowed.reason("npm-token", AGAIN, "docs/a.md") is None

    def test_a_rule_is_allowed_by_path_under_any_key(self) -> None:
        rows = 'schema = 1\n[[allow]]\nrule = "jwt"\npath = "tests/*"\nreason = "made up"\nexpires = 2026-12-01\n'
        allowed = read_allow_list(rows, KEY, NOW).allowed
        assert allowed.reason("jwt", MARK, "tests/a.py") == "made up"
        assert allowed.reason("jwt", MARK, "src/tests/a.py") is None

    def test_an_allowance_that_ran_out_allows_no_more_and_is_told(self) -> None:
        rows = 'schema = 1\n[[allow]]\nrule = "jwt"\npath = "*"\nreason = "until then"\nexpires = "2026-11-29"\n'
        read = read_allow_list(rows, KEY, NOW)
        assert read.allowed.reason("jwt", MARK, "a") is None
        assert read.expired == ("jwt * (until then)",)

    @pytest.mark.parametrize(
        "rows",
        [
            f'[[allow]]\nfingerprint = "{MARK}"\n',
            f'[[allow]]\nfingerprint = "{MARK}"\nreason = " "\n',
            '[[allow]]\nrule = "jwt"\nreason = "all of them"\n',
            '[[allow]]\npath = "*"\nreason = "everything"\n',
            '[[allow]]\nrule = "jwt"\npath = "*"\nreason = "x"\nexpires = "soon"\n',
        ],
    )
    def test_one_without_a_reason_or_without_bounds_is_refused(self, rows: str) -> None:
        with pytest.raises(BadInputError) as refused:
            read_allow_list(allow(rows), KEY, NOW)
        assert refused.value.code == "allow-list-invalid"

    def test_fingerprints_of_another_key_are_refused(self) -> None:
        with pytest.raises(BadInputError, match="another key"):
            read_allow_list(allow(f'[[allow]]\nfingerprint = "{MARK}"\nreason = "x"\n', OTHER), KEY, NOW)


class TestInline:
    def test_a_word_on_the_line_allows_with_its_reason(self) -> None:
        assert inline_reason(b"x = 1  # holdfast:allow made up for a test\r\n") == "made up for a test"

    @pytest.mark.parametrize("line", [b"# holdfast:allow", b"# holdfast:allow -->", b"# holdfast: allow x", b""])
    def test_one_without_a_reason_does_not(self, line: bytes) -> None:
        assert inline_reason(line) is None
