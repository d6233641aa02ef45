from __future__ import annotations

import base64
import copy
import gc
import json
import os
import pickle
import time
import traceback
from urllib.parse import quote

import pytest

from holdfast.exposure import query as module
from holdfast.exposure.query import CONTEXT, KNOWN_NOT_SEARCHED, LONGEST_ANCHOR, compile_query
from holdfast.exposure.results import Match
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.secrets import SecretValue
from tests.unit.exposure.spelled import ALNUM, ENCODERS, ESCAPES, SECRETS, key_file, made_up, query_for, search

AWS = SECRETS["aws"]
KEY = key_file("query").rstrip()


class TestWhatMayBeSearchedFor:
    @pytest.mark.parametrize(
        ("secret", "code"),
        [
            (b"", "secret-too-short"),
            (b"1234567", "secret-too-short"),
            (b"*" * 30, "secret-too-plain"),
            (b"ab" * (33 << 10), "secret-too-long"),
        ],
    )
    def test_a_secret_that_says_nothing_is_refused_in_four_sentences_without_it(self, secret: bytes, code: str) -> None:
        with pytest.raises(BadInputError) as refused:
            compile_query([SecretValue(AWS), SecretValue(secret)])
        error = refused.value
        assert error.code == code
        for sentence in (error.what, error.why, error.next_step):
            assert sentence.endswith(".")
            assert AWS.decode() not in sentence
        if secret:
            assert secret[:20].decode() not in "".join(traceback.format_exception(error))

    def test_eight_bytes_and_sixty_four_kibibytes_are_the_limits(self) -> None:
        for size in (8, 64 << 10):
            secret = made_up(ALNUM, size, "limits").encode()
            assert [match.cls for match in search(b"x" * 9 + secret + b"y" * 9, secret)] == ["exact"]

    def test_nothing_is_stripped(self) -> None:
        assert compile_query([SecretValue(AWS + b"\n")]).secrets[0].reveal() == AWS + b"\n"
        (match,) = search(b"k=" + AWS, AWS + b"\n")
        assert match.cls == "encoded"  # its last white space is written otherwise

    def test_no_secret_has_no_anchor_and_finds_nothing(self) -> None:
        query = compile_query([])
        assert (query.anchors, query.width, query.forms()) == ((), 0, ())
        assert query.confirm(b"anything", []) == []
        assert query.redact("anything") == "anything"


