"""Recorded bodies on disk: usable ones are read, others are reported with the cure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError, UnknownWordError
from harness.playback.recordings import Recording, SkippedRecording, recordings
from harness.protocols import NAMES
from harness.wire import cut_plans

if TYPE_CHECKING:
    from pathlib import Path

BODIES = {
    "openai_chat": b'data: {"choices":[]}\n\ndata: [DONE]\n\n',
    "openai_responses": b'event: x\ndata: {"type":"response.created"}\n\n',
    "anthropic_messages": b'event: message_start\ndata: {"type":"message_start"}\n\n',
    "gemini_generate": b'data: {"usageMetadata":{}}\r\n\r\n',
}


def write_body(folder: Path, name: str, body: bytes, meta: Any = None) -> Path:
    path = folder / f"{name}.sse"
    path.write_bytes(body)
    if meta is not None:
        text = meta if isinstance(meta, str) else json.dumps(meta)
        path.with_suffix(".json").write_text(text, "utf-8")
    return path


def one(path: Path, protocol_name: str | None = None) -> Recording:
    [found] = recordings([path], protocol_name)
    assert isinstance(found, Recording), found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_protocol_of_a_body_is_detected(name: str, tmp_path: Path) -> None:
    found = one(write_body(tmp_path, "a", BODIES[name]))
    assert (found.protocol, found.name, found.status) == (name, "a", 200)


def test_the_first_event_that_identifies_a_protocol_decides(tmp_path: Path) -> None:
    body = b": ping\n\ndata: nonsense\n\ndata: {}\n\n" + BODIES["openai_chat"]
    assert one(write_body(tmp_path, "a", body)).protocol == "openai_chat"


def test_metadata_is_used(tmp_path: Path) -> None:
    meta = {
        "name": "mine", "protocol": "openai-chat", "status": 429,
        "provider": "groq", "fidelity": "exact",
    }  # fmt: skip
    found = one(write_body(tmp_path, "a", b'{"error": {}}', meta))
    assert (found.name, found.protocol, found.status) == ("mine", "openai_chat", 429)
    assert (found.provider, found.fidelity) == ("groq", "exact")
    script = found.script("byte")
    assert (script.status, script.body, script.cut) == (429, b'{"error": {}}', "byte")
    assert dict(script.headers) == {"content-type": "application/json"}


def test_the_named_protocol_wins(tmp_path: Path) -> None:
    path = write_body(tmp_path, "a", BODIES["openai_chat"], {"protocol": "gemini_generate"})
    assert one(path, "openai_responses").protocol == "openai_responses"


@pytest.mark.parametrize("plan", ["event", "byte"])
@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_the_body_byte_for_byte(name: str, plan: str, tmp_path: Path) -> None:
    script = one(write_body(tmp_path, "a", BODIES[name])).script(plan)
    assert script.body == BODIES[name]
    assert b"".join(cut_plans.cut(script.frames, script.cut)) == BODIES[name]
    assert dict(script.headers) == {"content-type": "text/event-stream"}


def test_an_array_is_framed_again(tmp_path: Path) -> None:
    body = b'[{"candidates":[]},\n{"usageMetadata":{}}]'
    found = one(write_body(tmp_path, "a", body))
    assert [event.data for event in found.events()] == [{"candidates": []}, {"usageMetadata": {}}]
    assert found.script().frames == (
        b'data: {"candidates":[]}\r\n\r\n',
        b'data: {"usageMetadata":{}}\r\n\r\n',
    )


def test_a_folder_is_read_recursively_in_order(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    write_body(tmp_path, "b", BODIES["openai_chat"])
    write_body(tmp_path, "a", b"")
    write_body(tmp_path / "deeper", "c", BODIES["openai_chat"], {"protocol": "other"})
    found = list(recordings([tmp_path]))
    assert [type(one) for one in found] == [InputError, Recording, SkippedRecording]
    assert found[2] == SkippedRecording("c", "other")


@pytest.mark.parametrize(
    ("body", "meta", "expected"),
    [
        (b" \n", None, "the file is empty"),
        (
            b"\x1f\x8b\x08\x00\x00",
            None,
            "binary, not an event stream; if it is compressed, unpack it",
        ),
        (b"data: {}\n\n", None, "name it with --protocol (openai_responses, "),
        (b"hello", None, "cannot detect the protocol"),
        (b'[{"a": 1', None, "a.sse: "),
        (BODIES["openai_chat"], "{", "metadata cannot be read (JSONDecodeError"),
        (BODIES["openai_chat"], "[" * 100_000, "metadata cannot be read (RecursionError"),
        (BODIES["openai_chat"], "[]", "metadata is not a JSON object"),
        (BODIES["openai_chat"], {"status": "200"}, "status is not an integer"),
        (BODIES["openai_chat"], {"status": None}, "status is not an integer"),
    ],
)
def test_an_unusable_file_is_reported_with_its_path(
    body: bytes, meta: Any, expected: str, tmp_path: Path
) -> None:
    path = write_body(tmp_path, "a", body, meta)
    [error] = recordings([path])
    assert isinstance(error, InputError)
    assert expected in str(error)
    assert str(tmp_path) in str(error)


def test_an_incomplete_array_is_reported_when_its_protocol_is_given(tmp_path: Path) -> None:
    found = one(write_body(tmp_path, "a", b'[{"a": 1'), "gemini_generate")
    with pytest.raises(InputError, match=r"a\.sse: "):
        found.script()


def test_missing_paths_and_empty_folders_are_reported(tmp_path: Path) -> None:
    missing, empty = recordings([tmp_path / "nowhere.sse", tmp_path])
    assert "cannot be read (No such file or directory)" in str(missing)
    assert "the folder contains no NAME.sse" in str(empty)


def test_an_unknown_protocol_suggests_the_nearest_name(tmp_path: Path) -> None:
    [error] = recordings([write_body(tmp_path, "a", b"data: {}\n\n")], "openai_chta")
    assert isinstance(error, UnknownWordError)
    assert "did you mean 'openai_chat'?" in str(error)


def test_a_deeply_nested_event_stays_text(tmp_path: Path) -> None:
    body = b"data: " + b"[" * 100_000 + b"\n\n" + BODIES["openai_chat"]
    found = one(write_body(tmp_path, "a", body))
    assert isinstance(found.events()[0].data, str)
