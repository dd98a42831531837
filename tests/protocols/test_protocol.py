"""What all protocols have in common: names, frames, bodies, paths, interleaving."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import FrameTooLargeError, UnknownWordError, WireError
from harness.model import Event
from harness.protocols import NAMES, protocol
from harness.protocols.events import data_text, event_of, events_of
from harness.protocols.message import DeltaPlan, interleave
from harness.protocols.paths import get, put
from harness.wire import sse

EVENTS = [Event("a", {"x": "ü"}), Event(None, "[DONE]"), Event("c", {})]
BODY = b"".join(sse.write(event.name, data_text(event)) for event in EVENTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_is_found_by_its_name(name: str) -> None:
    found = protocol(name)
    assert found.name == name
    assert found.request
    assert found.finish
    assert found.grammar.labels


def test_an_unknown_protocol_proposes_the_nearest() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'openai_chat'"):
        protocol("openai_chats")


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_is_read_back(name: str) -> None:
    found = protocol(name)
    body = b"".join(map(found.frame, EVENTS))
    assert list(events_of([body])) == EVENTS
    assert found.framing.line_end.encode() * 2 in body


def test_a_lone_surrogate_is_framed_as_an_escape() -> None:
    event = Event(None, {"text": "\ud83d", "word": "ü"})
    body = protocol("gemini_generate").frame(event)
    assert body == b'data: {"text":"\\ud83d","word":"\\u00fc"}\r\n\r\n'
    assert list(events_of([body])) == [event]


@pytest.mark.parametrize("size", [1, 2, 7, len(BODY)])
def test_a_body_may_come_in_any_pieces(size: int) -> None:
    pieces = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    assert list(events_of(pieces)) == EVENTS


def test_a_last_event_without_a_blank_line_is_read() -> None:
    assert list(events_of([BODY, b"data: {}"])) == [*EVENTS, Event(None, {})]


@pytest.mark.parametrize("body", [b'[{"a":1},\n{"b":2}]', b' \n[{"a":1},{"b":2}]'])
def test_an_array_is_its_elements(body: bytes) -> None:
    expected = [Event(None, {"a": 1}), Event(None, {"b": 2})]
    assert list(events_of([body])) == expected
    assert list(events_of([body[at : at + 1] for at in range(len(body))])) == expected


def test_an_array_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(WireError):
        list(events_of([b'[{"a":1},{"b"']))


def test_an_empty_body_has_no_event() -> None:
    assert list(events_of([])) == []
    assert list(events_of([b"", b"\n \n"])) == []


def test_an_event_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse.Reader.__init__, "__defaults__", (16,))
    with pytest.raises(FrameTooLargeError):
        list(events_of([b"data: " + b"x" * 64 + b"\n\n"]))


@pytest.mark.parametrize("data", ["[1]", "null", "{", "[DONE]", "", "[" * 100_000, "9" * 5000])
def test_data_that_is_not_an_object_stays_text(data: str) -> None:
    assert event_of("x", data) == Event("x", data)


def test_paths_walk_mappings_and_objects_alike() -> None:
    value = {"a": SimpleNamespace(b={"c": 0}), "n": None}
    assert get(value, "a.b.c") == 0
    assert get(value, "a.b.x") is None
    assert get(value, "n.x") is None
    assert get(value, "a.x.y") is None


def test_a_path_creates_the_objects_on_its_way() -> None:
    target: dict[str, object] = {"a": {"b": 1}}
    put(target, "a.c.d", 2)
    put(target, "e", 3)
    assert target == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}


def test_lanes_are_interleaved_as_the_plan_picks_and_keep_their_order() -> None:
    one, two, three = ([Event(None, {lane: n}) for n in range(2)] for lane in ("one", "two", "six"))
    assert list(interleave([one, two], DeltaPlan())) == [*one, *two]
    last = DeltaPlan(pick=lambda count: count - 1)
    assert list(interleave([one, two, three], last)) == [*three, *two, *one]


@pytest.mark.parametrize("text", ["", " ", "Hello", "Hello  there ", "a b c"])
def test_the_pieces_of_a_text_join_to_it(text: str) -> None:
    pieces = DeltaPlan().split(text)
    assert "".join(pieces) == text
    assert all(pieces)
