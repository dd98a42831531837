"""What every streaming interface shares: the read loop, the end of the stream, the outcome.

An interface takes the SDK's typed events, yields chunks, and can return at any moment what was
delivered so far. It ends a stream with exactly one ``stop_reason`` chunk, after an ``error`` chunk
where something failed and before a ``usage`` chunk where usage was reported.

Rules of this file: handlers dispatch on the event's ``type`` and read plain attributes, never SDK
classes; an unknown value is noted, and is neither fatal nor success; instances share nothing; the
provider's stream is closed on every path, in the task that reads it.
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
from harness.streaming.cancellation import CancelSignal
from harness.streaming.content import Assembly
from harness.streaming.error_mapping import classify, info_of, truncated
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

# Endings that follow from the finish reason alone, once the provider's terminal event has arrived.
ENDING_OF: Mapping[FinishReason, Ending] = {
    "length": "incomplete",
    "content_filter": "incomplete",
    "pause": "incomplete",
    "error": "failed",
    "cancelled": "cancelled",
}


# Transport errors that lose nothing of a stream whose terminal event has arrived.
_LOST_CONNECTION = frozenset({"connection", "timeout"})
# A note: the stream was aborted before its last usage report (catalogue CA-021).
USAGE_PARTIAL = "usage_partial"


@dataclass
class Diagnostics:
    """What to look at first when a stream went wrong."""

    received: int = 0  # events
    last_event: Any = None
    terminal_seen: bool = False
    cancelled: bool = False
    unknown: Counter[str] = field(default_factory=Counter)  # "event: ping_2" -> how often


class StreamingInterface:
    """Base of the interfaces.

    Args:
        requires_approval: names of tools whose calls become approval requests.
        model: the model's name until the provider reports one.

    A subclass sets ``protocol`` and ``finish_reasons`` (the provider's value -> ours) and
    implements ``handle``. In ``handle`` it fills ``assembly``, ``usage``, ``finish_raw``,
    ``response_id`` and ``model``, and calls ``record_terminal`` for the provider's terminal event.
    """

    protocol: ClassVar[str]
    finish_reasons: ClassVar[Mapping[str, FinishReason]]

    def __init__(self, *, requires_approval: Iterable[str] = (), model: str | None = None) -> None:
        self.assembly = Assembly(frozenset(requires_approval))
        self.diagnostics = Diagnostics()
        self.model = model
        self.response_id: str | None = None
        self.usage: Usage | None = None
        self.raw_usage: JSON = None
        self.finish_raw: str | None = None
        self.error: ErrorInfo | None = None
        self._other_body: NonStreamBody | None = None  # set where the body may hold no events
        self._failed = False  # the provider or the transport failed
        self._lost = False  # the connection broke before the terminal event
        self._ended = False
        self._notes: dict[str, None] = {}
        self._chunks: list[Chunk] = []

    def handle(self, event: Any) -> Sequence[Chunk]:
        """Take one typed event; return its chunks.

        Raises:
            ProtocolError: the event contradicts an earlier one.
        """
        raise NotImplementedError

    def finalize(self) -> Sequence[Chunk]:
        """Close what only the end of the stream can close; return the chunks that were waiting."""
        return ()

    def current_usage(self) -> Usage | None:
        """Return the usage reported so far."""
        return self.usage

    async def chunks(
        self,
        opening: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
        cancel: CancelSignal | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """Read an SDK's asynchronous stream to its end and yield chunks as they arrive.

        Once ``cancel`` has fired, no event is read and no chunk of an earlier event is yielded; the
        stream is closed, and the last chunks are a ``stop_reason`` of ``cancelled`` and the usage
        known so far, where there is any.

        Args:
            opening: the stream, or an awaitable that opens it.
            cancel: fired, from any task or thread, to cancel the stream.

        Raises:
            StreamError: the provider reported an error inside the stream.
            Exception: whatever the SDK raised; ``outcome().error`` classifies it.
        """
        record, seen = self._chunks.append, self.diagnostics
        signal = cancel or CancelSignal()
        stream: Any = None
        failure: Exception | None = None
        try:
            try:
                stream = await self._open_stream(opening, signal)
                self._other_body = non_stream_body(stream)
                reader = aiter(stream) if cancel is None else cancel.guard_stream(stream)
                step = reader.__anext__
                while True:
                    try:
                        seen.last_event = event = await step()
                        seen.received += 1
                        batch = self.handle(event)
                    except StopAsyncIteration:
                        break
                    except Exception as error:  # noqa: BLE001 - classified, and raised again below
                        failure = error
                        break
                    for chunk in batch:
                        if signal.fired:
                            break
                        record(chunk)
                        yield chunk
            finally:  # before the last chunks, which a consumer may not wait for
                close_error = self._note_close_error(await closing.aclose(stream))
            for chunk in self._end(failure):
                yield chunk
        except BaseException:  # only the consumer gets here: it closed, threw or was cancelled
            self.cancel()
            raise
        self._raise_error(failure, close_error)

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
                self._other_body = non_stream_body(stream)
                with signal.on_fire(partial(closing.wake_reader, stream)):
                    reader = iter(stream)
                    while True:
                        try:
                            event = next(reader)
                            if signal.fired:
                                break
                            seen.last_event = event
                            seen.received += 1
                            batch = self.handle(event)
                        except StopIteration:
                            break
                        except Exception as error:  # noqa: BLE001 - classified, and raised again below
                            failure = error
                            break
                        for chunk in batch:
                            if signal.fired:
                                break
                            record(chunk)
                            yield chunk
            finally:
                close_error = self._note_close_error(closing.close(stream))
            yield from self._end(RunCancelled() if signal.fired else failure)
        except BaseException:  # only the consumer gets here: it closed or threw
            self.cancel()
            raise
        self._raise_error(failure, close_error)

    def fail(self, error: Exception) -> None:
        """Record that the stream could not be opened."""
        self.error = classify(error)
        self._failed = self._ended = True

    def cancel(self) -> None:
        """Record that the stream was aborted; one that has ended keeps its ending."""
        if not self._ended:
            self._ended = self.diagnostics.cancelled = True

    def record_terminal(self, finish_raw: str | None) -> None:
        """Record the provider's terminal event and its own finish reason."""
        self.diagnostics.terminal_seen = True
        if finish_raw is not None:
            self.finish_raw = finish_raw

    def record_error(self, info: ErrorInfo) -> None:
        """Record an error that the provider reported inside the stream; the first one counts."""
        self._failed = True
        self.error = self.error or info

    def note(self, name: str, detail: object = None) -> None:
        """Add a note to the outcome; the same note is added once."""
        self._notes[name if detail is None else f"{name}: {detail}"] = None

    def note_unknown(self, what: str, value: object) -> tuple[Chunk, ...]:
        """Count and note a value that is in no table; it produces no chunk."""
        self.diagnostics.unknown[f"{what}: {value}"] += 1
        self.note(f"unknown_{what}", value)
        return ()

    def outcome(self) -> Outcome:
        """Return everything delivered so far; the interface stays as it is.

        All values in it are our own, so it is built without validating them again.
        """
        finish, ending = self._finish_and_ending()
        usage, notes = self.current_usage(), self._notes
        if usage and self.diagnostics.cancelled and not self.diagnostics.terminal_seen:
            notes = {**notes, USAGE_PARTIAL: None}
        return Outcome.model_construct(
            chunks=tuple(self._chunks),
            content=self.assembly.content(),
            finish=finish,
            finish_raw=self.finish_raw,
            usage=usage,
            ending=ending,
            error=self.error,
            response_id=self.response_id,
            model=self.model,
            notes=tuple(notes),
        )

    def _finish_and_ending(self) -> tuple[FinishReason, Ending]:
        """Return why the model stopped and how the stream ended, as far as it is known now."""
        if self.diagnostics.cancelled:
            return "cancelled", "cancelled"
        if self._failed:
            return "error", "failed"
        if not self.diagnostics.terminal_seen:
            return ("error" if self._lost else "unknown"), "truncated"
        finish = self._finish_reason()
        return finish, ENDING_OF.get(finish, "complete")

    def _finish_reason(self) -> FinishReason:
        """Map the provider's value; a plain stop after calls or a refusal is reported as those."""
        finish = self.finish_reasons.get(self.finish_raw or "", "unknown")
        if finish == "stop" and self.assembly.calls:
            return "tool_calls"
        if finish == "stop" and self.assembly.refused:
            return "refusal"
        return finish

    async def _open_stream(self, opening: Any, signal: CancelSignal) -> Any:
        """Return the stream; one that could not be opened raises when it is read."""
        if not inspect.isawaitable(opening):
            return opening
        try:
            return await signal.guard(opening)
        except RunCancelled as error:
            return _Unopened(error)
        except Exception as error:  # noqa: BLE001 - classified in the outcome, raised by the read loop
            self.record_error(classify(error))
            return _Unopened(error)

    def _note_close_error(self, error: Exception | None) -> Exception | None:
        if error is not None:
            self.note("close_failed", error)
        return error

    def _end(self, failure: Exception | None) -> Sequence[Chunk]:
        """End the stream and return its last chunks: error, stop reason, usage."""
        if isinstance(failure, RunCancelled):
            self.cancel()
            return self._last_chunks((), self.current_usage())  # chunks still waiting are dropped
        tail = list(self.finalize())
        self._classify_end(failure)
        self._ended = True
        if self.error is not None and (
            failure is not None or self._finish_and_ending()[1] == "failed"
        ):
            tail.append(Chunk("error", error=self.error))
        return self._last_chunks(tail, self.usage)

    def _last_chunks(self, tail: Sequence[Chunk], usage: Usage | None) -> Sequence[Chunk]:
        finish, _ = self._finish_and_ending()
        counts = () if usage is None else (Chunk("usage", usage=usage),)
        last = (*tail, Chunk("stop_reason", finish=finish), *counts)
        self._chunks.extend(last)
        return last

    def _classify_end(self, failure: Exception | None) -> None:
        """Set the error that the end of the stream means, and note what is unusual about it."""
        if failure is not None:
            self._classify_failure(classify(failure))
        elif not self.diagnostics.terminal_seen and self.error is None:
            self._classify_missing_terminal()
        if self.diagnostics.terminal_seen and not self._failed:
            self._note_anomalies()

    def _classify_missing_terminal(self) -> None:
        """Set the error of a stream that ended without a terminal event (TR-016, TR-017)."""
        if self.diagnostics.received:
            self.error = truncated("the stream ended without a terminal event")
        elif self._other_body is None:
            self.error = truncated("the stream held no event")
        else:
            self.record_error(info_of("protocol", message=self._other_body))

    def _classify_failure(self, info: ErrorInfo) -> None:
        if info.kind in _LOST_CONNECTION and self.diagnostics.terminal_seen:
            self.note("lost_after_terminal", info.message)  # catalogue AN-014, TR-014
        elif info.kind == "connection":
            self.error, self._lost = self.error or info, True
        else:
            self.record_error(info)

    def _note_anomalies(self) -> None:
        if self.finish_raw not in self.finish_reasons:
            self.note("unknown_finish", self.finish_raw)
        if self.usage is None:
            self.note("usage_missing")
        if self.assembly.no_output:
            self.note("empty_output")
        if self._finish_reason() == "tool_calls" and not self.assembly.calls:
            self.note("no_tool_call")

    def _raise_error(self, failure: Exception | None, close_error: Exception | None) -> None:
        """Raise what failed: the SDK's own exception, or what the stream reported."""
        if self.diagnostics.cancelled:
            return
        if failure is not None and (self._failed or self._lost):
            raise failure
        if self._failed and self.error is not None:
            raise StreamError(self.error)
        if close_error is not None:
            raise close_error


class _Unopened:
    """A stream that could not be opened: reading it raises the reason."""

    def __init__(self, reason: Exception) -> None:
        self._reason = reason

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        raise self._reason
