from __future__ import annotations

import re
import time
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.exposure import Rule, failing_cases, load, scan, shipped
from holdfast.exposure.cases import expand
from holdfast.exposure.gates import gated
from holdfast.exposure.rules import LONGEST, SPAN, Found, RuleMatcher, length_bucket

RULES = shipped()
KEY = b"a key of this test"
FAST = RuleMatcher(RULES, KEY)
PLAIN = RuleMatcher(RULES, KEY, plain=True)
FOUND = [(rule, template) for rule in RULES.scanning for template in rule.found]
PASSED = [(rule, template) for rule in RULES.scanning for template in rule.passed]
TOKEN = expand("gh{}p_{alnum:36}")
SOURCE = "\n".join(
    resources.files("holdfast.exposure").joinpath(name).read_text(encoding="utf-8")
    for name in ("rules.py", "gates.py", "formats.py", "inputs.py", "matching.py", "results.py")
).encode()


def rules_of(found: list[Found]) -> list[str]:
    return [one.rule for one in found]


class TestCases:
    @pytest.mark.parametrize(("rule", "template"), FOUND, ids=[f"{rule.key}-{n}" for n, (rule, _) in enumerate(FOUND)])
    def test_a_secret_is_found_once_by_both_engines(self, rule: Rule, template: str) -> None:
        data = expand(template).encode()
        assert rules_of(FAST.find(data)) == [rule.key]
        assert FAST.find(data) == PLAIN.find(data)

    @pytest.mark.parametrize(
        ("rule", "template"), PASSED, ids=[f"{rule.key}-{n}" for n, (rule, _) in enumerate(PASSED)]
    )
    def test_what_is_no_secret_is_not_found(self, rule: Rule, template: str) -> None:
        del rule
        assert FAST.find(expand(template).encode()) == []

    def test_the_library_satisfies_its_own_cases(self) -> None:
        assert list(failing_cases(RULES)) == []

    def test_a_rule_for_scanning_only_does_not_redact_what_people_type(self) -> None:
        rule = next(rule for rule in RULES.scanning if rule.scan_only)
        assert rule not in RULES.rules
        text = expand(rule.found[-1])
        assert rule.key not in {hit.rule for hit in scan(text, RULES, KEY).hits}
        assert rules_of(FAST.find(text.encode())) == [rule.key]

    def test_every_pattern_is_shown_by_a_case_and_has_a_keyword_of_its_rule_in_it(self) -> None:
        for rule in RULES.scanning:
            for pattern in rule.patterns:
                shown = [match for template in rule.found if (match := pattern.search(expand(template)))]
                assert shown, pattern.pattern
                assert all(any(word in match[0].lower() for word in rule.keywords) for match in shown), pattern.pattern

    @pytest.mark.parametrize(
        "provider",
        [
            "AWS",
            "Google",
            "Azure",
            "GitHub",
            "GitLab",
            "Slack",
            "Stripe",
            "Twilio",
            "SendGrid",
            "npm",
            "PyPI",
            "Docker",
            "DigitalOcean",
            "Cloudflare",
            "Fastly",
            "Heroku",
            "Databricks",
            "Datadog",
            "Relic",
            "Grafana",
            "PagerDuty",
            "Okta",
            "Auth0",
            "Atlassian",
            "Linear",
            "Notion",
            "OpenAI",
            "Anthropic",
            "Hugging",
            "Vault",
            "Terraform",
            "Snyk",
            "Sentry",
            "Shopify",
            "Square",
            "Mailgun",
            "Mailchimp",
            "Telegram",
            "Discord",
            "Dropbox",
            "Postman",
            "Doppler",
            "PlanetScale",
            "Supabase",
            "Confluent",
            "Elastic",
            "Vercel",
            "Netlify",
            "age",
            "PEM",
            "Token",
            "URL",
        ],
    )
    def test_the_providers_that_matter_have_a_rule_that_names_them(self, provider: str) -> None:
        assert any(provider in rule.name for rule in RULES.scanning)


