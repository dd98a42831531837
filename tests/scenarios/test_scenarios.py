"""A scenario is read whole or refused with file, line and the nearest known word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.model import Event, Source
from harness.protocols import protocol
from harness.scenarios import (
    ABORTS,
    Consumer,
    consumer_of,
    discover,
    id_of,
    lint,
    load,
    load_all,
    scenario_root,
)
from tests.scenario_files import scenario_data, write, write_text, written

TEXT = """\
title: Two words
protocol: anthropic_messages
case: AN-001, AN-002
origin: synthesized
order: legal
spec:
  - url: https://docs.claude.com/en/api/messages-streaming
    says: A message starts, has blocks, and stops.
why: >
  The least that a stream can say.

stream:
  - message_start
  - message_delta
  - message_stop
transport: {status: 201, cut: byte, headers: {Retry-After: 3}, pace: 0.5, read_timeout: 1}
request: {max_tokens: 5}
must:
  text: ""
should:
  finish_raw: end_turn
holds_under: [crlf]
"""
ID = "anthropic_messages/text/hello"


def test_every_key_is_read(tmp_path: Path) -> None:
    scenario = load(write_text(tmp_path, ID, TEXT), tmp_path)
    assert (scenario.id, scenario.topic, scenario.root) == (ID, "text", tmp_path)
    assert scenario.cases == ("AN-001", "AN-002")
    assert scenario.spec == (
        Source(
            url="https://docs.claude.com/en/api/messages-streaming",
            says="A message starts, has blocks, and stops.",
        ),
    )
    assert scenario.why == "The least that a stream can say."
    assert scenario.stream[1].line == 14
    assert (scenario.must, scenario.should) == ({"text": ""}, {"finish_raw": "end_turn"})
    assert scenario.holds_under == ("crlf",)
    assert scenario.transport.read_timeout == 1
    assert scenario.dialect is None


def test_a_script_follows_the_transport(tmp_path: Path) -> None:
    script = load(write_text(tmp_path, ID, TEXT), tmp_path).script()
    assert (script.status, script.cut, script.pace, script.end) == (201, "byte", 0.5, "clean")
    assert dict(script.headers) == {"content-type": "text/event-stream", "retry-after": "3"}
    assert script.body.startswith(b"event: message_start\ndata: {")
    assert len(script.frames) == 3


def test_an_http_error_is_json_unless_headers_say_otherwise(tmp_path: Path) -> None:
    body: dict[str, Any] = {"stream": [{"json": {"error": {"type": "x"}}}], "order": "open"}
    script = written(tmp_path, transport={"status": 529}, **body).script()
    assert dict(script.headers) == {"content-type": "application/json"}
    assert script.frames == (b'{"error": {"type": "x"}}',)
    headers = {"Content-Type": "text/html"}
    script = written(tmp_path, transport={"status": 502, "headers": headers}, **body).script()
    assert dict(script.headers) == {"content-type": "text/html"}


def test_the_request_updates_the_protocols_default(tmp_path: Path) -> None:
    asked = written(tmp_path, request={"max_tokens": 5}).call_arguments()
    default = protocol("anthropic_messages").request
    assert asked == {**default, "max_tokens": 5}


def test_compiling_a_scenario_twice_gives_the_same(tmp_path: Path) -> None:
    usage = {"usage": {"input_tokens": 77, "output_tokens": 1}}
    stream = [{"message_start": {"message": usage}}, "message_delta", "message_stop"]
    scenario = written(tmp_path, stream=stream)
    assert scenario.wire() == scenario.wire()
    first = scenario.wire()[0]
    assert isinstance(first, Event)
    assert isinstance(first.data, dict)
    assert first.data["message"]["usage"]["input_tokens"] == 77


def test_a_topic_needs_a_folder(tmp_path: Path) -> None:
    assert written(tmp_path, "hello").topic == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tittle": "x"}, "unknown key 'tittle'; did you mean 'title'?"),
        ({"why": ...}, "why is missing"),
        ({"protocol": "antropic_messages"}, "did you mean 'anthropic_messages'?"),
        ({"protocol": ["x"]}, "unknown protocol"),
        ({"order": "leagl"}, "did you mean 'legal'?"),
        ({"origin": "synthesised"}, "did you mean 'synthesized'?"),
        ({"case": ...}, "add a `case` of docs/catalogue.md or a `spec`"),
        ({"case": 5}, "`case` must be text"),
        ({"title": None}, "`title` must be text"),
        ({"stream": "message_start"}, "`stream` must be a list"),
        ({"stream": [5]}, "an entry is one word, or one word with its payload"),
        ({"stream": [{"a": 1, "b": 2}]}, "an entry is one word"),
        ({"must": {}}, "no requirement: `must` and `should` are both empty"),
        ({"must": None}, "`must` must be a mapping"),
        ({"spec": [{"url": "u"}]}, "a spec has `url` and `says`"),
        ({"spec": [{"url": "u", "says": 5}]}, "both text"),
        ({"spec": ["u"]}, "a spec has `url` and `says`"),
        ({"holds_under": [5]}, "`holds_under` lists names"),
        ({"transport": {"stauts": 200}}, "unknown transport key 'stauts'; did you mean 'status'?"),
        ({"transport": {"status": "200"}}, "`status` must be a whole number"),
        ({"transport": {"status": True}}, "`status` must be a whole number"),
        ({"transport": {"headers": ["a"]}}, "`headers` must be a mapping"),
        ({"transport": {"pace": "slow"}}, "`pace` must be a number"),
        ({"transport": {"end": "rest"}}, "unknown end 'rest'; did you mean 'reset'?"),
        ({"transport": {"end": ["reset"]}}, "`end` must be text"),
        ({"transport": {"cut": "bytes"}}, "did you mean 'byte'?"),
        ({"consumer": "cancel"}, "`consumer` must be a mapping"),
        ({"consumer": {"do": "cancle"}}, "unknown consumer 'cancle'; did you mean 'cancel'?"),
        ({"consumer": {"do": ["read"]}}, "unknown consumer"),
        ({"consumer": {"doo": "read"}}, "unknown consumer key 'doo'; did you mean 'do'?"),
        ({"consumer": {"do": "break", "at": -1}}, "`at` is a number of chunks, from 0, or `every`"),
        ({"consumer": {"do": "break", "at": True}}, "`at` is a number of chunks"),
        ({"consumer": {"at": 3}}, "`at` needs another `do`"),
        (
            {"consumer": {"do": "full_stack", "at": 3}},
            "aborts after each number of chunks; `at` needs another",
        ),
        ({"transport": {"cut": 5}}, "`cut` must be text"),
    ],
)
def test_an_error_names_file_line_and_remedy(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        load(path, tmp_path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{caught.value.line}: ")
    assert caught.value.line is not None


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("cut", {"transport": {"status": 200, "cut": "bites"}}),
        ("pace", {"transport": {"status": 200, "pace": "slow"}}),
        ("says", {"spec": [{"url": "u", "says": "s"}, {"says": "s"}]}),
        ("protocol", {"protocol": "x"}),
        ("at", {"consumer": {"do": "break", "at": "evry"}}),
        ("dou", {"consumer": {"dou": "break"}}),
    ],
)
def test_the_line_is_that_of_the_key(key: str, changes: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        load(path, tmp_path)
    line = caught.value.line
    assert line is not None
    assert key in "".join(path.read_text("utf-8").splitlines()[line - 1 : line + 1])


@pytest.mark.parametrize(
    ("text", "message"), [("", "the file is empty"), ("- a\n", "a mapping of")]
)
def test_a_file_that_is_not_a_mapping_names_what_is_needed(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(write_text(tmp_path, ID, text), tmp_path)
    assert "title, protocol, origin, order, why, stream" in str(caught.value)


@pytest.mark.parametrize(
    ("written_so", "words", "consumer", "ways"),
    [
        ({}, "read", Consumer(), ()),
        ({"do": "cancel"}, "cancel", Consumer("cancel"), ("cancel",)),
        ({"do": "throw", "at": 0}, "throw:0", Consumer("throw", 0), ("throw",)),
        ({"do": "every", "at": "every"}, "every:every", Consumer("every"), ABORTS),
        ({"do": "full_stack"}, "full_stack", Consumer("full_stack"), ABORTS),
    ],
)
def test_a_consumer_is_read_from_file_and_command_line(
    written_so: dict[str, Any],
    words: str,
    consumer: Consumer,
    ways: tuple[str, ...],
    tmp_path: Path,
) -> None:
    assert load(write(tmp_path, consumer=written_so), tmp_path).consumer == consumer
    assert consumer_of(words) == consumer
    assert consumer.ways == ways


@pytest.mark.parametrize("words", ["cancle:3", "cancel:-1", "read:3", ":2"])
def test_an_unknown_consumer_is_rejected_by_name(words: str) -> None:
    with pytest.raises(InputError, match=f"consumer '{words}': "):
        consumer_of(words)


def test_an_invalid_file_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "anthropic_messages/text/a")
    write_text(tmp_path, "anthropic_messages/text/b", "[")
    write(tmp_path, "anthropic_messages/text/c")
    (tmp_path / "anthropic_messages/SPEC.yaml").write_text("[", "utf-8")
    found, errors = load_all(tmp_path)
    assert [scenario.id[-1] for scenario in found] == ["a", "c"]
    assert len(errors) == 1


def test_a_folder_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder of scenarios; name one with --scenarios"):
        discover(tmp_path / "nowhere")


def test_an_id_is_a_path(tmp_path: Path) -> None:
    assert id_of(tmp_path / "a" / "b" / "c.yaml", tmp_path) == "a/b/c"


def test_the_root_is_named_or_here_or_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert scenario_root(Path("mine")) == Path("mine")
    assert scenario_root().is_absolute()
    (tmp_path / "scenarios").mkdir()
    assert scenario_root() == Path("scenarios")


def _lint(tmp_path: Path, **changes: Any) -> list[str]:
    scenario = written(tmp_path, **changes)
    return [str(error) for error in lint(scenario, {"text", "usage"}, {"crlf"})]


def test_a_valid_scenario_has_no_lint(tmp_path: Path) -> None:
    assert _lint(tmp_path) == []
    assert _lint(tmp_path, order="open", stream=["message_stop"]) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"must": {"txt": ""}}, "unknown check 'txt'; did you mean 'text'?"),
        ({"should": {"usge": {}}}, "did you mean 'usage'?"),
        ({"holds_under": ["crfl"]}, "unknown mutation 'crfl'; did you mean 'crlf'?"),
        (
            {"stream": ["mesage_start"]},
            "unknown event 'mesage_start'; did you mean 'message_start'?",
        ),
        ({"stream": ["message_stop"]}, "order is not legal: event 0 message_stop"),
        ({"order": "illegal"}, "order is marked illegal, but the grammar accepts it"),
    ],
)
def test_lint_names_file_line_and_remedy(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    [error] = _lint(tmp_path, **changes)
    assert message in error
    assert error.startswith(str(tmp_path))


def test_a_missing_end_does_not_count_as_order(tmp_path: Path) -> None:
    assert _lint(tmp_path, stream=scenario_data()["stream"][:-2]) == []
    [error] = _lint(tmp_path, stream=scenario_data()["stream"][:-2], order="illegal")
    assert "the grammar accepts it" in error


def test_an_error_in_the_stream_has_its_line(tmp_path: Path) -> None:
    scenario = written(tmp_path, stream=["message_start", {"text_delta": {"at": 5}}])
    with pytest.raises(InputError, match="text_delta: its payload does not fit") as caught:
        scenario.wire()
    assert caught.value.path == scenario.path
    assert caught.value.line == scenario.stream[1].line
