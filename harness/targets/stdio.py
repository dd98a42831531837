"""Targets in processes of their own: ``command:node mine.mjs``, and workers in other environments.

JSON lines on standard input and output, one request per line, one reply per line::

    {"id": 7, "protocol": "openai_chat", "base_url": "http://127.0.0.1:PORT/7", "request": {…}}
    {"id": 7, "outcome": {…}}   or   {"id": 7, "harness_error": "…"}

A reply that is late, malformed or absent is the target's failure and reported as such. A process
that failed, or whose reply was not awaited, is ended with all its children, and the next request
starts a new one. The last line that it writes to standard error becomes part of the failure.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from contextlib import suppress
from itertools import count
from typing import IO, TYPE_CHECKING, Any, Self

from harness.errors import TargetError
from harness.model import Outcome
from harness.protocols import names

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from harness.model import JSON, Chunk
    from harness.targets.base import Call

MAX_REPLY = 256 * 1024 * 1024  # bytes; a longer reply is a failure
_SHOWN = 200  # characters of an invalid reply, or of standard error, in a message


class Process:
    """A process that answers requests, started with the first of them.

    It belongs to the event loop that asks it, and answers one request at a time.

    Args:
        command: the program and its arguments.
        environment: its environment variables; None for those of this process.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command, self._environment = tuple(command), environment
        self._numbers = count(1)
        self._running: asyncio.subprocess.Process | None = None
        self._errors: IO[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether the process was started and has not been closed."""
        return self._running is not None

    async def ask(self, **request: JSON) -> dict[str, JSON]:
        """Send a request and return its reply; cancelling the wait ends the process.

        Args:
            request: the fields of the request; its ``id`` is added.

        Raises:
            TargetError: no reply came, or not one to this request, or the reply is an error.
        """
        number = next(self._numbers)
        try:
            line = await self._exchange(json.dumps({"id": number, **request}))
            reply = _reply(number, line)
        except BaseException:
            await self.aclose()
            raise
        if "harness_error" in reply:
            raise TargetError(str(reply["harness_error"]))
        return reply

    async def aclose(self) -> None:
        """End the process and its children; the next request starts another."""
        running, self._running = self._running, None
        if running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
        if self._errors is not None:
            self._errors.close()

    async def _exchange(self, line: str) -> bytes:
        running = self._running or await self._start()
        assert running.stdin is not None  # noqa: S101 - it was started with pipes
        assert running.stdout is not None  # noqa: S101 - the same
        assert self._errors is not None  # noqa: S101 - the same
        self._errors.truncate(0)
        try:
            running.stdin.write(f"{line}\n".encode())
            await running.stdin.drain()
            reply = await running.stdout.readline()
        except ValueError:  # asyncio's reader raises this beyond its limit
            raise TargetError(f"replied with more than {MAX_REPLY:,} bytes") from None
        except (BrokenPipeError, ConnectionResetError):
            reply = b""
        if reply:
            return reply
        raise TargetError(await self._ending(running))

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        # A file, because a pipe that is not read blocks the process; opened for appending, so that
        # it can be emptied while it is written.
        errors = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - it lives as long as the process
        try:
            running = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=errors,
                limit=MAX_REPLY,
                env=self._environment,
                start_new_session=True,  # Ctrl-C reaches only us; its children can be ended
            )
        except OSError as error:
            errors.close()
            raise TargetError(f"{self._command[0]} cannot be started ({error.strerror})") from error
        self._running, self._errors = running, errors
        return running

    async def _ending(self, running: asyncio.subprocess.Process) -> str:
        assert self._errors is not None  # noqa: S101 - the process had one
        code = await running.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        reason = f": {last[:_SHOWN]}" if last else ""
        return f"ended without a reply (exit code {code}){reason}"


class StdioTarget:
    """A target in another process.

    Args:
        name: how reports name it.
        process: the process that answers.
        handshake: whether it is a worker of ours, which answers ``hello`` as soon as it has
            imported its target.
    """

    def __init__(self, name: str, process: Process, *, handshake: bool = False) -> None:
        self.name, self._process, self._handshake = name, process, handshake
        self.protocols: tuple[str, ...] = names()

    async def prepare(self) -> None:
        """Start a worker, so that its imports do not count as waiting for a stream.

        If it cannot start, its first reply reports why.
        """
        if self._handshake and not self._process.runs:
            with suppress(TargetError):
                await self._process.ask(ask="hello")

    def listen(self, call: Call) -> StdioListening:
        """Return a listening for one stream."""
        return StdioListening(self._process, call)

    async def aclose(self) -> None:
        """End the process."""
        await self._process.aclose()


class StdioListening:
    """Requests the outcome of a stream, then yields its chunks."""

    def __init__(self, process: Process, call: Call) -> None:
        self._process, self._call = process, call
        self._outcome = Outcome()
        self._replied = False
        self._chunks = self._read()

    async def __aenter__(self) -> Self:
        """Open nothing; the process opens and closes what it needs."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Yield no more; a process whose reply was not awaited was ended by ``ask``."""
        await self._chunks.aclose()
        if not self._replied:
            self._outcome = Outcome(finish="cancelled", ending="cancelled")

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Return the chunks of the reply; the first step awaits it.

        Raises:
            TargetError: the process did not reply, or its reply has no outcome; or, under the name
                and with the message of the original, the exception raised in the process.
        """
        return self._chunks

    def outcome(self) -> Outcome:
        """Return the outcome of the reply, or an empty one before that."""
        return self._outcome

    async def _read(self) -> AsyncGenerator[Chunk, None]:
        try:
            reply = await self._process.ask(**request_of(self._call))
            self._outcome = outcome_of(reply)
        except Exception:
            self._replied = True
            raise
        self._replied = True
        for chunk in self._outcome.chunks:
            yield chunk
        if "raised" in reply:
            raise _exception_of(reply["raised"])


def _reply(number: int, line: bytes) -> dict[str, JSON]:
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        text = line.decode("utf-8", "replace").strip()[:_SHOWN]
        raise TargetError(f"replied with a line that is not JSON: {text!r}") from None
    replied_to = reply.get("id") if isinstance(reply, dict) else reply
    if not isinstance(reply, dict) or replied_to != number:
        raise TargetError(f"replied to request {replied_to!r:.{_SHOWN}} instead of {number}")
    return reply


def request_of(call: Call) -> dict[str, JSON]:
    """Return the request that asks for a call's outcome."""
    return {
        "protocol": call.protocol,
        "base_url": call.base_url,
        "request": dict(call.request),
        "consumer": dict(call.consumer),
        "read_timeout": call.read_timeout,
    }


def outcome_of(reply: Mapping[str, Any]) -> Outcome:
    """Return the outcome in a process's reply.

    Raises:
        TargetError: it has none, or an invalid one.
    """
    if "unsupported" in reply:
        raise TargetError(str(reply["unsupported"]))
    if "outcome" not in reply:
        raise TargetError(f"replied with neither outcome nor harness_error, but {sorted(reply)}")
    try:
        return Outcome.model_validate(reply["outcome"])
    except ValueError as error:
        lines = str(error).splitlines()  # pydantic: number of errors, a place, what is wrong there
        raise TargetError(f"replied with an invalid outcome: {' '.join(lines[1:3])}") from None


def _exception_of(raised: Mapping[str, str]) -> TargetError:
    """Return an exception with the name and the message of one raised in another process."""
    error: TargetError = type(raised["type"], (TargetError,), {})(raised["message"])
    return error
