"""Nobody's words steer the terminal they are shown on."""

from __future__ import annotations

import sys

import pytest

from holdfast.cli import output, reading

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egpj.exe [red]:skull:"


def controls(text: str) -> set[str]:
    return {letter for letter in text if letter in "\x07\x1b\x9b\u202e"}


def test_a_hostile_name_in_a_table_is_told_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("", "Name"), [("ev-1", HOSTILE)])
    shown = capsys.readouterr().out
    assert not controls(shown)
    assert "[U+001B][2J" in shown
    assert "[U+202E]gpj.exe [red]:skull:" in shown


def test_a_hostile_sentence_of_the_timeline_is_told_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    reading._print_entries([{"occurred_at": "2026-11-23T09:00:00.000Z", "seq": 3, "sentence": HOSTILE}])
    shown = capsys.readouterr().out
    assert not controls(shown)
    assert "#3 [U+001B][2J" in shown


def test_words_are_exact_for_a_program_and_harmless_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HOSTILE + "\rover\r\nnext"
    output.words(text)
    assert capsys.readouterr().out == text + "\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.words(text)
    shown = capsys.readouterr().out
    assert not controls(shown)
    assert shown.endswith("[U+000D]over\r\nnext\n")
