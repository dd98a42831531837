"""SDKs find the recorder through the environment, and read through it what they read directly."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import anthropic
import openai
from google import genai

from harness.cassettes import recording
from harness.cassettes.recorder.session import Recording
from harness.cassettes.recorder.upstreams import upstreams
from tests.scenario_files import written

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cassettes.recorder.conftest import Provider


def _sdk_urls() -> dict[str, str]:
    options = genai.Client(api_key="k")._api_client._http_options  # where the SDK keeps it
    return {
        "openai": str(openai.OpenAI(api_key="k").base_url),
        "azure": str(openai.AzureOpenAI(api_key="k", api_version="1").base_url),
        "anthropic": str(anthropic.Anthropic(api_key="k").base_url),
        "gemini": str(options.base_url),
    }


def test_the_installed_sdks_read_the_variables_that_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.azure.example")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    recorder = Recording(tmp_path / "a.yaml")
    assert upstreams((), os.environ)["openai"].uri("chat") == "https://gateway.example/v1/chat"
    monkeypatch.setenv("NO_PROXY", "a.example")
    assert recorder.environment()["NO_PROXY"] == "a.example,127.0.0.1"
    for name, url in recorder.environment().items():
        monkeypatch.setenv(name, url)
    for name, url in _sdk_urls().items():
        assert url.startswith(recorder.base_url(name)), name


def test_the_sdk_receives_the_same_events_through_the_recorder(
    provider: Provider, tmp_path: Path
) -> None:
    script = written(tmp_path).script()
    upstream = provider.register(script).replace("a=", "anthropic=")

    def events(url: str) -> list[Any]:
        with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            ask: Any = {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "Hi"}],
            }
            return [event.to_dict() for event in client.messages.create(stream=True, **ask)]

    direct = events(f"{provider.url}/a")
    for mode in ("once", "none"):
        with recording(tmp_path / "a.yaml", mode, upstream=[upstream]) as recorder:
            assert events(recorder.base_url("anthropic")) == direct
