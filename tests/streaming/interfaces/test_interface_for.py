from __future__ import annotations

import pytest

from harness.errors import UnknownWordError
from harness.protocols import NAMES
from harness.streaming.interfaces import interface_for


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_has_its_interface(name: str) -> None:
    assert interface_for(name).protocol == name


def test_an_unknown_protocol_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'openai_chat'"):
        interface_for("openai_chats")
