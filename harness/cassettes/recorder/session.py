"""A recording from start to end: load the cassette, run the proxy, write the cassette.

Rules of this file: the proxy runs in a thread with its own loop and listens on 127.0.0.1; the
cassette is written atomically when the recording ends; until then the journal beside it holds the
exchanges, and it is kept if anything fails.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.cassettes.reading import load
from harness.cassettes.recorder.client_connection import ClientConnection
from harness.cassettes.recorder.journal import Journal, JournalHeader, JournalReader
from harness.cassettes.recorder.playback_index import MODES, Mode, PlaybackIndex
from harness.cassettes.recorder.proxy_state import ProxyState
from harness.cassettes.recorder.upstreams import origin, upstreams
from harness.cassettes.recorder.wrapping import Client as AnyClient
from harness.cassettes.recorder.wrapping import redirected
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.writing import write
from harness.errors import HarnessError, InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

LOOPBACK = "127.0.0.1"
_NO_PROXY = ("no_proxy", "NO_PROXY")  # libraries read one or the other
JOURNAL = ".journal"  # suffix appended to the cassette's name


@dataclass(frozen=True)
class Summary:
    """What a recording did; the field names are the JSON keys of ``harness record --json``.

    Args:
        recorded: number of exchanges recorded.
        played: number of exchanges replayed from the cassette.
        missed: messages about exchanges that were refused, lost or not reached.
        masked: number of masked secrets, by kind.
    """

    recorded: int = 0
    played: int = 0
    missed: tuple[str, ...] = ()
    masked: Counter[str] = field(default_factory=Counter)


class Recording:
    """A context manager that records what its clients exchange with providers.

    Args:
        path: the cassette.
        mode: the record mode (see ``playback_index``).
        upstream: ``NAME=URL`` of servers beyond those the SDKs use by default.
        command: the command that produces the traffic, for the provenance.
        secrets: exact texts that are secrets; None takes them from the environment.

    Raises:
        InputError: an argument is invalid, or, on entry, the cassette or the journal is.
    """

    def __init__(
        self,
        path: Path | str,
        mode: Mode = "once",
        *,
        upstream: Sequence[str] = (),
        command: str | None = None,
        secrets: tuple[str, ...] | None = None,
    ) -> None:
        if mode not in MODES:
            raise UnknownWordError("record mode", mode, MODES)
        self.path = Path(path)
        self.summary = Summary()
        self._upstreams = upstreams(upstream, os.environ)
        self._scrubber = Scrubber(secrets)
        self._command = command
        self._mode: Mode = mode
        self._port = 0
        self._running = False
        self._wrapped = ExitStack()

    def base_url(self, name: str) -> str:
        """Return the base URL of an upstream's proxy, to configure a client with.

        Raises:
            UnknownWordError: no upstream has that name.
        """
        if name not in self._upstreams:
            raise UnknownWordError("upstream", name, self._upstreams)
        return f"http://{LOOPBACK}:{self._port}/{name}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point SDKs at the recorder and exclude it from HTTP proxies."""
        no_proxy = {
            name: f"{os.environ.get(name, '')},{LOOPBACK}".lstrip(",") for name in _NO_PROXY
        }
        upstreams_by_name = self._upstreams.items()
        urls = {
            one.variable: self.base_url(name) for name, one in upstreams_by_name if one.variable
        }
        return {**no_proxy, **urls}

    def wrap(self, client: AnyClient) -> AnyClient:
        """Return an SDK client that sends its requests to the original server via the recorder.

        Clients of openai and anthropic are copied; the copy shares the connections of the original,
        which is not changed. A google-genai client is itself redirected until the block ends.

        Args:
            client: a client of openai, anthropic or google-genai.

        Raises:
            InputError: the client is of another kind, its requests cannot be forwarded, or the
                recording is not running.
        """
        if not self._running:
            raise InputError("the recording is not running; wrap clients inside the `with` block")
        records = self._journal is not None
        return self._wrapped.enter_context(redirected(client, self._redirect, records=records))

    def _redirect(self, url: str) -> str:
        """Return the recorder's URL for a server's URL; the path stays."""
        parsed, here = urlsplit(url), f"{LOOPBACK}:{self._port}"
        user, at, address = parsed.netloc.rpartition("@")
        if address == here:
            return url
        server = origin(url)
        self._upstreams[server.name] = server
        path = f"/{server.name}{parsed.path}"
        return parsed._replace(scheme="http", netloc=f"{user}{at}{here}", path=path).geturl()

    def __enter__(self) -> Self:
        index = PlaybackIndex(self._mode, load(self.path) if self.path.exists() else None)
        self._journal = self._open_journal(index) if index.records else None
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]] = Future()
        self._thread = Thread(target=self._run, args=(ready, index), name="recorder", daemon=True)
        self._thread.start()
        try:
            self._loop, self._stop, self._state = ready.result()
        except BaseException:
            if self._journal is not None:  # it is empty
                self._journal.close()
                self._journal.path.unlink()
            raise
        self._running = True
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._wrapped.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        state = self._state
        self.summary = Summary(
            state.recorded, state.played, tuple(state.missed), self._scrubber.found
        )
        if self._journal is not None:
            self._journal.close()
            self._raise_failure(state)
            recover(self._journal.path, self.path)

    def _raise_failure(self, state: ProxyState) -> None:
        """Raise the first error of the recording, if any; the journal is kept."""
        error = state.error or state.write_queue.error
        if error is not None:
            place = self.path.with_name(self.path.name + JOURNAL)
            cure = f"what was recorded is in {place}; make a cassette of it with --recover"
            message = f"recording failed ({type(error).__name__}: {error}); {cure}"
            raise HarnessError(message) from error

    def _open_journal(self, index: PlaybackIndex) -> Journal:
        now = datetime.now(UTC)
        provenance = {"recorded": now.isoformat(timespec="seconds")}
        if self._command is not None:
            provenance["command"] = self._scrubber.text(self._command)
        header = JournalHeader(
            self.path.name, index.keeps_existing and index.existing is not None, provenance
        )
        return Journal(self.path.with_name(self.path.name + JOURNAL), header)

    def _run(
        self,
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]],
        index: PlaybackIndex,
    ) -> None:
        try:
            asyncio.run(self._serve(ready, index))
        except BaseException as error:  # noqa: BLE001 - raised by `__enter__`, which waits for it
            if not ready.done():
                ready.set_exception(error)

    async def _serve(
        self,
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]],
        index: PlaybackIndex,
    ) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        state = ProxyState(self._upstreams, index, self._scrubber, self._journal)
        server = await loop.create_server(lambda: ClientConnection(state), LOOPBACK, 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            ready.set_result((loop, stop, state))
            await stop.wait()
        finally:
            server.close()
            await state.close()
            await server.wait_closed()


def recording(
    path: Path | str,
    mode: Mode = "once",
    *,
    upstream: Sequence[str] = (),
    secrets: tuple[str, ...] | None = None,
) -> Recording:
    """Record the traffic of a ``with`` block: ``wrap`` SDK clients, or use ``base_url(name)``.

    Args:
        path: the cassette.
        mode: one of vcrpy's record modes, or ``rewrite``.
        upstream: ``NAME=URL`` of servers beyond those the SDKs use by default.
        secrets: exact texts that are secrets; None takes them from the environment.
    """
    return Recording(path, mode, upstream=upstream, secrets=secrets)


def recover(journal: Path, cassette: Path | None = None) -> int:
    """Make a cassette of a journal, remove the journal, and return the number of exchanges.

    Args:
        journal: the journal.
        cassette: the cassette; None means the one that the journal names, in the same folder.

    Raises:
        InputError: the file is not a journal, or the cassette cannot be read or written.
    """
    with JournalReader(journal) as reader:
        path = cassette or journal.with_name(reader.header.cassette)
        existing = load(path).interactions if reader.header.keeps and path.exists() else ()
        if reader.answered:
            write(chain(existing, reader.interactions()), path)
    journal.unlink()
    return reader.answered
