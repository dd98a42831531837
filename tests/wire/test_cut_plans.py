"""Cut plans move the boundaries between reads and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError, UnknownWordError
from harness.wire import cut_plans

FRAMES = [b"data: 1\n\n", b"", b"data: 22\r\n\r\n"]
BODY = b"".join(FRAMES)
PLANS = ["whole", "event", "byte", "awkward", "offset:0", "offset:7", "offset:999", "random:3"]

plans = st.sampled_from(PLANS) | st.integers(0, 2**40).map("random:{}".format)


@given(frames=st.lists(st.binary(max_size=60)), plan=plans)
def test_a_plan_keeps_every_byte_and_makes_no_empty_read(frames: list[bytes], plan: str) -> None:
    reads = list(cut_plans.cut(frames, plan))
    assert b"".join(reads) == b"".join(frames)
    assert all(reads)


@pytest.mark.parametrize(
    ("plan", "sizes"),
    [
        ("whole", [21]),
        ("event", [9, 12]),
        ("byte", [1] * 21),
        ("awkward", [1, 5, 2, 13]),
        ("offset:4", [4, 17]),
        ("offset:0", [21]),
        ("offset:21", [21]),
    ],
)
def test_a_plan_cuts_where_it_says(plan: str, sizes: list[int]) -> None:
    assert [len(read) for read in cut_plans.cut(FRAMES, plan)] == sizes


def test_a_seed_gives_the_same_cuts_and_another_seed_others() -> None:
    frames = [bytes(500)]
    assert list(cut_plans.cut(frames, "random:1")) == list(cut_plans.cut(frames, "random:1"))
    assert list(cut_plans.cut(frames, "random:1")) != list(cut_plans.cut(frames, "random:2"))


def test_every_offset_is_inside_the_body() -> None:
    assert list(cut_plans.every_offset(4)) == ["offset:1", "offset:2", "offset:3"]
    assert list(cut_plans.every_offset(1)) == []


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_is_returned_by_its_check(plan: str) -> None:
    assert cut_plans.check(plan) == plan


@pytest.mark.parametrize("plan", ["offset", "offset:", "offset:-1", "random:x", "random:1.5"])
def test_a_missing_number_is_an_input_error(plan: str) -> None:
    with pytest.raises(InputError, match=f"write it as {plan.partition(':')[0]}:N"):
        cut_plans.check(plan)


@pytest.mark.parametrize("plan", ["event:", "event:5", "event:x", "whole:1"])
def test_a_number_for_a_plan_that_takes_none_is_an_input_error(plan: str) -> None:
    with pytest.raises(InputError, match=f"write it as {plan.partition(':')[0]}$"):
        cut_plans.check(plan)


def test_an_unknown_plan_suggests_the_nearest_name() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'event'"):
        cut_plans.check("events")


def test_an_invalid_plan_is_refused_when_it_is_used() -> None:
    with pytest.raises(InputError):
        cut_plans.cut(FRAMES, "offset")
