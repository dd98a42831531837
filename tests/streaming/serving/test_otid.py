"""One id per logical message, for any number of parts (I20, D50, D51)."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from harness.streaming.serving.client_events import otid

messages = st.tuples(st.text(), st.integers(min_value=0))


@given(messages, messages)
def test_ids_are_equal_for_equal_messages_only(
    one: tuple[str, int], other: tuple[str, int]
) -> None:
    assert (otid(*one) == otid(*other)) == (one == other)


@given(st.text(max_size=3), st.integers(0, 99), st.text(st.sampled_from("0123456789:"), max_size=4))
def test_the_part_is_separated_from_the_message_id(message: str, part: int, tail: str) -> None:
    assert len({otid(f"{tail}{message}", part), otid(f"{part}:{tail}{message}", part)}) == 2


def test_a_replay_has_the_same_ids() -> None:
    """Clients store these ids, so no release may change them."""
    assert otid("message-1", 0) == "612b92e7-9023-5672-ab79-fcf65e9c105a"


def test_the_number_of_parts_is_not_limited() -> None:
    ids = {otid("message-1", part) for part in range(1000)}
    assert len(ids) == 1000
    assert all(str(UUID(one)) == one for one in ids)
