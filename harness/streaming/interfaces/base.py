"""What every streaming interface shares: the loop, the ending, the outcome.

An interface is fed the SDK's typed events, yields chunks, and can say at every moment what was
delivered so far. It ends a stream with exactly one ``stop_reason`` chunk, after an ``error`` chunk
where something failed and before a ``usage`` chunk where usage was reported.

Rules of this file: handlers dispatch on the event's own word and read plain attributes, never SDK
classes; an unknown word is noted, never fatal and never success; nothing is shared between
instances; the provider's stream is closed on every path, in the task that reads it.
"""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from harness.errors import StreamError
from harness.model import Chunk, Outcome
from harness.streaming import failures
from harness.streaming.assembly import Assembly

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Generator,
        Iterable,
        Mapping,
        Sequence,
    )

    from harness.model import JSON, Ending, ErrorInfo, FinishReason, Usage

# Endings that follow from the finish reason alone, once the provider's terminal has come.
ENDING_OF: Mapping[FinishReason, Ending] = {
    "length": "incomplete",
    "content_filter": "incomplete",
    "pause": "incomplete",
    "error": "failed",
    "cancelled": "cancelled",
}


@dataclass
class Diagnostics:
    """What a person asks first when a stream went wrong."""

    received: int = 0  # events
    last: Any = None  # the event itself
    terminal_seen: bool = False
    cancelled: bool = False
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def last_event(self) -> str | None:
        """The word of the event that came last."""
        return None if self.last is None else str(getattr(self.last, "type", None) or "event")


