"""A script that tests wrapping in an environment where nothing but other SDK versions is installed.

``old_sdk_script.py KIND SERVER RECORDER`` wraps a client of the server, so that its requests go to
the recorder, and prints how many events it read; then it does the same with the client itself.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}


def openai(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)
    return client, lambda one: one.chat.completions.create(**ASKED)


def azure(url: str) -> Any:
    from openai import AzureOpenAI

    client = AzureOpenAI(api_key="k", azure_endpoint=url, azure_deployment="d", api_version="1")
    return client, lambda one: one.responses.create(model="m", input="hi", stream=True)


def anthropic(url: str) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="k", base_url=url, max_retries=0)
    return client, lambda one: one.messages.create(max_tokens=9, **ASKED)


def gemini(url: str) -> Any:
    from google import genai

    client = genai.Client(api_key="k", http_options={"base_url": url, "api_version": "v1"})
    return client, lambda one: one.models.generate_content_stream(model="gemini-x", contents="hi")


def main(kind: str, server: str, recorder: str) -> None:
    """Request through the wrapped client, then through the client itself."""
    sys.path.insert(0, str(ROOT))
    path = ROOT / "harness" / "cassettes" / "recorder" / "wrapping.py"
    spec = importlib.util.spec_from_file_location("wrapping", path)
    assert spec
    assert spec.loader
    wrapping = importlib.util.module_from_spec(spec)  # its package needs more than is installed
    spec.loader.exec_module(wrapping)
    client, ask = globals()[kind](server)
    with wrapping.redirected(
        client, lambda url: url.replace(server, recorder), records=True
    ) as one:
        recorded = [event.model_dump_json() for event in ask(one)]
    sys.stdout.write(json.dumps([len(recorded), len(list(ask(client)))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
