"""A scenario whose stream is a cassette: the recording is sent, the requirements are written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import save
from harness.cli import main
from harness.errors import InputError
from harness.model import Event
from harness.scenarios import Scenario, lint
from tests.cassettes.samples import cassette, hello
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cassette_path(tmp_path: Path) -> Path:
    """A cassette of two interactions, the second one an error that was reset."""
    recording = hello(tmp_path)
    stream = replace(recording.response.stream, end="reset")
    lost = replace(recording.response, status=529, stream=stream)
    path = tmp_path / "cassettes/mine/a.yaml"
    save(cassette(recording, replace(recording, response=lost)), path)
    return path


def recorded(tmp_path: Path, **changes: Any) -> Scenario:
    keys = {"origin": "recorded", "cassette": "mine/a.yaml#1", "stream": ..., **changes}
    return written(tmp_path / "scenarios", **keys)


@pytest.mark.usefixtures("cassette_path")
def test_the_recording_is_what_is_sent(tmp_path: Path) -> None:
    scenario = recorded(tmp_path)
    script = scenario.script()
    assert script.body == hello(tmp_path).response.body
    assert script.headers == hello(tmp_path).response.headers
    assert all(isinstance(event, Event) for event in scenario.wire())
    assert list(lint(scenario, {"text"}, ())) == []


@pytest.mark.usefixtures("cassette_path")
def test_the_transport_overrides_the_recording(tmp_path: Path) -> None:
    lost = recorded(tmp_path, cassette="mine/a.yaml#2")
    assert (lost.script().status, lost.script().end) == (529, "reset")
    way = {"status": 200, "end": "clean", "cut": "recorded", "pace": "recorded"}
    recording = recorded(tmp_path, transport={**way, "headers": {"X-A": "3"}}).script()
    assert (recording.status, recording.end, recording.cut) == (200, "clean", "recorded")
    assert [pause for pause, _ in recording.reads()] == [0.25, 0.25]
    assert dict(recording.headers) == {"content-type": "text/event-stream", "x-a": "3"}


@pytest.mark.usefixtures("cassette_path")
def test_it_runs_and_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = recorded(tmp_path, holds_under=["any_byte_split", "sse_comments", "crlf"])
    monkeypatch.chdir(tmp_path)
    assert main(["list", scenario.id]) == 0
    assert main(["run", scenario.id]) == 0
    assert main(["explain", scenario.id]) == 0
    assert "recorded" in capsys.readouterr().out


@pytest.mark.usefixtures("cassette_path")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine/a.yaml", "contains 2 interactions; choose one, as in mine/a.yaml#1"),
        ("mine/a.yaml#3", "has no interaction '3'; it contains 2"),
        ("mine/a.yaml#x", "has no interaction 'x'"),
        ("mine/b.yaml", "cannot be read (No such file or directory)"),
        ("../scenarios/a.yaml", "escapes"),
        ("/etc/passwd", "escapes"),
    ],
)
def test_a_cassette_that_is_not_there_is_named(name: str, message: str, tmp_path: Path) -> None:
    [error] = lint(recorded(tmp_path, cassette=name), {"text"}, ())
    assert message in str(error)
    assert (error.path, error.line is not None) == (recorded(tmp_path, cassette=name).path, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stream": ["message_start"]}, "the cassette is the stream; remove one of them"),
        ({"origin": "synthesized"}, "write `origin: recorded`"),
        ({"cassette": 5}, "`cassette` must be text"),
        ({"cassette": ...}, "stream is missing"),
        ({"transport": {"pace": "slow"}}, "`pace` must be a number"),
    ],
)
def test_a_scenario_has_one_stream(changes: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        recorded(tmp_path, **changes)
    assert caught.value.line
