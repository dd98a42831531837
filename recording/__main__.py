"""Records exchanges with real engines into ``cassettes/``: ``python -m recording [PREFIX…]``.

Each exchange is a request of the real SDK, through the recorder, to an engine that is started for
it. With prefixes, only the exchanges whose names begin with one of them are recorded; without,
those of all engines that are not heavy.

Rules of this file: a cassette is replaced only by a complete recording; the version and licence of
the engine are added; the engine's port, which differs each time, is replaced by a fixed one; a
gateway's headers about its own configuration and costs are dropped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.cassettes import load, save
from harness.cassettes.cassette import Cassette, Provenance
from harness.cassettes.recorder.session import Recording
from recording.engine_process import RunningEngine, run_engine
from recording.engines import BUILD, ENGINES, FOLDER, Engine
from recording.exchanges import Exchange, all_exchanges
from recording.sdk_client import read_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cassettes.cassette import Interaction, Response

CASSETTES = FOLDER.parent / "cassettes"
_UPSTREAM = "engine"  # its name for the recorder
_AUTHORITY = "127.0.0.1:8080"
_MAX_ATTEMPTS = 20  # until the end of a body is seen
_GATEWAY = ("x-litellm-", "llm_provider-")  # headers about the model behind it and its cost


def main(prefixes: Sequence[str]) -> int:
    """Record the exchanges whose names begin with one of the prefixes; return the exit code."""
    selected = [one for one in all_exchanges() if _is_selected(one, prefixes)]
    missing = [
        name for name in {one.engine: None for one in selected} if not ENGINES[name].installed
    ]
    for group in _by_process(one for one in selected if one.engine not in missing):
        engine = ENGINES[group[0].engine]
        with run_engine(engine) as process:
            for exchange in group:
                response = record(exchange, engine, process)
                _log(f"{exchange.name}: {len(response.body)} bytes, {response.stream.end}")
    for name in missing:
        _log(f'{name} is not installed; run `make record ENGINES="{name}"`')
    return 1 if missing or not selected else 0


def _is_selected(exchange: Exchange, prefixes: Sequence[str]) -> bool:
    return (
        exchange.name.startswith(tuple(prefixes))
        if prefixes
        else not ENGINES[exchange.engine].heavy
    )


def _by_process(selected: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    """Yield the exchanges of each process: all of an engine if they share one, else one each."""
    for engine, group in groupby(selected, key=lambda exchange: exchange.engine):
        if ENGINES[engine].shares_process:
            yield [*group]
        else:
            yield from ([exchange] for exchange in group)


def record(exchange: Exchange, engine: Engine, process: RunningEngine) -> Response:
    """Record one exchange and return the recorded response.

    An SDK disconnects at the terminal event, when the end of the body may not have arrived yet.
    Which comes first is a matter of timing, so an exchange that is to be read to its end is
    repeated until the end was recorded.

    Raises:
        RuntimeError: the end was never recorded.
    """
    for _ in range(_MAX_ATTEMPTS):
        interaction = _record_once(exchange, engine, process)
        stream = interaction.response.stream
        if stream.end != "client_closed" or exchange.spec.aborts_after is not None:
            save(
                Cassette((_with_provenance(interaction, engine),)),
                CASSETTES / f"{exchange.name}.yaml",
            )
            return interaction.response
    raise RuntimeError(f"{exchange.name}: the end was not recorded in {_MAX_ATTEMPTS} attempts")


def _record_once(exchange: Exchange, engine: Engine, process: RunningEngine) -> Interaction:
    temporary = BUILD / "recording.yaml"
    upstream = [f"{_UPSTREAM}={process.url}"]
    with Recording(
        temporary, "rewrite", upstream=upstream, command=engine.record_command
    ) as recorder:
        read_stream(exchange, engine, recorder.base_url(_UPSTREAM), process.pid)
    [interaction] = load(temporary).interactions
    temporary.unlink()
    return interaction


def _with_provenance(interaction: Interaction, engine: Engine) -> Interaction:
    request, response = interaction.request, interaction.response
    recorded = response.stream.provenance
    provenance = Provenance(
        what=engine.name,
        version=engine.version,
        recorded=None if recorded is None else recorded.recorded,
        licence=engine.licence,
        command=engine.record_command,
    )
    uri = urlsplit(request.uri)._replace(netloc=_AUTHORITY).geturl()
    stream = replace(response.stream, provenance=provenance)
    headers = tuple(one for one in response.headers if not one[0].lower().startswith(_GATEWAY))
    return replace(
        interaction,
        request=replace(request, uri=uri),
        response=replace(response, headers=headers, stream=stream),
    )


def _log(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