class TestSecrecy:
    def test_a_query_does_not_show_itself(self) -> None:
        query = query_for(AWS)
        for shown in (repr(query), str(query), f"{query}", repr([query])):
            assert not any(anchor.decode("latin-1") in shown for anchor in query.anchors)
        assert repr(query) == f"Query(1 secrets, {len(query.anchors)} anchors)"

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_query_is_neither_pickled_nor_copied(self, protocol: int) -> None:
        with pytest.raises(TypeError):
            pickle.dumps(query_for(AWS), protocol)
        with pytest.raises(TypeError):
            copy.copy(query_for(AWS))

    def test_no_part_of_it_shows_an_anchor_either(self) -> None:
        query = query_for(AWS)
        for part in (query._confirmer, *query._origins[0]):
            assert not any(anchor.decode("latin-1") in repr(part) for anchor in query.anchors)

    @pytest.mark.parametrize("name", ENCODERS)
    def test_a_match_holds_numbers_and_a_name_of_the_known_ones(self, name: str) -> None:
        query = query_for(AWS)
        known = {word for form in (*query.forms(), "wrapped", "raw") for word in form.split(" > ")}
        for match in search(b"a " + ENCODERS[name][0](AWS), AWS):
            assert isinstance(match, Match)
            assert {type(match.secret), type(match.start), type(match.end)} == {int}
            assert set(match.form.replace(", ", " > ").split(" > ")) <= known

    def test_a_process_that_is_forked_has_it(self) -> None:
        query = query_for(AWS)
        data = b"k=" + base64.b64encode(AWS)
        expected = query.confirm(data, query._find(data, 0, len(data)))
        gc.collect()
        child = os.fork()
        if child == 0:
            same = query.confirm(data, query._find(data, 0, len(data))) == expected
            os._exit(0 if same and expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestWhatIsSearched:
    def test_every_anchor_tells_whose_and_which_form_it_is(self) -> None:
        query = query_for(AWS, SECRETS["quotes"])
        for number in range(len(query.anchors)):
            assert query.origins(number)
            for secret, form in query.origins(number):
                assert secret in (0, 1)
                assert form in query.forms()

    def test_forms_are_sorted_and_hold_every_kind(self) -> None:
        forms = query_for(AWS).forms()
        assert list(forms) == sorted(forms)
        assert {"raw", "base64", "base64 > base64", "base64 > utf-16", "hex", "split", "url", "json"} <= set(forms)
        assert {"pem body", "der"} <= set(query_for(KEY).forms())

    @pytest.mark.parametrize("spelled", [AWS.swapcase(), base64.b85encode(AWS), base64.a85encode(AWS)])
    def test_what_is_not_searched_is_told_and_really_is_not_found(self, spelled: bytes) -> None:
        assert [match for match in search(spelled, AWS) if match.cls != "partial"] == []
        assert any("case of letters" in words for words in KNOWN_NOT_SEARCHED)
        assert any("base85" in words for words in KNOWN_NOT_SEARCHED)

    def test_the_limits_are_those_that_others_rely_on(self) -> None:
        assert (LONGEST_ANCHOR, CONTEXT) == (24, 16384)
        assert query_for(AWS).width <= LONGEST_ANCHOR

    def test_places_of_anchors_in_small_buffers_are_those_of_a_matcher(self) -> None:
        from holdfast.exposure.matching import matcher

        query = query_for(AWS, KEY)
        data = b" ".join([AWS, base64.b64encode(KEY), AWS.hex().encode(), AWS * 2])
        assert query._find(data, 0, len(data)) == matcher(query.anchors).find(data)
        part = [(number, end) for number, end in query._find(data, 0, len(data)) if end - 24 >= 30 and end <= 900]
        assert set(part) <= set(query._find(data, 30, 900)) <= set(query._find(data, 0, len(data)))


class TestRedaction:
    @pytest.mark.parametrize("name", [*ENCODERS, *ESCAPES])
    @pytest.mark.parametrize("which", SECRETS)
    def test_no_spelling_is_left(self, name: str, which: str) -> None:
        spelled = (ENCODERS[name][0] if name in ENCODERS else ESCAPES[name])(SECRETS[which])
        text = (b"before " + spelled + b"\nafter").decode("utf-8", "surrogateescape")
        clean = query_for(SECRETS[which]).redact(text)
        assert "[redacted secret 0]" in clean
        assert clean.startswith("before ") or name.startswith(("utf-", "hex"))
        assert not any(anchor.decode("latin-1") in clean for anchor in query_for(SECRETS[which]).anchors)
        for match in search(spelled, SECRETS[which]):
            told = spelled[match.start : match.end].decode("utf-8", "surrogateescape")
            pieces = {told[at : at + 6] for at in range(len(told) - 5)}
            assert not any(piece.isalnum() and piece in clean for piece in pieces)

    def test_what_stands_around_stays_word_for_word(self) -> None:
        query = query_for(AWS)
        assert query.redact(f"key={AWS.decode()}, then") == "key=[redacted secret 0], then"
        text = f"x {quote(AWS, safe='')}&y=1 ä\udcff"
        assert query.redact(text) == "x [redacted secret 0]&y=1 ä\udcff"
        ordinary = "src/holdfast/exposure/query.py: an ordinary path \ud800"
        assert query.redact(ordinary) == ordinary

    def test_each_secret_has_its_number(self) -> None:
        query = query_for(AWS, SECRETS["alnum"])
        text = f"{SECRETS['alnum'].decode()} {AWS.decode()} {SECRETS['alnum'].decode()}"
        assert query.redact(text) == "[redacted secret 1] [redacted secret 0] [redacted secret 1]"

    @pytest.mark.parametrize("other", ["_", "-", "%2F", "\\", ":", ""])
    def test_a_name_in_which_slashes_are_written_otherwise_goes_whole(self, other: str) -> None:
        secret = ("q/" + made_up(ALNUM, 17, "path") + "/" + made_up(ALNUM, 18, "more")).encode()
        name = secret.decode().replace("/", other)
        clean = query_for(secret).redact(f"a file plant/{name}.txt was here")
        assert clean.startswith("a file ")
        assert clean.endswith(" was here")
        assert not any(piece in clean for piece in secret.decode().split("/") if len(piece) > 2)

    def test_a_piece_goes_with_everything_up_to_white_space(self) -> None:
        query = query_for(AWS)
        half = AWS[:18].decode()
        assert query.redact(f"see (x:{half}...) there") == "see [redacted secret 0] there"
        assert query.redact(f"{half}") == "[redacted secret 0]"

    def test_a_part_of_a_dump_goes_line_by_line(self) -> None:
        text = "00: " + AWS[:-1].hex(" ") + "  |text|\nnext"
        clean = query_for(AWS).redact(text)
        assert AWS[8:12].hex(" ") not in clean
        assert clean.endswith("\nnext")

    def test_redacting_again_changes_nothing(self) -> None:
        query = query_for(AWS, KEY)
        text = json.dumps({"a": AWS.decode(), "b": KEY.decode(), "c": base64.b64encode(AWS).decode()})
        clean = query.redact(text)
        assert query.redact(clean) == clean
        assert clean.count("[redacted secret") == 3

    def test_a_text_that_cannot_be_cleaned_is_not_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_ROUNDS", 0)
        assert query_for(AWS).redact(f"x {AWS.decode()}") == "[redacted]"

    def test_an_ordinary_name_takes_little_time(self) -> None:
        query = query_for(AWS)
        start = time.process_time()
        for _ in range(1000):
            query.redact("some/path/of/ordinary/length/module.py")
        assert time.process_time() - start < 0.2  # 0.01 on an idle machine
