"""What all connections of a recorder share."""

from __future__ import annotations

import asyncio
import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder
from harness.cassettes.recorder.upstream_connection import UpstreamConnection
from harness.cassettes.recorder.write_queue import WriteQueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cassettes.cassette import Request, Response
    from harness.cassettes.recorder.journal import Journal
    from harness.cassettes.recorder.playback_index import PlaybackIndex
    from harness.cassettes.recorder.upstreams import Upstream
    from harness.cassettes.scrubbing import Scrubber


class Closable(Protocol):
    """A connection that can be closed."""

    async def close(self) -> None:
        """Close it and wait until it has ended."""


class ProxyState:
    """The servers behind the recorder, the recorded responses, the journal, and the counts.

    Args:
        upstreams: the servers, by name.
        index: the recorded responses.
        scrubber: masks secrets.
        journal: where exchanges are written; None if nothing is recorded.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        index: PlaybackIndex,
        scrubber: Scrubber,
        journal: Journal | None,
    ) -> None:
        self.upstreams, self.index, self.scrubber = upstreams, index, scrubber
        self._journal = journal
        self.write_queue = WriteQueue()
        self.clients: set[Closable] = set()
        self.recorded = self.played = 0
        self.missed: list[str] = []  # messages: what was refused, lost or not reached
        self.error: Exception | None = None

    def recorded_response(self, request: Request) -> Response | None:
        """Remove and return the next recorded response to a request, None if none is left."""
        if not self.index.has_responses:
            return None
        response = self.index.next_response(self.scrubber.request(request))
        self.played += response is not None
        return response

    def new_recorder(self, request: Request, provider: str) -> ExchangeRecorder:
        """Return the recorder of a new exchange.

        Args:
            request: the request.
            provider: the authority of the server.
        """
        assert self._journal is not None, "index.records is true"  # noqa: S101 - callers check it
        self.recorded += 1
        recorder = ExchangeRecorder(self.recorded, request, provider, self._journal, self.scrubber)
        recorder.finished.add_done_callback(
            lambda _: (
                recorder.problem and self.add_problem(f"not all was recorded: {recorder.problem}")
            )
        )
        return recorder

    async def connect(self, upstream: Upstream, client: asyncio.Transport) -> UpstreamConnection:
        """Open a connection to a server.

        Raises:
            OSError: the server cannot be reached.
        """
        secure = upstream.url.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: UpstreamConnection(client, self.write_queue),
            upstream.host,
            upstream.port,
            ssl=self._tls if secure else None,
            server_hostname=upstream.host if secure else None,
        )
        return connection

    def unknown_upstream(self, name: str) -> str:
        """Return the message for an upstream name that is not configured."""
        known = ", ".join(self.upstreams)
        return self.add_problem(
            f"no upstream {name!r}; known: {known}; add one with --upstream NAME=URL"
        )

    def refuse(self, request: Request) -> str:
        """Return why a request is refused."""
        return self.add_problem(self.index.refusal(self.scrubber.request(request)))

    def add_problem(self, problem: str) -> str:
        """Add a message to the summary and return it."""
        self.missed.append(problem)
        return problem

    async def close(self) -> None:
        """Close every connection and write what is queued."""
        await asyncio.gather(*(client.close() for client in tuple(self.clients)))
        await self.write_queue.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()
