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
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from harness.errors import RunCancelled, StreamError
from harness.model import Chunk, Outcome
from harness.streaming import closing
from harness.streaming import error_mapping as failures
from harness.streaming.cancellation import CancelSignal
from harness.streaming.content import Assembly
from harness.streaming.non_stream_body import non_stream_body

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Awaitable,
        Generator,
        Iterable,
        Mapping,
        Sequence,
    )

    from harness.model import JSON, Ending, ErrorInfo, FinishReason, Usage
    from harness.streaming.non_stream_body import NonStreamBody

# Endings that follow from the finish reason alone, once the provider's terminal has come.
ENDING_OF: Mapping[FinishReason, Ending] = {
    "length": "incomplete",
    "content_filter": "incomplete",
    "pause": "incomplete",
    "error": "failed",
    "cancelled": "cancelled",
}


# What a transport may do to a stream whose terminal has come without taking anything from it.
_BROKEN_OFF = frozenset({"connection", "timeout"})
USAGE_PARTIAL = "usage_partial"  # a note: the reader left before the last count (catalogue CA-021)


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
        self._foreign: NonStreamBody | None = None  # what may have come in place of events
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

    async def chunks(
        self,
        opening: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
        cancel: CancelSignal | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """Read an SDK's asynchronous stream to its end and yield chunks as they arrive.

        Once ``cancel`` has fired no event is taken and no chunk of an earlier one is handed out;
        the stream is closed, and a ``stop_reason`` chunk that says so ends the chunks, followed by
        the usage where some is known.

        Args:
            opening: the stream, or what opens it.
            cancel: fired when nobody wants the answer any more, from anywhere.

        Raises:
            StreamError: the provider reported a failure inside the stream.
            Exception: whatever the SDK raised; ``outcome`` names it.
        """
        record, seen = self._chunks.append, self.diagnostics
        signal = cancel or CancelSignal()
        stream: Any = None
        failure: Exception | None = None
        try:
            try:
                stream = await self._opened(opening, signal)
                self._foreign = non_stream_body(stream)
                reader = aiter(stream) if cancel is None else cancel.reading(stream)
                step = reader.__anext__
                while True:
                    try:
                        seen.last = event = await step()
                        seen.received += 1
                        batch = self.handle(event)
                    except StopAsyncIteration:
                        break
                    except Exception as error:  # noqa: BLE001 - named in the outcome, raised again below
                        failure = error
                        break
                    for chunk in batch:
                        if signal.fired:
                            break
                        record(chunk)
                        yield chunk
            finally:  # before the last chunks, which a consumer may not wait for
                unclosed = self._noted(await closing.aclose(stream))
            for chunk in self._end(failure):
                yield chunk
        except BaseException:  # only the consumer gets here: it left, threw or was cancelled
            self.cancel()
            raise
        self._raise(failure, unclosed)

    def chunks_sync(
        self, stream: Iterable[Any], cancel: CancelSignal | None = None
    ) -> Generator[Chunk, None, None]:
        """Read an SDK's synchronous stream; everything else as in ``chunks``.

        The thread that fires ``cancel`` wakes the one that waits for the provider.
        """
        record, seen = self._chunks.append, self.diagnostics
        signal = cancel or CancelSignal()
        failure: Exception | None = None
        try:
            try:
                self._foreign = non_stream_body(stream)
                with signal.calling(partial(closing.release, stream)):
                    reader = iter(stream)
                    while True:
                        try:
                            event = next(reader)
                            if signal.fired:
                                break
                            seen.last = event
                            seen.received += 1
                            batch = self.handle(event)
                        except StopIteration:
                            break
                        except Exception as error:  # noqa: BLE001 - named in the outcome, raised again below
                            failure = error
                            break
                        for chunk in batch:
                            if signal.fired:
                                break
                            record(chunk)
                            yield chunk
            finally:
                unclosed = self._noted(closing.close(stream))
            yield from self._end(RunCancelled() if signal.fired else failure)
        except BaseException:  # only the consumer gets here: it left or threw
            self.cancel()
            raise
        self._raise(failure, unclosed)

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
        if self.diagnostics.cancelled and self.usage and not self.diagnostics.terminal_seen:
            self.note(USAGE_PARTIAL)
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

    async def _opened(self, opening: Any, signal: CancelSignal) -> Any:
        """Return the stream; one that could not be opened fails when it is read."""
        if not inspect.isawaitable(opening):
            return opening
        try:
            return await signal.guard(opening)
        except RunCancelled as error:
            return _Unopened(error)
        except Exception as error:  # noqa: BLE001 - named in the outcome, raised by the reader
            self.failed(failures.classify(error))
            return _Unopened(error)

    def _noted(self, unclosed: Exception | None) -> Exception | None:
        if unclosed is not None:
            self.note("close_failed", unclosed)
        return unclosed

    def _end(self, failure: Exception | None) -> Sequence[Chunk]:
        """Settle the stream and return its last chunks: error, stop reason, usage."""
        if isinstance(failure, RunCancelled):
            self.cancel()
            return self._last((), self.outcome().usage)  # what still waits stays unsaid
        tail = list(self.settle())
        self._judge(failure)
        self._ended = True
        if self._error is not None and (failure is not None or self._verdict()[1] == "failed"):
            tail.append(Chunk("error", error=self._error))
        return self._last(tail, self.usage)

    def _last(self, tail: Sequence[Chunk], usage: Usage | None) -> Sequence[Chunk]:
        finish, _ = self._verdict()
        counts = () if usage is None else (Chunk("usage", usage=usage),)
        last = (*tail, Chunk("stop_reason", finish=finish), *counts)
        self._chunks.extend(last)
        return last

    def _judge(self, failure: Exception | None) -> None:
        """Name what the end of the stream means, and leave notes on what is odd about it."""
        if failure is not None:
            self._judge_failure(failures.classify(failure))
        elif not self.diagnostics.terminal_seen and self._error is None:
            self._judge_silence()
        if self.diagnostics.terminal_seen and not self._failed:
            self._note_oddities()

    def _judge_silence(self) -> None:
        """Name what it means that the stream ended without a word (catalogue TR-016, TR-017)."""
        if self.diagnostics.received:
            self._error = failures.truncated("the stream ended without a terminal event")
        elif self._foreign is None:
            self._error = failures.truncated("the stream held no event")
        else:
            self.failed(failures.info_of("protocol", message=self._foreign))

    def _judge_failure(self, info: ErrorInfo) -> None:
        if info.kind in _BROKEN_OFF and self.diagnostics.terminal_seen:
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

    def _raise(self, failure: Exception | None, unclosed: Exception | None) -> None:
        """Let the consumer know of a failure: the SDK's own exception, or what the stream said."""
        if self.diagnostics.cancelled:
            return
        if failure is not None and (self._failed or self._lost):
            raise failure
        if self._failed and self._error is not None:
            raise StreamError(self._error)
        if unclosed is not None:
            raise unclosed


class _Unopened:
    """A stream that could not be opened: its first event is the reason."""

    def __init__(self, reason: Exception) -> None:
        self._reason = reason

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        raise self._reason
