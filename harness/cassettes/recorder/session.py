"""A recording from beginning to end: what is known is read, the proxy runs, a cassette is made.

Rules of this file: the proxy lives in a thread with a loop of its own and listens on 127.0.0.1; the
cassette is written once, whole, when the recording ends; until then the journal beside it holds
everything, and it stays if anything goes wrong.
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
from harness.cassettes.recorder.client import ClientConnection
from harness.cassettes.recorder.journal import Journal, JournalReader, Opening
from harness.cassettes.recorder.playback_index import MODES, Mode, PlaybackIndex
from harness.cassettes.recorder.proxy_state import ProxyState
from harness.cassettes.recorder.upstreams import origin, upstreams
from harness.cassettes.recorder.wrapping import Client as AnyClient
from harness.cassettes.recorder.wrapping import wrapped
from harness.cassettes.scrubbing import Scrubber
from harness.cassettes.writing import write
from harness.errors import HarnessError, InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

LOOPBACK = "127.0.0.1"
_NO_PROXY = ("no_proxy", "NO_PROXY")  # libraries read either
JOURNAL = ".journal"  # behind the cassette's name


@dataclass(frozen=True)
class Summary:
    """What a recording did.

    Args:
        recorded: exchanges taken down.
        played: exchanges answered from the cassette.
        missed: what was refused, lost or not reached, in words.
        masked: how often each kind of secret was masked.
    """

    recorded: int = 0
    played: int = 0
    missed: tuple[str, ...] = ()
    masked: Counter[str] = field(default_factory=Counter)


class Recording:
    """A context manager that records what clients of its addresses exchange with providers.

    Args:
        path: the cassette.
        mode: what becomes of requests that are known and of those that are not (``PlaybackIndex``).
        upstream: ``NAME=URL`` of servers beyond those the SDKs know.
        command: what produces the traffic, for the provenance.
        secrets: exact texts that are secrets; None takes them from the environment.

    Raises:
        InputError: the cassette, the journal or an argument is at fault.
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
        """Return the address to give a client instead of a server's.

        Raises:
            UnknownWordError: there is no upstream of that name.
        """
        if name not in self._upstreams:
            raise UnknownWordError("upstream", name, self._upstreams)
        return f"http://{LOOPBACK}:{self._port}/{name}"

    def environment(self) -> dict[str, str]:
        """Return the variables that make SDKs ask the recorder, and no proxy on their way to it."""
        near = {name: f"{os.environ.get(name, '')},{LOOPBACK}".lstrip(",") for name in _NO_PROXY}
        known = self._upstreams.items()
        urls = {one.variable: self.base_url(name) for name, one in known if one.variable}
        return {**near, **urls}

    def wrap(self, client: AnyClient) -> AnyClient:
        """Return an SDK's client that asks the recorder, which asks the client's own server.

        Clients of openai and anthropic are copied; the copy shares the connections of the original,
        which stays as it is. One of google-genai is itself redirected until the block ends.

        Args:
            client: a client of openai, anthropic or google-genai, as its user made it.

        Raises:
            InputError: it is no such client, its requests cannot be sent on, or nothing runs yet.
        """
        if not self._running:
            raise InputError("nothing is recorded here; wrap clients inside the `with` block")
        records = self._journal is not None
        return self._wrapped.enter_context(wrapped(client, self._moved, records=records))

    def _moved(self, url: str) -> str:
        """Return an address below the recorder for one of any server; its path stays."""
        found, here = urlsplit(url), f"{LOOPBACK}:{self._port}"
        user, at, place = found.netloc.rpartition("@")
        if place == here:
            return url
        server = origin(url)
        self._upstreams[server.name] = server
        path = f"/{server.name}{found.path}"
        return found._replace(scheme="http", netloc=f"{user}{at}{here}", path=path).geturl()

    def __enter__(self) -> Self:
        shelf = PlaybackIndex(self._mode, load(self.path) if self.path.exists() else None)
        self._journal = self._opened(shelf) if shelf.records else None
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]] = Future()
        self._thread = Thread(target=self._run, args=(ready, shelf), name="recorder", daemon=True)
        self._thread.start()
        try:
            self._loop, self._leave, self._desk = ready.result()
        except BaseException:
            if self._journal is not None:  # nothing stands in it
                self._journal.close()
                self._journal.path.unlink()
            raise
        self._running = True
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._wrapped.close()
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()
        desk = self._desk
        self.summary = Summary(desk.recorded, desk.played, tuple(desk.missed), self._scrubber.found)
        if self._journal is not None:
            self._journal.close()
            self._judge(desk)
            recover(self._journal.path, self.path)

    def _judge(self, desk: ProxyState) -> None:
        """Raise what went wrong while recording; the journal stays as it is."""
        failed = desk.failed or desk.scribe.failed
        if failed is not None:
            place = self.path.with_name(self.path.name + JOURNAL)
            words = f"the recording broke off ({type(failed).__name__}: {failed}); it is in {place}"
            raise HarnessError(words) from failed

    def _opened(self, shelf: PlaybackIndex) -> Journal:
        now = datetime.now(UTC)
        provenance = {"recorded": now.isoformat(timespec="seconds")}
        if self._command is not None:
            provenance["command"] = self._scrubber.text(self._command)
        opening = Opening(self.path.name, shelf.keeps and shelf.known is not None, provenance)
        return Journal(self.path.with_name(self.path.name + JOURNAL), opening)

    def _run(
        self,
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]],
        shelf: PlaybackIndex,
    ) -> None:
        try:
            asyncio.run(self._live(ready, shelf))
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for us
            if not ready.done():
                ready.set_exception(error)

    async def _live(
        self,
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, ProxyState]],
        shelf: PlaybackIndex,
    ) -> None:
        loop, leave = asyncio.get_running_loop(), asyncio.Event()
        desk = ProxyState(self._upstreams, shelf, self._scrubber, self._journal)
        server = await loop.create_server(lambda: ClientConnection(desk), LOOPBACK, 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            ready.set_result((loop, leave, desk))
            await leave.wait()
        finally:
            server.close()
            await desk.close()
            await server.wait_closed()


def recording(
    path: Path | str,
    mode: Mode = "once",
    *,
    upstream: Sequence[str] = (),
    secrets: tuple[str, ...] | None = None,
) -> Recording:
    """Record what SDKs do inside a block: ``wrap`` their clients, or give them ``base_url(name)``.

    Args:
        path: the cassette.
        mode: vcrpy's record mode, or ``rewrite``.
        upstream: ``NAME=URL`` of servers beyond those the SDKs know.
        secrets: exact texts that are secrets; None takes them from the environment.
    """
    return Recording(path, mode, upstream=upstream, secrets=secrets)


def recover(journal: Path, cassette: Path | None = None) -> int:
    """Make a cassette of a journal, and remove the journal; return how many exchanges it held.

    Args:
        journal: the journal.
        cassette: the cassette; None makes the one the journal names, beside it.

    Raises:
        InputError: the journal is none, or the cassette cannot be read or written.
    """
    with JournalReader(journal) as reader:
        path = cassette or journal.with_name(reader.opening.cassette)
        kept = load(path).interactions if reader.opening.keeps and path.exists() else ()
        if reader.answered:
            write(chain(kept, reader.interactions()), path)
    journal.unlink()
    return reader.answered
