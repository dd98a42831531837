"""A cassette replayed through the real SDK: same outcome under every cut, and the recorded end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import save
from harness.cassettes.cassette import Cassette, Interaction, Read, Request, Response, Stream
from harness.cassettes.scripts import script_of
from harness.engine.replayer import Replayer
from harness.errors import InputError
from harness.playback.recordings import Recording, SkippedRecording, recordings
from harness.protocols import protocol
from harness.targets.base import Call
from tests.cassettes.samples import URI, cassette, hello

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import Outcome

TREE = Path(__file__).parents[2] / "cassettes"
PLANS = ("event", "whole", "awkward", "edges", "random:1")


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    with Replayer(20, in_memory=True) as replayer:
        yield replayer


def replay(
    replayer: Replayer, recording: Recording, cut: str = "event", pace: Any = 0.0
) -> Outcome:
    ask = Call(recording.protocol, request=protocol(recording.protocol).request)
    interaction = replayer.replay("builtin", ask, recording.script(cut, pace))
    assert interaction.problem is None
    return interaction.outcome


def only(path: Path) -> Recording:
    [found] = recordings([path])
    assert isinstance(found, Recording), found
    return found


def test_recorded_reads_are_replayed_with_their_pauses(tmp_path: Path) -> None:
    script = script_of(hello(tmp_path).response, "anthropic_messages")
    read = script._replace(cut="recorded", pace="recorded")
    assert [(pause, len(piece)) for pause, piece in read.reads()] == [
        (0.25, 100),
        (0.25, len(script.body) - 100),
    ]
    assert [pause for pause, _ in read._replace(pace=0.5).reads()] == [0.0, 0.5]
    longer = read._replace(frames=(*read.frames, b": more\n\n"))
    assert [(pause, len(piece)) for pause, piece in longer.reads()][2:] == [(0.0, 8)]
    assert len(next(read._replace(frames=read.frames[:1]).reads())[1]) == 100


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cut": "recorded", "recorded": ()}, "this recording has no read timing"),
        ({"pace": "recorded"}, "needs the cut plan `recorded`"),
    ],
)
def test_recorded_cuts_and_pace_need_recorded_reads(
    changes: Any, expected: str, tmp_path: Path
) -> None:
    script = script_of(hello(tmp_path).response, "anthropic_messages")
    with pytest.raises(InputError, match=expected):
        script._replace(**changes).check()


def test_every_cut_has_the_same_outcome(tmp_path: Path, replayer: Replayer) -> None:
    save(cassette(hello(tmp_path)), tmp_path / "a.yaml")
    expected = replay(replayer, only(tmp_path / "a.yaml"))
    assert (expected.text, expected.ending) == ("Hello there", "complete")
    for cut in (*PLANS, "byte", "recorded"):
        assert replay(replayer, only(tmp_path / "a.yaml"), cut) == expected
    assert replay(replayer, only(tmp_path / "a.yaml"), "recorded", "recorded") == expected


@pytest.mark.parametrize("end", ["reset", "client_closed"])
def test_a_stream_that_broke_off_is_truncated(end: Any, tmp_path: Path, replayer: Replayer) -> None:
    expected = hello(tmp_path)
    partial = hello(tmp_path, body=expected.response.body[:-150], stream=Stream(None, end))
    save(cassette(partial), tmp_path / "a.yaml")
    outcome = replay(replayer, only(tmp_path / "a.yaml"))
    assert outcome.ending == "truncated"
    assert outcome.text.startswith("Hello")


def test_an_error_keeps_its_status_and_headers(tmp_path: Path, replayer: Replayer) -> None:
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    interaction = hello(
        tmp_path, status=429, headers=(("retry-after", "7"),), body=body, stream=Stream()
    )
    save(cassette(interaction), tmp_path / "a.yaml")
    recording = only(tmp_path / "a.yaml")
    assert recording.script().headers == (("retry-after", "7"),)
    outcome = replay(replayer, recording)
    assert outcome.error
    assert outcome.error.kind == "rate_limit"


def test_several_exchanges_are_numbered_and_other_responses_are_skipped(tmp_path: Path) -> None:
    interaction = hello(tmp_path)
    models = Interaction(Request("GET", "https://a/v1/models"), Response(body=b'{"data": []}'))
    lost = Interaction(Request("GET", "https://a/v1/models"), Response(status=404))
    image = replace(models, response=Response(body=b"\x89PNG\x00"))
    page = replace(models, response=Response(body=b"<html>"))
    silent = Interaction(Request("POST", URI), Response(stream=Stream((), "reset")))
    save(Cassette((interaction, models, lost, image, page, silent)), tmp_path / "a.yaml")
    found = list(recordings([tmp_path / "a.yaml"]))
    assert [type(one) for one in found] == [Recording, *[SkippedRecording] * 4, Recording]
    assert isinstance(found[5], Recording)
    assert (found[5].name, found[5].protocol) == ("a#6", "anthropic_messages")


def test_an_array_is_framed_again_without_its_reads() -> None:
    response = Response(body=b'[{"candidates":[]}]', stream=Stream((Read(19, 0.1),)))
    script = script_of(response, "gemini_generate")
    assert script.frames == (b'data: {"candidates":[]}\r\n\r\n',)
    assert script.recorded == ()


def test_a_named_yaml_file_that_is_not_a_cassette_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("title: a scenario\n", "utf-8")
    [error] = recordings([tmp_path / "a.yaml"])
    assert "a.yaml:1: `interactions` is missing here; is this a cassette?" in str(error)


@pytest.mark.skipif(not TREE.is_dir(), reason="no cassettes/ in this tree")
def test_no_cut_changes_the_outcome_of_a_cassette_of_this_tree(replayer: Replayer) -> None:
    found = list(recordings([TREE]))
    assert not [one for one in found if isinstance(one, InputError)]
    for recording in found:
        if isinstance(recording, Recording):
            expected = replay(replayer, recording)
            kept = ("recorded",) if recording.script().recorded else ()
            for cut in (*PLANS, *kept):
                assert replay(replayer, recording, cut) == expected, f"{recording.name} under {cut}"
