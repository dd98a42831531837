"""Scrubbing events by shape and in batches has the same result as one by one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.scrubbing.events import UNFRAGMENTED, Events, TextSpan
from harness.wire import sse
from tests.cassettes.scrubbing.made_up_secrets import ENCODERS, fragments, joined, secrets, seeded

PLANTED = tuple(secrets(1))
CLEAN = "nothing to see here, " * 12  # enough events to make shapes


@pytest.mark.parametrize("name", ENCODERS)
def test_a_secret_across_two_batches_is_masked(name: str) -> None:
    rng = seeded(name)
    for secret in PLANTED[list(ENCODERS).index(name) % 3 :: 3]:
        before = ENCODERS[name](fragments(CLEAN, seeded(1)))
        body = ENCODERS[name](fragments(f"{CLEAN}{secret.text} {CLEAN}", seeded(1)))
        whole = Scrubber(()).content(body)
        assert secret.value not in joined(whole), secret.kind
        for cut in (len(before), *(rng.randrange(len(body)) for _ in range(2))):
            scrubbing = Scrubber(()).body()
            kept = scrubbing.feed(body[:cut]) + scrubbing.feed(body[cut:]) + scrubbing.close()
            assert kept == whole, secret.kind


TEXTS = st.text(st.sampled_from('ab \\"\n{}[]:,1é\x00'), max_size=5)
VALUES = st.one_of(TEXTS, st.integers(-99, 99), st.none(), st.booleans(), st.floats(0, 1))
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["a", "b"]),
        "index": st.one_of(st.integers(0, 2), TEXTS),
        "id": TEXTS,
        "n": VALUES,
        "many": st.lists(st.fixed_dictionaries({"index": VALUES, "text": TEXTS}), max_size=2),
        "delta": st.one_of(TEXTS, st.fixed_dictionaries({"type": TEXTS, "text": TEXTS})),
    }
)


def relevant(spans: list[TextSpan], raw: bytes) -> list[TextSpan]:
    """Return the texts that must be searched besides the bytes of an event."""
    return [
        (name, start, end)
        for name, start, end in spans
        if start < end and (not name or name[-1] not in UNFRAGMENTED or b"\\" in raw)
    ]


@settings(deadline=None, max_examples=40)
@given(st.lists(EVENTS, min_size=1, max_size=4), st.sampled_from(["", " "]))
def test_a_shape_finds_the_same_texts_as_parsing(events: list[object], space: str) -> None:
    shaped = Events()
    raws = [
        sse.write("x", json.dumps(event, separators=("," + space, ":" + space))) for event in events
    ]
    for raw in raws * 9:
        assert relevant(list(shaped.texts(raw)), raw) == relevant(list(Events().texts(raw)), raw)
    assert shaped.shapes


@settings(deadline=None, max_examples=40)
@given(EVENTS, st.lists(EVENTS, max_size=20), st.data())
def test_in_malformed_events_shapes_find_the_same_texts_as_parsing(
    event: object, others: list[object], data: st.DataObject
) -> None:
    shaped = Events()
    raw = sse.write("x", json.dumps(event))
    for _ in range(8):
        shaped.texts(raw)
    cut = data.draw(st.integers(0, len(raw)))
    more = data.draw(st.binary(max_size=3))
    for broken in (raw[:cut] + more + raw[cut:], raw[:cut], raw[:cut] + raw[cut + 1 :]):
        assert relevant(list(shaped.texts(broken)), broken) == relevant(
            list(Events().texts(broken)), broken
        )
    for other in others:
        frame = sse.write("x", json.dumps(other))
        assert relevant(list(shaped.texts(frame)), frame) == relevant(
            list(Events().texts(frame)), frame
        )
