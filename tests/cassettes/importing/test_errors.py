"""Files that cannot be imported: the error names file, line and cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cassettes.importing.files import Imported, SkippedFile, import_files
from harness.errors import InputError
from harness.wire import event_stream
from tests.cassettes.importing.samples import archive, body, entry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("a.sse", b"", "a.sse: the file is empty"),
        ("a.sse", b"<html>", "a.sse: unrecognised recording format; supported: vcrpy cassette, "),
        ("a.sse", b": only a comment\n\n", "contains no event; is it the body of a stream?"),
        ("a.bin", b"\x00\x01\x02" * 50, "a.bin: unrecognised recording format"),
        ("a.ndjson", b'{"choices": []}\n{"choices"', "a.ndjson:2: not valid JSON (Expecting"),
        ("a.json", b'{\n"log": {\n"entries": [', "a.json:3: not valid JSON (Expecting value)"),
        ("a.json", b"[" * 100_000, "a.json: the JSON is nested too deeply"),
        ("a.json", b'["\xff"]', "a.json:1: not UTF-8 text"),
        ("a.json", b'{\n"some": "thing"\n}', "a.json: unrecognised recording format"),
        ("a.har", archive(entry("…")).replace("200", '"200"'), "entry 1: `status` is not an HTTP"),
        ("a.har", archive(entry("")), "entry 1 (https://api.openai.com/v1/chat/completions) has"),
        ("a.har", archive(entry("!", encoding="base64")), "entry 1: the body is not valid base64"),
        ("a.har", archive(), "none of its 0 exchanges is a stream or a request to a model"),
        ("a.json", '{"replay_id": "a", "interactions": []}', "the replay contains no interaction"),
        (
            "a.json",
            '{"fixtures": [{"match": {}, "response": {"image": {}}}]}',
            "no fixture has a response of text, tool calls or an error",
        ),
        ("a.json", '{"resourceSpans": []}', "no inference has gen_ai.output.messages"),
        ("a.yaml", "interactions: []\nversion: 1\n", "the cassette contains no exchange"),
        ("a.yaml", "interactions: !!python/object:os.x {}\n", "a.yaml:1: the tag"),
        ("a.yaml", "interactions:\n- request: {}\n", "a.yaml:2: `method` is missing"),
        (
            "a.eventstream",
            event_stream.write({}, b"{}") + b"\x00\x00",
            "AWS event stream, byte 18: ended after 2 bytes of a message",
        ),
    ],
)
def test_an_error_names_the_file_the_line_and_the_cure(
    file: str, content: bytes | str, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [found] = import_files([path])
    assert isinstance(found, InputError)
    assert expected in str(found)
    assert "\n" not in str(found)


def test_missing_files_and_folders_without_recordings_are_errors(tmp_path: Path) -> None:
    [gone, empty] = import_files([tmp_path / "none.sse", tmp_path])
    assert "none.sse: cannot be read (No such file" in str(gone)
    assert "the folder contains no .chunks.txt, .eventstream," in str(empty)


def test_an_invalid_file_does_not_hide_others_and_unrecognised_files_are_skipped(
    tmp_path: Path,
) -> None:
    for name, content in {
        "b/a.sse": body("openai_chat"),
        "a.sse": body("openai_chat"),
        "broken.har": b"{",
        "notes.json": b'{"some":\n"thing"}',
        "settings.yaml": b"event: none\n",
        "README.md": b"data: not a recording\n\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = list(import_files([tmp_path]))
    assert [one.name for one in found if isinstance(one, Imported)] == ["a", "b/a"]
    assert [type(one) for one in found if not isinstance(one, Imported)] == [
        InputError,
        SkippedFile,
        SkippedFile,
    ]
