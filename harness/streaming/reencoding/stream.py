"""Reads a run's frames and yields the chunks of an OpenAI Chat Completions stream."""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING

from harness.errors import RunCancelled, StreamError
from harness.streaming.closing import close_source
from harness.streaming.reencoding.encoder import Encoder
from harness.streaming.serving.client_events import ClientEventReader, failure_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

_log = logging.getLogger(__name__)


async def reencode(
    source: AsyncIterator[bytes | str],
    *,
    model: str,
    response_id: str,
    created: int,
    include_usage: bool = False,
    reasoning: bool = False,
    tool_calls: bool = False,
) -> AsyncGenerator[bytes, None]:
    """Read a run's frames and yield the chunks of an OpenAI Chat Completions stream.

    An exception of the source becomes an error object and ``[DONE]``; it is logged and not raised,
    because the client could not receive it. A cancelled run ends as a cancelled one; a cancelled
    task is cancelled. The source is read to its end, also after ``[DONE]``, so that its writer can
    finish its work.

    Args:
        source: the run's frames, cut anywhere.
        model: the name of the model, as the client requested it.
        response_id: the id of all chunks.
        created: seconds since the epoch.
        include_usage: whether the client requested a last chunk with the usage.
        reasoning: whether the model's reasoning is sent, as ``reasoning_content``.
        tool_calls: whether the run's tool calls are sent; not if the run executes them itself.
    """
    options = {"reasoning": reasoning, "tool_calls": tool_calls, "usage": include_usage}
    included = frozenset(name for name, wanted in options.items() if wanted)
    encoder = Encoder(model, response_id, created, included)
    reader, pieces = ClientEventReader(), aiter(source)
    failure: list[bytes] = []
    try:
        while True:
            try:
                events = reader.feed(await anext(pieces))
            except StopAsyncIteration:
                break
            except Exception as error:  # noqa: BLE001 - the client gets an error, the log the rest
                failure = _end_after(encoder, error)
                break
            for chunk in chain.from_iterable(map(encoder.add, events)):
                yield chunk
    finally:
        await close_source(source)
    for chunk in [*failure, *encoder.end()]:
        yield chunk


def _end_after(encoder: Encoder, error: Exception) -> list[bytes]:
    """Return what the client receives after an exception of the source."""
    if isinstance(error, RunCancelled):
        return encoder.stop("cancelled")
    _log.warning("the frames of a run ended with an exception", exc_info=error)
    failure = failure_of(error.info if isinstance(error, StreamError) else None)
    return encoder.fail(failure.error_type, failure.message)
