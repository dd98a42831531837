"""Malformed recordings: every import succeeds or raises an InputError of one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.cassettes import load
from harness.cli.import_.recordings import Written, import_recordings
from harness.errors import InputError
from harness.scenarios import lint
from harness.scenarios import load as load_scenario
from tests.cassettes.importing.samples import archive, body, entry, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(["\ud800", "http://[", "a\r\nb: c", "\x00", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
PART = {"type": "tool_call", "id": "c", "name": "get", "arguments": {"a": 1}}
SPAN = {
    "name": "chat",
    "context": {},
    "attributes": {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.response.model": "m",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.output.messages": [
            {"parts": [PART, {"type": "text", "content": "x"}], "finish_reason": "stop"}
        ],
    },
}
DOCUMENTS: dict[str, Any] = {
    "har": json.loads(archive(entry(body("openai_chat").decode()))),
    "replay": {
        "replay_id": "a/b/c",
        "interactions": [
            {
                "request": {
                    "method": "post",
                    "url": "x:streamGenerateContent",
                    "body_segments": [],
                },
                "response": {"status_code": 200, "body_segments": values("gemini_generate")},
            }
        ],
    },
    "fixtures": {
        "fixtures": [
            {
                "match": {"userMessage": "x"},
                "response": {
                    "content": "Hi",
                    "reasoning": "Hm",
                    "toolCalls": [{"name": "get", "arguments": "{}"}],
                    "usage": {"prompt_tokens": 1},
                },
            },
            {"match": {}, "response": {"error": {"message": "x"}, "status": 500}},
        ]
    },
    "spans": [SPAN],
    "otlp": {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "attributes": [
                                    {
                                        "key": "gen_ai.output.messages",
                                        "value": {"stringValue": '[{"parts": []}]'},
                                    },
                                    {
                                        "key": "gen_ai.usage.output_tokens",
                                        "value": {"intValue": "7"},
                                    },
                                ]
                            }
                        ]
                    }
                ]
            }
        ]
    },
    "array": values("gemini_generate"),
    "metadata": {"protocol": "openai-chat", "status": 200, "request": {"host": "h", "path": "/x"}},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a value."""
    yield path
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def check_import(path: Path) -> None:
    """Import a file with its drafts; check that the drafts are valid, or that the error is."""
    out = path.parent / "out"
    [found] = import_recordings(path, out, None, drafts=True, force=True)
    if isinstance(found, Written):
        assert load(found.path)
        scenarios = [load_scenario(draft, out / "scenarios") for draft in found.drafts]
        assert not [error for scenario in scenarios for error in lint(scenario, {"ending"}, ())]
    else:
        assert isinstance(found, InputError)
        assert str(found).startswith(str(path.parent))
        assert "\n" not in str(found)


FEW_EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "metadata"])
@FEW_EXAMPLES
@given(data=st.data())
def test_a_document_with_any_value_replaced(name: str, data: st.DataObject, tmp_path: Path) -> None:
    document = DOCUMENTS[name]
    at = data.draw(st.sampled_from(list(places(document))))
    path = tmp_path / "a.json"
    path.write_text(json.dumps(replaced(document, at, data.draw(junk))), "utf-8")
    check_import(path)


@FEW_EXAMPLES
@given(data=st.data())
def test_a_metadata_file_with_any_value_replaced(data: st.DataObject, tmp_path: Path) -> None:
    document = DOCUMENTS["metadata"]
    at = data.draw(st.sampled_from(list(places(document))))
    (tmp_path / "a.sse").write_bytes(body("openai_chat"))
    (tmp_path / "a.json").write_text(json.dumps(replaced(document, at, data.draw(junk))), "utf-8")
    check_import(tmp_path / "a.sse")


@pytest.mark.parametrize("suffix", [".sse", ".json", ".ndjson", ".har", ".yaml", ".eventstream"])
@FEW_EXAMPLES
@given(content=st.binary(max_size=200))
@example(content=b"\xef\xbb\xbf")
@example(content=b"[]")
@example(content=b"{}")
@example(content=b"null")
@example(content=b"interactions: [5]")
def test_any_bytes_with_any_suffix(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    check_import(path)


@pytest.mark.parametrize("name", DOCUMENTS)
@FEW_EXAMPLES
@given(data=st.data())
def test_a_document_truncated_anywhere(name: str, data: st.DataObject, tmp_path: Path) -> None:
    text = json.dumps(DOCUMENTS[name], indent=data.draw(st.none() | st.just(1)))
    path = tmp_path / "a.json"
    path.write_text(text[: data.draw(st.integers(1, len(text) - 1))], "utf-8")
    check_import(path)
