"""docs/streaming.md: its examples run as printed, and it names the public API."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

import harness.streaming
from harness.playback.response_registry import ResponseRegistry
from harness.playback.transport import MEMORY_URL, memory_transport
from tests.streaming.memory_provider import error_response, text_response

if TYPE_CHECKING:
    from harness.wire.script import Script

PAGE = (Path(__file__).parents[2] / "docs" / "streaming.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NO_KEY = error_response(401, {"error": {"message": "No key"}})
RATE_LIMIT = error_response(429, {"error": {"type": "rate_limit_error", "message": "Slow down"}})


def run(example: str, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run an example whose SDK clients are connected to a provider in memory."""
    registry = ResponseRegistry()
    options: dict[str, Any] = {
        "api_key": "k",
        "base_url": f"{MEMORY_URL}/{registry.register(script)}",
        "http_client": httpx2.AsyncClient(transport=memory_transport(registry)),
    }
    monkeypatch.setattr(openai, "AsyncOpenAI", partial(openai.AsyncOpenAI, **options))
    monkeypatch.setattr(anthropic, "AsyncAnthropic", partial(anthropic.AsyncAnthropic, **options))
    exec(compile(example, "docs/streaming.md", "exec"), {"__name__": "example"})  # noqa: S102 - our own page


def test_the_first_example_prints_the_chunks_and_the_outcome(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(EXAMPLES[0], text_response("openai_chat", "Hel", "lo"), monkeypatch)
    *chunks, summary = capsys.readouterr().out.splitlines()
    assert chunks[:2] == ["text Hel", "text lo"]
    assert chunks[2].strip() == "stop_reason"
    assert summary.startswith("Hello () stop complete ")


def test_the_cancellation_example_ends_cancelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(EXAMPLES[1], text_response("anthropic_messages", "Hel", "lo"), monkeypatch)
    assert capsys.readouterr().out == "cancelled\n"


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (text_response("openai_chat", "Hi"), "text Hi\nstop_reason \n"),
        (RATE_LIMIT, "rate limit; retry: True\n"),
        (
            error_response(401, {"error": {"message": "No key"}}),
            "error \nstop_reason \nauthentication No key\n",
        ),
    ],
    ids=["answer", "rate limit", "authentication"],
)
def test_the_error_example_prints_the_kind_of_error(
    script: Script,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(EXAMPLES[2], script, monkeypatch)
    assert capsys.readouterr().out == printed


def test_the_page_has_no_example_that_is_not_run_here() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("name", harness.streaming.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(harness.streaming, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        harness.streaming.nothing  # noqa: B018 - reading it is the test


def test_the_public_names_are_sorted_and_complete() -> None:
    assert harness.streaming.__all__ == sorted(harness.streaming.__all__)
    assert dir(harness.streaming) == harness.streaming.__all__


def test_importing_the_package_loads_no_sdk_and_no_module_of_it() -> None:
    code = "import sys, harness.streaming; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    names = loaded.stdout.split()
    assert not {"openai", "anthropic", "google.genai", "pydantic", "asyncio"} & set(names)
    assert [name for name in names if name.startswith("harness.streaming")] == ["harness.streaming"]
