"""The file format: read back byte for byte, by us and by plain vcrpy; errors name the line."""

from __future__ import annotations

import base64
import gzip
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from harness.cassettes import load, save
from harness.cassettes.cassette import Cassette, Interaction, Request, Response, Stream
from harness.cassettes.yaml_text import block as yaml_body
from harness.cassettes.yaml_text import scalar
from harness.errors import InputError
from tests.cassettes.samples import cassette, hello

BODIES = {
    "lines": b"data: {}\n\ndata: [DONE]\n\n",
    "no end": b'{"a": "b"}',
    "one end": b"{}\n",
    "empty": b"",
    "crlf": b"data: {}\r\n\r\n data: x\r\n",
    "leading space": b"  a\n b",
    "leading end": b"\n\na",
    "spaces at the end": b"a  \n  \n b \n",
    "characters": "data: é 🙂 \u2028 \u0085 \ufeff \x7f \x00\n\n".encode(),
    "not text": b"\xff\xfe\x00" * 100,
    "an incomplete character": "é".encode()[:1],
    "backslash n": rb"a\nb\\n" + b"\n",
    "looks like YAML": b"- a: &x [*x]\n# not a comment\n--- \n...\n!!python/object\n",
    "a long line": b"a " * 50_000,
}


def with_body(content: bytes) -> Cassette:
    request = Request("POST", "https://a.example/", (), content)
    return Cassette((Interaction(request, Response(body=content)),))


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
def test_a_body_is_read_back_byte_for_byte(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    save(with_body(content), path)
    assert load(path) == with_body(content)
    [request], [response] = deserialize(path.read_text("utf-8"), yamlserializer)
    assert request.body == content
    assert response["body"]["string"] == content


@given(st.text() | st.text(alphabet=" \n\t\r\x85\u2028a\\n\"'é🙂:#-"))
def test_all_yaml_readers_read_the_same_text(text: str) -> None:
    written = f"- {yaml_body(text.encode(), '  ')}\n- {scalar(text)}\n- end\n"
    for reader in (yaml.SafeLoader, yaml.CSafeLoader):
        assert yaml.load(written, reader) == [text, text, "end"]  # noqa: S506 - both are safe


@pytest.mark.parametrize("text", ["yes", "null", "1", "1e3", "2026-11-24", "a: b", "~", "", "NO"])
def test_a_text_that_looks_like_another_value_is_quoted(text: str) -> None:
    assert yaml.safe_load(f"a: {scalar(text)}") == {"a": text}


def test_a_stream_is_written_as_readable_lines(tmp_path: Path) -> None:
    save(cassette(hello(tmp_path)), tmp_path / "a.yaml")
    text = (tmp_path / "a.yaml").read_text("utf-8")
    assert "      string: |+\n        event: message_start\n        data: {" in text
    assert "    stream:\n      end: clean\n      reads: >-\n        100@0.250000 " in text
    assert '      provenance:\n        what: "a test"\n        recorded: "2026-11-24"\n' in text
    crlf = yaml_body(b"data: {}\r\n\r\nend", "  ")
    assert crlf == '"data: {}\\r\\n\\\n  \\r\\n\\\n  end"'


def test_all_fields_of_an_interaction_are_read_back(tmp_path: Path) -> None:
    complete = hello(tmp_path)
    partial = hello(tmp_path, body=complete.response.body[:100])
    reads = complete.response.stream.reads or ()
    ended = replace(partial.response, stream=Stream(reads[:1], "client_closed"))
    without_body = Interaction(Request("GET", "http://a/"), Response(stream=Stream((), "reset")))
    saved = cassette(complete, Interaction(partial.request, ended), without_body)
    save(saved, tmp_path / "deeper/a.yaml")
    assert load(tmp_path / "deeper/a.yaml") == saved
    assert [path.name for path in (tmp_path / "deeper").iterdir()] == ["a.yaml"]


def test_an_empty_cassette_can_be_saved(tmp_path: Path) -> None:
    save(Cassette(), tmp_path / "a.yaml")
    assert load(tmp_path / "a.yaml") == Cassette()


# Cassettes of plain vcrpy, in its current and earlier versions.
def foreign(tmp_path: Path, **response: Any) -> Path:
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["text/event-stream"]},
        "body": {"string": "data: {}\n\n"},
    }
    request = {"method": "POST", "uri": "https://a/", "body": None, "headers": {"Accept": ["*/*"]}}
    interaction = {"request": request, "response": {**answer, **response}}
    path = tmp_path / "foreign.yaml"
    path.write_text(
        yamlserializer.serialize({"interactions": [interaction], "version": 1}), "utf-8"
    )
    return path


def test_a_plain_cassette_has_no_reads(tmp_path: Path) -> None:
    [found] = load(foreign(tmp_path)).interactions
    assert found.response.stream == Stream()
    assert found.response.body == b"data: {}\n\n"
    assert found.request == Request("POST", "https://a/", (("Accept", "*/*"),), b"")


