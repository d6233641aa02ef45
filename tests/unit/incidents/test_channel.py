from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.incidents import channel
from holdfast.kernel.errors import BadInputError, RefusedError
from tests.unit.incidents.boarding import PROOF, T0, Recorder, minutes, words


def entry(at_minute: float = -16) -> channel.Entry:
    return channel.Entry(words("text"), T0 + minutes(at_minute), "evidenced", words("source"), (PROOF,))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ana look at this", ("ana",)),
        ("ask @ana, @li.wei and @ana.", ("ana", "li.wei")),
        ("(@ana) /cc @li-wei-", ("ana", "li-wei")),
        ("mail ana@example.org or a@b", ()),
        ("@Ana is not an account name", ()),
        ("@a is too short, @@ana is no mention", ()),
        ("https://host/@ana/x", ()),
        ("", ()),
    ],
)
def test_mentions_are_account_names_and_never_parts_of_addresses(text: str, names: tuple[str, ...]) -> None:
    assert channel.mentioned(text) == names


@given(st.text(max_size=300))
def test_mentions_are_always_few_well_formed_and_in_the_text(text: str) -> None:
    names = channel.mentioned(text)
    assert len(names) == len(set(names)) <= channel.MAX_MENTIONS
    assert all(f"@{name}" in text for name in names)


def test_a_crowd_of_mentions_is_cut_at_twenty() -> None:
    assert len(channel.mentioned(" ".join(f"@user{number}" for number in range(50)))) == 20


def test_messages_are_counted_and_not_held() -> None:
    recorder = Recorder()
    for number in range(3):
        recorder.record(channel.post(words(str(number)), ["li", "ana", "li"], None), at=T0 + minutes(number))
    assert recorder.events[-1].data["mentions"] == ["ana", "li"]
    assert (recorder.state.messages, recorder.state.last_message_at) == (3, T0 + minutes(2))
    assert not recorder.state.pins


def test_an_entry_keeps_its_own_time_basis_and_source() -> None:
    recorder = Recorder()
    event = recorder.record(channel.add(entry(), T0))
    assert (event.occurred_at, event.recorded_at, event.basis) == (T0 - minutes(16), T0, "evidenced")
    assert event.data["citations"] == [PROOF.as_json()]
    assert recorder.state.entries == 1


def test_an_entry_in_the_future_is_refused_but_a_clock_a_little_ahead_is_not() -> None:
    assert channel.add(entry(1), T0)
    late = channel.Entry(words(), T0 + channel.CLOCK_SKEW + timedelta(milliseconds=1), "observed", None)
    with pytest.raises(BadInputError) as refused:
        channel.add(late, T0)
    assert refused.value.code == "entry-in-the-future"
    with pytest.raises(BadInputError):
        channel.supersede(Recorder().state, 0, late, words(), T0)


def test_a_correction_points_at_the_old_entry_and_a_second_one_at_the_correction() -> None:
    recorder = Recorder()
    first = recorder.record(channel.add(entry(), T0))
    second = recorder.record(channel.supersede(recorder.state, first.seq, entry(-15), words("why"), T0))
    assert recorder.events[first.seq] is first, "the old entry is not edited"
    assert recorder.state.superseded == {first.seq: second.seq}
    with pytest.raises(RefusedError, match=f"Its correction is #{second.seq}"):
        channel.supersede(recorder.state, first.seq, entry(), words("why"), T0)
    third = recorder.record(channel.supersede(recorder.state, second.seq, entry(-14), words("why"), T0))
    assert recorder.state.superseded[second.seq] == third.seq


def test_a_pin_is_set_once_and_taken_off_the_way_it_was_set() -> None:
    recorder = Recorder()
    message = recorder.record(channel.post(words(), [], None))
    recorder.record(channel.pin(recorder.state, message.seq, "message"), by="li")
    assert recorder.state.pins[message.seq].by == "li"
    with pytest.raises(RefusedError, match="li pinned it"):
        channel.pin(recorder.state, message.seq, "message")
    with pytest.raises(RefusedError, match="not pinned"):
        channel.unpin(recorder.state, message.seq, "entry")
    recorder.record(channel.unpin(recorder.state, message.seq, "message"))
    assert not recorder.state.pins
    with pytest.raises(RefusedError, match="not pinned"):
        channel.unpin(recorder.state, message.seq, "message")


def test_any_event_can_be_pinned_as_an_entry() -> None:
    recorder = Recorder()
    recorder.record(channel.pin(recorder.state, 0, "entry"))
    assert recorder.state.pins[0].kind == "entry"
