"""What is no recording, or only a piece of one: one line that names file, line and cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cassettes.importing.walking import Imported, PassedOver, importing
from harness.errors import InputError
from harness.wire import event_stream
from tests.cassettes.importing.recorded import archive, body, entry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("a.sse", b"", "a.sse: the file is empty"),
        ("a.sse", b"<html>", "a.sse: in no form that is read here (vcrpy cassette, "),
        ("a.sse", b": only a comment\n\n", "holds no event; is it the body of a stream?"),
        ("a.bin", b"\x00\x01\x02" * 50, "a.bin: in no form that is read here"),
        ("a.ndjson", b'{"choices": []}\n{"choices"', "a.ndjson:2: no valid JSON (Expecting"),
        ("a.json", b'{\n"log": {\n"entries": [', "a.json:3: no valid JSON (Expecting value)"),
        ("a.json", b"[" * 100_000, "a.json: JSON that nests too deeply"),
        ("a.json", b'["\xff"]', "a.json:1: no UTF-8 text"),
        ("a.json", b'{\n"some": "thing"\n}', "a.json: in no form that is read here"),
        ("a.har", archive(entry("…")).replace("200", '"200"'), "entry 1: `status` is no HTTP"),
        ("a.har", archive(entry("")), "entry 1 (https://api.openai.com/v1/chat/completions) has"),
        ("a.har", archive(entry("!", encoding="base64")), "entry 1: the body is no base64"),
        ("a.har", archive(), "none of its 0 exchanges streams, or asks a model"),
        ("a.json", '{"replay_id": "a", "interactions": []}', "the replay holds no interaction"),
        (
            "a.json",
            '{"fixtures": [{"match": {}, "response": {"image": {}}}]}',
            "no fixture answers with words, calls or an error",
        ),
        ("a.json", '{"resourceSpans": []}', "no inference in it holds gen_ai.output.messages"),
        ("a.yaml", "interactions: []\nversion: 1\n", "the cassette holds no exchange"),
        ("a.yaml", "interactions: !!python/object:os.x {}\n", "a.yaml:1: the tag"),
        ("a.yaml", "interactions:\n- request: {}\n", "a.yaml:2: `method` is missing"),
        (
            "a.eventstream",
            event_stream.write({}, b"{}") + b"\x00\x00",
            "AWS event stream, byte 18: ended after 2 bytes of a message",
        ),
    ],
)
def test_what_cannot_be_imported_is_named_with_its_line_and_cure(
    file: str, content: bytes | str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [found] = importing([path])
    assert isinstance(found, InputError)
    assert says in str(found)
    assert "\n" not in str(found)


def test_a_file_that_is_not_there_and_a_folder_without_recordings(tmp_path: Path) -> None:
    [gone, empty] = importing([tmp_path / "none.sse", tmp_path])
    assert "none.sse: cannot be read (No such file" in str(gone)
    assert "the folder holds no .chunks.txt, .eventstream," in str(empty)


def test_one_bad_file_hides_no_other_and_foreign_ones_are_passed_over(tmp_path: Path) -> None:
    for name, content in {
        "b/a.sse": body("openai_chat"),
        "a.sse": body("openai_chat"),
        "broken.har": b"{",
        "notes.json": b'{"some":\n"thing"}',
        "settings.yaml": b"event: none\n",
        "README.md": b"data: no recording\n\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = list(importing([tmp_path]))
    assert [one.name for one in found if isinstance(one, Imported)] == ["a", "b/a"]
    assert [type(one) for one in found if not isinstance(one, Imported)] == [
        InputError,
        PassedOver,
        PassedOver,
    ]