PLAIN = b"data: {}\n\n" * 9
RAW = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("coding", "stored"),
    [
        ("gzip", gzip.compress(PLAIN)),
        ("x-gzip", gzip.compress(PLAIN[:40]) + gzip.compress(PLAIN[40:])),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", RAW.compress(PLAIN) + RAW.flush()),
        ("gzip", PLAIN),
        ("br", PLAIN),
        ("identity", PLAIN),
        ("deflate, gzip", gzip.compress(zlib.compress(PLAIN))),
    ],
    ids=str,
)
def test_a_stored_coding_is_decoded(coding: str, stored: bytes, tmp_path: Path) -> None:
    headers = {"Content-Encoding": [coding], "Content-Length": ["9"], "X": "one"}
    path = foreign(tmp_path, headers=headers, body={"string": stored})
    [found] = load(path).interactions
    assert found.response.body == PLAIN
    assert found.response.headers == (("X", "one"),)


def test_a_truncated_body_is_decoded_as_far_as_possible(tmp_path: Path) -> None:
    stored = gzip.compress(bytes(range(256)) * 99)[:-30]
    headers = {"Content-Encoding": ["gzip"]}
    [found] = load(foreign(tmp_path, headers=headers, body={"string": stored})).interactions
    assert 0 < len(found.response.body) < 256 * 99


@pytest.mark.parametrize(
    "response",
    [
        {"status_code": 200, "content": "data: {}\n\n"},
        {"body": {"base64_string": base64.b64encode(b"data: {}\n\n").decode()}},
        {"status": {"code": 200, "message": None}},
    ],
)
def test_earlier_formats_are_read(response: Any, tmp_path: Path) -> None:
    [found] = load(foreign(tmp_path, **response)).interactions
    assert (found.response.status, found.response.body) == (200, b"data: {}\n\n")


BOMB = gzip.compress(bytes(300 * 1024 * 1024), 9)
START = "interactions:\n- request: {method: GET, uri: http://a/}\n  response:\n"
ANSWER = "    status: {code: 200, message: OK}\n    headers: {}\n    body: {string: abc}\n"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "a cassette must be a mapping of keys"),
        ("hello", 1, "a cassette must be a mapping of keys"),
        ("[]", 1, "the format of vcrpy before 1.0"),
        ("a: 1\n", 1, "`interactions` is missing here; is this a cassette?"),
        ("interactions: []\nversion: 2\n", 2, "version 2 is not supported; the only version is 1"),
        ("version: 1\ninteractions: {}\n", 2, "`interactions` must be a list"),
        ("interactions:\n- 5\n", 2, "must be a mapping of keys"),
        ("interactions:\n- request: {}\n", 2, "`method` is missing here"),
        (START, 3, "`response` must be a mapping of keys"),
        (f"{START}    status: 200\n    headers: {{}}\n", 4, "`status` must be a mapping"),
        (f"{START}    status: {{code: ok}}\n    headers: {{}}\n", 4, "`code` must be an integer"),
        (f"{START}{ANSWER}    stream: {{end: cleen}}\n", 7, "did you mean 'clean'?"),
        (f"{START}{ANSWER}    stream: {{end: clean, reads: 1@0 1@1}}\n", 7, "sum to 2 bytes"),
        (f"{START}{ANSWER}    stream: {{end: clean, reads: 3}}\n", 7, "as in 213@0.102"),
        (f"{START}{ANSWER}    stream: {{end: clean, reads: 0@0 3@0}}\n", 7, "a read of 0 bytes"),
        (
            f"{START}{ANSWER}    stream:\n      end: clean\n      provenance: {{waht: a}}\n",
            9,
            "unknown provenance key 'waht'; did you mean 'what'?",
        ),
        (f"{START}{ANSWER}", 1, "`version: 1` is missing at the end; was the file cut short?"),
        ("interactions: !!python/object/apply:os.system [echo]\n", 1, "is not allowed"),
        ("interactions: !!binary é\n", 1, "failed to convert base64 data"),
        ("interactions: [\n", 2, "not valid YAML"),
        (f"a: &a [{'1,' * 9}1]\n" + f"b: [{'*a,' * 101_000}]\n", None, "too many YAML aliases"),
        (f"a: [{'1,' * 2_000_010}]\n", 1, "more than 1,000,000 values"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_error_names_the_line_and_the_cure(
    text: str, line: int | None, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert expected in str(caught.value)
    assert caught.value.path == path
    assert line is None or caught.value.line == line
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("coding", "stored", "expected"),
    [
        ("gzip", BOMB, "is larger than 268,435,456 bytes"),
        ("gzip", b"\x1f\x8bnonsense", "is not a complete gzip stream; record it again"),
        ("br", b"\xff\xfe nonsense", "is not a complete br stream; record it again"),
        ("compress", b"\x1f\x9d\xff", "compressed with compress, which is not supported"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_an_error(
    coding: str, stored: bytes, expected: str, tmp_path: Path
) -> None:
    headers = {"Content-Encoding": [coding]}
    with pytest.raises(InputError, match=expected) as caught:
        load(foreign(tmp_path, headers=headers, body={"string": stored}))
    assert caught.value.line


def test_a_file_too_large_is_not_read() -> None:
    with pytest.raises(InputError, match="larger than 268,435,456 bytes; split it"):
        load(Path("/dev/zero"))


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be created"):
        save(Cassette(), tmp_path / "file" / "a.yaml")
    with pytest.raises(InputError, match="cannot be written"):
        save(Cassette(), tmp_path)
