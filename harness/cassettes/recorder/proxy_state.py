"""What all connections of a recorder share."""

from __future__ import annotations

import asyncio
import ssl
from functools import cached_property
from typing import TYPE_CHECKING

from harness.cassettes.recorder.exchange_recorder import ExchangeRecorder
from harness.cassettes.recorder.upstream import UpstreamConnection
from harness.cassettes.recorder.write_queue import WriteQueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cassettes.cassette import Request, Response
    from harness.cassettes.recorder.client import ClientConnection
    from harness.cassettes.recorder.journal import Journal
    from harness.cassettes.recorder.playback_index import PlaybackIndex
    from harness.cassettes.recorder.upstreams import Upstream
    from harness.cassettes.scrubbing import Scrubber


class ProxyState:
    """Whom the recorder stands for, what is known, where the rest goes, and what happened.

    Args:
        upstreams: the servers, by name.
        shelf: what is known.
        scrubber: who masks.
        journal: where exchanges go; None where nothing is recorded.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        shelf: PlaybackIndex,
        scrubber: Scrubber,
        journal: Journal | None,
    ) -> None:
        self.upstreams, self.shelf, self.scrubber = upstreams, shelf, scrubber
        self._journal = journal
        self.scribe = WriteQueue()
        self.clients: set[ClientConnection] = set()
        self.recorded = self.played = 0
        self.missed: list[str] = []  # what was refused, lost or not reached, in words
        self.failed: Exception | None = None

    def known(self, asked: Request) -> Response | None:
        """Take the recorded response to a request; None where there is none left."""
        if not self.shelf.plays:
            return None
        told = self.shelf.play(self.scrubber.request(asked))
        self.played += told is not None
        return told

    def tape(self, asked: Request, what: str) -> ExchangeRecorder:
        """Begin to take down an exchange.

        Args:
            asked: the request.
            what: whom it is asked.
        """
        assert self._journal is not None, "the shelf records"  # noqa: S101 - told by `records`
        self.recorded += 1
        tape = ExchangeRecorder(self.recorded, asked, what, self._journal, self.scrubber)
        tape.over.add_done_callback(
            lambda _: tape.lost and self.miss(f"not all is recorded: {tape.lost}")
        )
        return tape

    async def connect(self, upstream: Upstream, client: asyncio.Transport) -> UpstreamConnection:
        """Open a connection to a server.

        Raises:
            OSError: it cannot be had.
        """
        secure = upstream.url.scheme == "https"
        _, line = await asyncio.get_running_loop().create_connection(
            lambda: UpstreamConnection(client, self.scribe),
            upstream.host,
            upstream.port,
            ssl=self._tls if secure else None,
            server_hostname=upstream.host if secure else None,
        )
        return line

    def unknown(self, name: str) -> str:
        """Say that nobody of that name is known, and who is."""
        known = ", ".join(self.upstreams)
        return self.miss(f"no upstream {name!r}; known: {known}; add one with --upstream NAME=URL")

    def refuse(self, asked: Request) -> str:
        """Say why a request is refused."""
        return self.miss(self.shelf.refusal(self.scrubber.request(asked)))

    def miss(self, words: str) -> str:
        """Remember what could not be done."""
        self.missed.append(words)
        return words

    async def close(self) -> None:
        """Close every connection and take down the rest."""
        await asyncio.gather(*(client.hang_up() for client in tuple(self.clients)))
        await self.scribe.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()
