"""A message as the one ``GenerateContentResponse`` of generateContent.

Both methods answer with the same object; here one holds every part.
https://ai.google.dev/api/generate-content#method:-models.generatecontent
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.protocols.gemini_generate import skeletons as write
from harness.protocols.gemini_generate.encode import WORD, counts, written
from harness.protocols.message import DeltaPlan

if TYPE_CHECKING:
    from harness.model import JSON
    from harness.protocols.message import Message

_UNSPLIT = DeltaPlan(split=lambda text: [text])


def response_body(message: Message) -> dict[str, JSON]:
    """Return the body of a finished message.

    Args:
        message: what is said; refusals have no part of their own and are written as text.
    """
    parts = [part for said in message.content for part in written(said, _UNSPLIT)]
    usage = {} if message.usage is None else {"usageMetadata": counts(message.usage)}
    named = {"modelVersion": message.model, "responseId": message.response_id}
    finish: dict[str, JSON] = {"finishReason": WORD[message.finish]}
    body = write.response(parts, finish, {**named, **usage}).data
    return body if isinstance(body, dict) else {}
