"""The recordings of real engines in cassettes/: complete, with provenance, reads and end."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
import vcr

from harness.cassettes import load
from harness.playback.recordings import Recording, exchanges
from recording.engines import ENGINES
from recording.exchanges import Exchange, all_exchanges

TREE = Path(__file__).parents[2] / "cassettes"
EXCHANGES = {exchange.name: exchange for exchange in all_exchanges()}
FOLDERS = {f"{name}/" for name in ENGINES}


def test_every_exchange_has_a_cassette_and_no_cassette_is_unused() -> None:
    found = {path.relative_to(TREE).with_suffix("").as_posix() for path in TREE.rglob("*.yaml")}
    assert {name for name in found if name.partition("/")[0] + "/" in FOLDERS} == {*EXCHANGES}


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_a_cassette_has_its_provenance(exchange: Exchange) -> None:
    [interaction] = load(TREE / f"{exchange.name}.yaml").interactions
    provenance = interaction.response.stream.provenance
    engine = ENGINES[exchange.engine]
    assert provenance is not None
    assert (provenance.what, provenance.version) == (engine.name, engine.version)
    assert provenance.command == engine.record_command
    assert provenance.licence == engine.licence
    assert provenance.recorded is not None


def _end(exchange: Exchange) -> str:
    if exchange.spec.aborts_after is not None:
        return "client_closed"
    lost = exchange.spec.killed_after is not None or exchange.name.endswith("_lost")
    return "reset" if lost else "clean"


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_a_cassette_has_the_recorded_reads_and_end(exchange: Exchange) -> None:
    cassette = load(TREE / f"{exchange.name}.yaml")
    response = cassette.interactions[0].response
    assert response.stream.end == _end(exchange)
    assert response.stream.reads
    assert sum(read.length for read in response.stream.reads) == len(response.body)
    [recording] = exchanges(cassette, TREE)
    assert isinstance(recording, Recording)
    assert recording.protocol == exchange.protocol
    if exchange.spec.aborts_after is not None:
        assert len(recording.events()) >= exchange.spec.aborts_after


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_the_headers_of_a_gateway_are_dropped(exchange: Exchange) -> None:
    text = (TREE / f"{exchange.name}.yaml").read_text("utf-8").lower()
    assert "x-litellm" not in text
    assert "llm_provider-" not in text


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_plain_vcrpy_replays_the_same_bytes(exchange: Exchange) -> None:
    path = TREE / f"{exchange.name}.yaml"
    [interaction] = load(path).interactions
    player = vcr.VCR(record_mode="none", match_on=["method", "uri"])
    with player.use_cassette(str(path)), httpx2.Client() as client:
        request = interaction.request
        answer = client.request(request.method, request.uri, content=request.body)
    assert answer.content == interaction.response.body
    assert answer.status_code == 200