class TestFound:
    def test_a_find_tells_rule_place_and_fingerprint_and_no_character_of_the_secret(self) -> None:
        data = b"x = '" + TOKEN.encode() + b"'\n"
        (one,) = FAST.find(data)
        assert data[one.start : one.end] == TOKEN.encode()
        for start in range(len(TOKEN) - 5):
            assert TOKEN[start : start + 6] not in repr(one) + one.redaction + str(one.as_json())
        assert one.as_json() == {
            "rule": "github-token",
            "fingerprint": one.fingerprint,
            "length": "up to 64 bytes",
        }
        assert re.fullmatch(r"\[github-token up to 64 bytes fp:[0-9a-f]{16}\]", one.redaction)

    def test_the_fingerprint_is_the_one_that_typed_text_gets(self) -> None:
        for rule, template in FOUND:
            if not rule.scan_only:
                text = expand(template)
                assert [hit.fingerprint for hit in scan(text, RULES, KEY).hits] == [
                    one.fingerprint for one in FAST.find(text.encode())
                ], template

    def test_it_depends_on_the_key(self) -> None:
        other = RuleMatcher(RULES, b"another", plain=True)
        assert other.find(TOKEN.encode())[0].fingerprint != FAST.find(TOKEN.encode())[0].fingerprint

    def test_lengths_are_told_roughly(self) -> None:
        assert [length_bucket(length) for length in (1, 16, 17, 128, 129, 5000)] == [
            "up to 16 bytes",
            "up to 16 bytes",
            "up to 32 bytes",
            "up to 128 bytes",
            "up to 1024 bytes",
            "over 1024 bytes",
        ]

    def test_a_documented_sample_is_passed_over(self) -> None:
        sample = "AKIA" + "IOSFODNN7EXAMPLE, wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"
        assert FAST.find(sample.encode()) == []
        assert FAST.find(f"gh{'p_'}{'x' * 36}".encode()) == []

    def test_a_bare_digest_is_nothing_and_one_beside_its_service_is(self) -> None:
        digest = expand("{hex:40}")
        assert FAST.find(f"commit {digest}\nsha256:{expand('{hex:64}')}".encode()) == []
        assert rules_of(FAST.find(f"datadog_app{'_key'}: {digest}".encode())) == ["monitoring-key"]


class TestAnyBytes:
    def test_bytes_that_are_no_text_hide_nothing(self) -> None:
        data = b"\xff\xfe\x00\x80" + TOKEN.encode() + b"\x00\xff\xc3"
        (one,) = FAST.find(data)
        assert (one.start, one.end) == (4, 4 + len(TOKEN))
        assert PLAIN.find(data) == [one]

    def test_a_view_is_searched_like_bytes(self) -> None:
        data = b"...." + TOKEN.encode()
        assert FAST.find(memoryview(data)[2:]) == FAST.find(data[2:]) == PLAIN.find(memoryview(data)[2:])

    def test_the_empty_buffer_holds_nothing(self) -> None:
        assert FAST.find(b"") == PLAIN.find(b"") == []

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
    def test_text_in_utf_16_is_looked_through(self, encoding: str) -> None:
        before, text = b"\x01\x02\x03", f"the token is {TOKEN}, says ana"
        data = before + text.encode(encoding) + b"\xff\xff"
        (one,) = FAST.find(data)
        assert one.rule == "github-token"
        assert one.fingerprint == FAST.find(TOKEN.encode())[0].fingerprint
        assert data[one.start : one.end].replace(b"\0", b"") == TOKEN.encode()
        assert PLAIN.find(data) == [one]

    def test_a_password_of_any_letters_is_one_whole(self) -> None:
        value = "pàss\u0160wörd1Ω9"
        (one,) = FAST.find(f"passwo{'rd'} = {value}\n".encode())
        assert one.end - one.start == len(value.encode())


pieces = st.lists(
    st.sampled_from([expand(template).encode() for _rule, template in FOUND + PASSED])
    | st.binary(max_size=20)
    | st.sampled_from([word.encode() for rule in RULES.scanning for word in rule.keywords]),
    max_size=12,
)
joints = st.sampled_from([b"\n", b" ", b"", b"=", b"\0", b": "])


class TestEngines:
    @given(pieces, joints)
    @settings(max_examples=150, deadline=None)
    def test_both_find_the_same_in_anything(self, parts: list[bytes], joint: bytes) -> None:
        data = joint.join(parts)
        assert FAST.find(data) == PLAIN.find(data)

    @given(pieces, joints, st.integers(0, 4000), st.integers(0, 1000))
    @settings(max_examples=150, deadline=None)
    def test_a_piece_with_its_window_holds_whatever_the_whole_has_there(
        self, parts: list[bytes], joint: bytes, at: int, size: int
    ) -> None:
        data = joint.join(parts)
        start, end = min(at, len(data)), min(at + size, len(data))
        within = [(one.start + start, one.end + start) for one in FAST.find(data[start:end])]
        for one in FAST.find(data):
            decided = (max(0, one.start - FAST.window), min(one.start + SPAN, len(data)))
            if start <= decided[0] and decided[1] <= end:
                assert any(first < one.end and one.start < last for first, last in within), one

    def test_ordinary_source_is_found_in_alike(self) -> None:
        assert FAST.find(SOURCE) == PLAIN.find(SOURCE)


