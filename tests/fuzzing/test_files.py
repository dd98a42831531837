"""What a campaign writes reads back as the same values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from harness.engine.selection import select_scenarios
from harness.fuzzing.failure import Failure
from harness.fuzzing.files import read_index, write_failure, yaml_text
from harness.model import Event
from harness.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(codec="utf-8") | st.sampled_from("\x00\x85\u2028\ufeff\ud83d\n'\"#:&*!")
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=VALUES)
def test_yaml_text_reads_back(value: Any, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("yaml") / "x.yaml"
    path.write_text(f"key: {yaml_text(value)}\n", "utf-8")
    data, _ = read_yaml(path)
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def failure(**changes: Any) -> Failure:
    done = Event(None, "[DONE]")
    return Failure(
        **{
            "property_name": "prefix",
            "sentence": "it is truncated",
            "sources": ("OC-016",),
            "severity": "must",
            "target": "builtin",
            "protocol": "openai_chat",
            "items": (
                Event(None, {"choices": [], "x": math.pi, "y": "\u2028"}),
                b"\xff",
                b": a\n\n",
                done,
            ),
            "expected": {"ending": "truncated"},
            **changes,
        }
    )


def test_a_failure_is_a_valid_scenario_that_sends_the_same_bytes(tmp_path: Path) -> None:
    found = failure(cut="offset:3")
    write_failure(found, tmp_path)
    [scenario], errors = select_scenarios(tmp_path, [found.id])
    assert errors == []
    assert scenario.wire() == list(found.items)
    assert scenario.transport.cut == "offset:3"
    assert scenario.must == {"ending": "truncated"}
    assert scenario.cases == ("OC-016",)


def test_a_failed_invariant_is_a_valid_scenario_too(tmp_path: Path) -> None:
    write_failure(failure(expected={}), tmp_path)
    [scenario], errors = select_scenarios(tmp_path, ())
    assert errors == []
    assert scenario.must == {"ending": {"$any": True}}


def test_a_failure_is_indexed_once(tmp_path: Path) -> None:
    write_failure(failure(), tmp_path)
    write_failure(failure(why="once more"), tmp_path)
    write_failure(failure(property_name="next_request_accepted"), tmp_path)
    assert [entry["why"] for entry in read_index(tmp_path)] == ["once more", ""]
    cases = (tmp_path / "test_fuzz_found.py").read_text("utf-8")
    assert cases.count("def test_") == 2
