"""The recordings of real engines that lie in cassettes/: complete, told apart, as they ended."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
import vcr

from harness.cassettes import load
from harness.playback.recordings import Recording, exchanges
from recording.engines import KINDS
from recording.exchanges import Story, stories

TREE = Path(__file__).parents[2] / "cassettes"
STORIES = {story.name: story for story in stories()}
ENGINES = {f"{name}/" for name in KINDS}


def test_every_story_has_its_cassette_and_no_cassette_is_left_over() -> None:
    found = {path.relative_to(TREE).with_suffix("").as_posix() for path in TREE.rglob("*.yaml")}
    assert {name for name in found if name.partition("/")[0] + "/" in ENGINES} == {*STORIES}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_cassette_says_who_was_recorded_when_and_how(story: Story) -> None:
    [interaction] = load(TREE / f"{story.name}.yaml").interactions
    provenance = interaction.response.stream.provenance
    kind = KINDS[story.engine]
    assert provenance is not None
    assert (provenance.what, provenance.version) == (kind.name, kind.version)
    assert provenance.command == kind.made_by
    assert provenance.licence == kind.licence
    assert provenance.recorded is not None


def _end(story: Story) -> str:
    if story.plot.leaves_after is not None:
        return "client_closed"
    lost = story.plot.killed_after is not None or story.name.endswith("_lost")
    return "reset" if lost else "clean"


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_cassette_holds_the_reads_and_the_end_that_were_seen(story: Story) -> None:
    cassette = load(TREE / f"{story.name}.yaml")
    response = cassette.interactions[0].response
    assert response.stream.end == _end(story)
    assert response.stream.reads
    assert sum(read.length for read in response.stream.reads) == len(response.body)
    [told] = exchanges(cassette, TREE)
    assert isinstance(told, Recording)
    assert told.protocol == story.protocol
    if story.plot.leaves_after is not None:
        assert len(told.events()) >= story.plot.leaves_after


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_nothing_of_a_gateway_s_own_affairs_is_kept(story: Story) -> None:
    text = (TREE / f"{story.name}.yaml").read_text("utf-8").lower()
    assert "x-litellm" not in text
    assert "llm_provider-" not in text


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_plain_vcrpy_plays_the_same_bytes(story: Story) -> None:
    path = TREE / f"{story.name}.yaml"
    [interaction] = load(path).interactions
    player = vcr.VCR(record_mode="none", match_on=["method", "uri"])
    with player.use_cassette(str(path)), httpx2.Client() as client:
        request = interaction.request
        answer = client.request(request.method, request.uri, content=request.body)
    assert answer.content == interaction.response.body
    assert answer.status_code == 200
