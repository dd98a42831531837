"""A message as the one ``Response`` object of a request without ``stream``.

It is the object that the stream's terminal event repeats whole:
https://developers.openai.com/api/docs/api-reference/responses/object
https://developers.openai.com/api/docs/api-reference/responses-streaming (response.completed)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.openai_responses.encode import encode

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.protocols.message import Message


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a finished message.

    Args:
        message: what is said; its finish is one that a terminal can say.
    """
    terminal = encode(message)[-1].data
    response: dict[str, JSON] = terminal["response"] if isinstance(terminal, dict) else {}
    return response