class TestLongSecrets:
    def test_a_private_key_is_found_by_its_first_lines_and_told_whole(self) -> None:
        key = expand("-----BEGIN {}PRIVATE KEY-----\n" + "{b64:64}\n" * 20 + "-----END PRIVATE KEY-----\n")
        (whole,) = FAST.find(key.encode())
        assert whole.end - whole.start == len(key) - 1
        (first,) = FAST.find(key[:SPAN].encode())
        assert first.start == whole.start

    def test_an_encrypted_private_key_whose_body_is_far_from_its_first_line_is_found(self) -> None:
        head = "-----BEGIN RSA {}PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nComment: " + "very long " * 40
        key = expand(head + "\n\n{b64:64}\n-----END RSA PRIVATE KEY-----\n").encode()
        assert rules_of(FAST.find(key)) == ["pem-private-key"]
        assert rules_of(FAST.find(key[:300])) == ["pem-private-key"]

    def test_a_long_token_is_told_whole_and_found_by_its_first_bytes(self) -> None:
        token = expand("ey{}J{url:60}.ey{}J{url:900}.{url:342}")
        (one,) = FAST.find(f"a {token} b".encode())
        assert one.end - one.start == len(token)
        assert one.fingerprint == scan(token, RULES, KEY).hits[0].fingerprint
        assert rules_of(FAST.find(token[:400].encode())) == ["jwt"]

    def test_a_token_that_ends_too_early_is_none(self) -> None:
        assert FAST.find(expand("ey{}J{url:60}.ey{}J{url:60} and then {alnum:400}").encode()) == []

    def test_no_secret_is_followed_without_end(self) -> None:
        token = expand("hv{}s.{alnum:24}") + expand("{alnum:30000}")
        (one,) = FAST.find(token.encode())
        assert one.end - one.start == LONGEST


class TestPatterns:
    def test_a_gate_lets_through_whatever_its_pattern_matches(self) -> None:
        for rule, template in FOUND:
            data = expand(template).encode()
            for pattern in rule.patterns:
                one = gated(pattern.pattern)
                for match in one.pattern.finditer(data):
                    gate = re.compile(one.gate, re.DOTALL).match(data, match.start())
                    assert gate is not None
                    assert one.reach is None or gate.end() - gate.start() <= one.reach
                    ahead = len(data) if one.ahead is None else one.ahead
                    assert one.head.match(data, match.start(), match.start() + ahead)

    def test_the_end_of_a_match_that_may_be_missing_is_cut_off(self) -> None:
        one = gated("(?<![a-z])(?P<secret>ab{2,}+(?:c|d){0,3}e?)(?![0-9])")
        assert one.gate == b"(?:ab{2,2})"
        assert one.head.pattern == rb"(?<![a-z])ab"
        assert (one.reach, one.ahead, one.behind) == (3, 2, 1)

    def test_alternatives_and_case_are_kept(self) -> None:
        one = gated("(?i:to|ken)[ \t]{0,2}(?P<secret>[0-9]{3,9})")
        assert re.fullmatch(one.gate, b"KEN 123")
        assert not re.fullmatch(one.gate, b"KEN 1234")

    @pytest.mark.parametrize("pattern", ["a(", "a)", "[a", "a.b", "^a", "(?#x)a", r"\da", "{2}", "ä", "a(?i)b", "(?:a"])
    def test_what_the_dialects_do_not_share_is_refused(self, pattern: str) -> None:
        with pytest.raises(ValueError, match=r"understood|read|end|kind"):
            gated(pattern)

    def test_a_rule_that_looks_too_far_back_is_refused(self) -> None:
        far = replace(RULES.scanning[0], patterns=(re.compile("(?<!aaaaaaaaaaaaaaaaa)(?P<secret>b)"),))
        with pytest.raises(ValueError, match="further back"):
            RuleMatcher(replace(RULES, scanning=(far,)), KEY)

    def test_a_cut_pattern_without_an_end_is_refused(self) -> None:
        row = {
            "key": "a", "name": "A", "keywords": ["a"], "patterns": ["(?P<secret>a)"], "cut": ["(?P<secret>a)"],
            "true": [], "false": [],
        }  # fmt: skip
        with pytest.raises(Exception, match="cut pattern"):
            load({"version": 1, "rule": [row]})


class TestSpeed:
    def test_ordinary_source_is_read_fast(self) -> None:
        data = SOURCE * (16_000_000 // len(SOURCE))
        spent = []
        for _ in range(3):
            start = time.process_time()
            FAST.find(data)
            spent.append(time.process_time() - start)
        assert len(data) / min(spent) > 100e6  # bytes per CPU-second; measured at 500e6 and more

    def test_hostile_bytes_do_not_stall(self) -> None:
        seeds = [
            word.encode() + tail for rule in RULES.scanning for word in rule.keywords for tail in (b"", b"=", b"a1b2")
        ]
        for seed in (
            *seeds,
            b"-----BEGIN PRIVATE KEY-----\n",
            b"A",
            b"a1.",
            b"eyJaaaaaaaaaa.",
            b"://a:",
            b"\0a",
            b"a\0",
        ):
            data = (seed * (20_000 // len(seed) + 1))[:20_000]
            start = time.process_time()
            FAST.find(data)
            assert time.process_time() - start < 0.4, seed
