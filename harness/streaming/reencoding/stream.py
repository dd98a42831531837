"""Reads a run's frames and yields the chunks they are to an OpenAI client."""

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
    """Read a run's frames and yield the chunks they are to an OpenAI client.

    An exception of the source becomes an error object and ``[DONE]``; it is logged, not raised,
    because the client could be told nothing more. A cancelled run ends as one; a cancelled task is
    cancelled. The source is read to its
    end, also behind ``[DONE]``, so that whoever writes it can finish its work.

    Args:
        source: the run's frames, cut anywhere.
        model: its name, as the client asked for it.
        response_id: the id all chunks share.
        created: seconds since the epoch.
        include_usage: whether the client asked for a last chunk with the usage.
        reasoning: whether the model's thinking is shown, as ``reasoning_content``.
        tool_calls: whether the run's tool calls are shown; a run that executes them itself keeps
            them to itself.
    """
    asked = {"reasoning": reasoning, "tool_calls": tool_calls, "usage": include_usage}
    shown = frozenset(what for what, wanted in asked.items() if wanted)
    encoder = Encoder(model, response_id, created, shown)
    reader, pieces = ClientEventReader(), aiter(source)
    told: list[bytes] = []
    try:
        while True:
            try:
                frames = reader.feed(await anext(pieces))
            except StopAsyncIteration:
                break
            except Exception as error:  # noqa: BLE001 - the client is told, the log has the rest
                told = _last_words(encoder, error)
                break
            for sent in chain.from_iterable(map(encoder.take, frames)):
                yield sent
    finally:
        await close_source(source)
    for sent in [*told, *encoder.end()]:
        yield sent


def _last_words(encoder: Encoder, error: Exception) -> list[bytes]:
    """Return how the client is told that the source raised."""
    if isinstance(error, RunCancelled):
        return encoder.stop("cancelled")
    _log.warning("a run's frames broke off", exc_info=error)
    failure = failure_of(error.info if isinstance(error, StreamError) else None)
    return encoder.fail(failure.error_type, failure.message)