class StreamingInterface:
    """Base of the four interfaces.

    Args:
        requires_approval: names of tools whose calls become approval requests.
        model: the model's name until the provider reports one.

    A subclass sets ``protocol`` and ``finish_words`` and implements ``handle``. In ``handle`` it
    fills ``assembly``, ``usage``, ``finish_raw``, ``response_id`` and ``model``, and calls
    ``terminal`` when the provider's own end has come.
    """

    protocol: ClassVar[str]
    finish_words: ClassVar[Mapping[str, FinishReason]]

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        self.assembly = Assembly(frozenset(requires_approval))
        self.diagnostics = Diagnostics()
        self.model = model
        self.response_id: str | None = None
        self.usage: Usage | None = None
        self.raw_usage: JSON = None
        self.finish_raw: str | None = None
        self._error: ErrorInfo | None = None
        self._failed = False  # the provider or the transport failed
        self._lost = False  # the connection broke before the terminal
        self._ended = False
        self._notes: dict[str, None] = {}
        self._chunks: list[Chunk] = []

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one typed event; return the chunks it gives rise to, all work done.

        Raises:
            ProtocolError: the event contradicts what was opened before it.
        """
        raise NotImplementedError

    def settle(self) -> Sequence[Chunk]:
        """Close what only the end of the stream can close; return the chunks that were waiting."""
        return ()

    async def chunks(self, stream: AsyncIterable[Any]) -> AsyncGenerator[Chunk, None]:
        """Read an SDK's asynchronous stream to its end and yield chunks as they arrive.

        Raises:
            StreamError: the provider reported a failure inside the stream.
            Exception: whatever the SDK raised; ``outcome`` names it.
        """
        record, seen = self._chunks.append, self.diagnostics
        failure: Exception | None = None
        try:
            reader = aiter(stream)
            while True:
                try:
                    seen.last = event = await anext(reader)
                    seen.received += 1
                    batch = self.handle(event)
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - named in the outcome, raised again below
                    failure = error
                    break
                for chunk in batch:
                    record(chunk)
                    yield chunk
            for chunk in self._end(failure):
                yield chunk
        except BaseException:  # only the consumer gets here: it left, threw or was cancelled
            self.cancel()
            raise
        finally:
            await close_stream(stream)
        self._raise(failure)

    def chunks_sync(self, stream: Iterable[Any]) -> Generator[Chunk, None, None]:
        """Read an SDK's synchronous stream; everything else as in ``chunks``."""
        record, seen = self._chunks.append, self.diagnostics
        failure: Exception | None = None
        try:
            reader = iter(stream)
            while True:
                try:
                    seen.last = event = next(reader)
                    seen.received += 1
                    batch = self.handle(event)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - named in the outcome, raised again below
                    failure = error
                    break
                for chunk in batch:
                    record(chunk)
                    yield chunk
            yield from self._end(failure)
        except BaseException:  # only the consumer gets here: it left or threw
            self.cancel()
            raise
        finally:
            _close(stream)
        self._raise(failure)

    def fail(self, error: Exception) -> None:
        """Record that the stream could not even be opened."""
        self._error = failures.classify(error)
        self._failed = self._ended = True

    def cancel(self) -> None:
        """Record that the consumer left; a stream that has ended stays as it ended."""
        if not self._ended:
            self._ended = self.diagnostics.cancelled = True

    def terminal(self, raw: str | None) -> None:
        """Record the provider's terminal and its own word for why it stopped."""
        self.diagnostics.terminal_seen = True
        if raw is not None:
            self.finish_raw = raw

    def failed(self, info: ErrorInfo) -> None:
        """Record a failure the provider reported inside the stream; the first one counts."""
        self._failed = True
        self._error = self._error or info

    def note(self, word: str, detail: object = None) -> None:
        """Leave a note in the outcome, once."""
        self._notes[word if detail is None else f"{word}: {detail}"] = None

    def unknown(self, what: str, word: object) -> tuple[Chunk, ...]:
        """Count a word no table knows; it gives rise to no chunk."""
        self.diagnostics.unknown[f"{what}: {word}"] += 1
        self.note(f"unknown_{what}", word)
        return ()

    def outcome(self) -> Outcome:
        """Return everything delivered so far.

        Every value in it was made by us, so it is not validated again, chunk by chunk.
        """
        finish, ending = self._verdict()
        return Outcome.model_construct(
            chunks=tuple(self._chunks),
            content=self.assembly.content(),
            finish=finish,
            finish_raw=self.finish_raw,
            usage=self.usage,
            ending=ending,
            error=self._error,
            response_id=self.response_id,
            model=self.model,
            notes=tuple(self._notes),
        )

    def _verdict(self) -> tuple[FinishReason, Ending]:
        """Say why the model stopped and how the stream ended, from what is known now."""
        if self.diagnostics.cancelled:
            return "cancelled", "cancelled"
        if self._failed:
            return "error", "failed"
        if not self.diagnostics.terminal_seen:
            return ("error" if self._lost else "unknown"), "truncated"
        finish = self._finish()
        return finish, ENDING_OF.get(finish, "complete")

    def _finish(self) -> FinishReason:
        """Map the provider's word; a plain stop after calls or a refusal is named for those."""
        finish = self.finish_words.get(self.finish_raw or "", "unknown")
        if finish == "stop" and self.assembly.calls:
            return "tool_calls"
        if finish == "stop" and self.assembly.refused:
            return "refusal"
        return finish

    def _end(self, failure: Exception | None) -> Sequence[Chunk]:
        """Settle the stream and return its last chunks: error, stop reason, usage."""
        tail = list(self.settle())
        self._judge(failure)
        self._ended = True
        finish, ending = self._verdict()
        if self._error is not None and (failure is not None or ending == "failed"):
            tail.append(Chunk("error", error=self._error))
        tail.append(Chunk("stop_reason", finish=finish))
        if self.usage is not None:
            tail.append(Chunk("usage", usage=self.usage))
        self._chunks.extend(tail)
        return tail

    def _judge(self, failure: Exception | None) -> None:
        """Name what the end of the stream means, and leave notes on what is odd about it."""
        if failure is not None:
            self._judge_failure(failures.classify(failure))
        elif not self.diagnostics.terminal_seen and self._error is None:
            empty = not self.diagnostics.received
            self._error = failures.truncated(
                "the stream held no event" if empty else "the stream ended without a terminal event"
            )
        if self.diagnostics.terminal_seen and not self._failed:
            self._note_oddities()

    def _judge_failure(self, info: ErrorInfo) -> None:
        if info.kind == "connection" and self.diagnostics.terminal_seen:
            self.note("lost_after_terminal", info.message)  # catalogue AN-014, TR-014
        elif info.kind == "connection":
            self._error, self._lost = self._error or info, True
        else:
            self.failed(info)

    def _note_oddities(self) -> None:
        if self.finish_raw not in self.finish_words:
            self.note("unknown_finish", self.finish_raw)
        if self.usage is None:
            self.note("usage_missing")
        if self.assembly.silent:
            self.note("empty_output")
        if self._finish() == "tool_calls" and not self.assembly.calls:
            self.note("no_tool_call")

    def _raise(self, failure: Exception | None) -> None:
        """Let the consumer know of a failure: the SDK's own exception, or what the stream said."""
        if failure is not None and (self._failed or self._lost):
            raise failure
        if self._failed and self._error is not None:
            raise StreamError(self._error)


async def close_stream(stream: object) -> None:
    """Close a stream, whatever the SDK calls it; closing a finished one costs nothing."""
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if close is not None:
        closing = close()
        if inspect.isawaitable(closing):
            await closing


def _close(stream: object) -> None:
    close = getattr(stream, "close", None)
    if close is not None:
        close()
