"""Elements of a JSON array, found by brackets and strings alone, however the bytes are cut."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FrameTooLargeError, WireError
from harness.wire import cut_plans, json_array

values = st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()) | st.integers()
arrays = st.lists(st.dictionaries(st.text(), values))


def read(pieces: list[bytes]) -> list[str]:
    reader = json_array.Reader()
    found = [text for piece in pieces for text in reader.feed(piece)]
    reader.close()
    return found


def feed_all(reader: json_array.Reader, pieces: list[bytes], found: list[str]) -> None:
    for piece in pieces:
        found += reader.feed(piece)


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        pytest.param("[]", [], id="empty"),
        pytest.param("", [], id="nothing"),
        pytest.param('[{"a":1},\r\n{"b":[{}]}]', ['{"a":1}', '{"b":[{}]}'], id="two"),
        pytest.param(' {"error":{}} ', ['{"error":{}}'], id="a single object"),
        pytest.param(r'[{"a":"}\"]\\"},{}]', [r'{"a":"}\"]\\"}', "{}"], id="brackets in strings"),
        pytest.param('[{"é":"\U0001f600"}]', ['{"é":"\U0001f600"}'], id="multi-byte characters"),
        pytest.param("[{oops},{}]", ["{oops}", "{}"], id="malformed elements are returned"),
    ],
)
def test_returns_each_element(body: str, elements: list[str]) -> None:
    raw = body.encode()
    assert read([raw]) == elements
    assert read([raw[at : at + 1] for at in range(len(raw))]) == elements
    for at in range(len(raw)):
        assert read([raw[:at], b"", raw[at:]]) == elements


@given(array=arrays, seed=st.integers(0, 2**32), escaped=st.booleans())
def test_any_cut_of_any_array_changes_nothing(
    array: list[dict[str, Any]], seed: int, *, escaped: bool
) -> None:
    body = json.dumps(array, ensure_ascii=escaped).encode()
    found = read(list(cut_plans.cut([body], f"random:{seed}")))
    assert [json.loads(text) for text in found] == array


def test_an_element_is_returned_as_soon_as_it_ends() -> None:
    reader = json_array.Reader()
    assert reader.feed(b'[{"a":') == []
    assert reader.feed(b"1}") == ['{"a":1}']


def test_an_incomplete_element_is_an_error() -> None:
    reader = json_array.Reader()
    reader.feed(b'[{"a":1},{"b":')
    with pytest.raises(WireError, match="inside an element of 5 bytes"):
        reader.close()


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_limit_applies_to_each_element_under_any_cut(size: int) -> None:
    body = b'[{"a":1},{"a":12},{}]'
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    reader = json_array.Reader(limit=7)
    found: list[str] = []
    with pytest.raises(FrameTooLargeError):
        feed_all(reader, [*pieces, b""], found)
    assert found == ['{"a":1}']
    with pytest.raises(FrameTooLargeError):
        reader.close()


def test_reading_a_long_element_byte_by_byte_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        reader, start = json_array.Reader(), process_time()
        reader.feed(b'[{"')
        for _ in range(size):
            reader.feed(b"x")
        return process_time() - start

    small = min(seconds(1 << 17) for _ in range(2))
    assert seconds(1 << 20) < 20 * small  # 8 times the bytes; a quadratic reader takes 64 times
