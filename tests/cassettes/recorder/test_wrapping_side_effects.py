"""Wrapping has no lasting side effects; what cannot be wrapped is reported with the cure."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

from harness.cassettes import load, recording
from harness.errors import InputError
from harness.wire.script import Script
from tests.cassettes.recorder.clients import CHAT, GEMINI, KEY, ROWS, collect, register

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cassettes.recorder.conftest import Provider


def test_a_copy_shares_the_connections_and_the_original_is_untouched(
    provider: Provider, tmp_path: Path
) -> None:
    url = register(provider, Script(CHAT.frames))
    with httpx2.Client(verify=False) as http:
        client = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", http_client=http)
        with recording(tmp_path / "a.yaml") as recorder:
            copy = recorder.wrap(client)
            assert type(copy) is openai.OpenAI
            assert copy._client is client._client is http
            assert str(client.base_url) == f"{url}/v1/"
            assert recorder.wrap(copy).base_url == copy.base_url  # redirected already
            del copy
            gc.collect()
        assert len(list(CHAT.ask(client))) == len(CHAT.frames) - 1
    assert not (tmp_path / "a.yaml").exists()  # the original bypassed the recorder


def test_a_google_client_is_restored_when_the_block_ends(
    provider: Provider, tmp_path: Path
) -> None:
    url = register(provider, Script(GEMINI.frames))
    with httpx2.Client(verify=False) as http:
        client = GEMINI.make(url, http)
        parts = dict(vars(client)), dict(vars(client.aio))
        recorder = recording(tmp_path / "a.yaml")
        with pytest.raises(ZeroDivisionError), recorder:
            _ = list(GEMINI.ask(recorder.wrap(client))) and 1 / 0
        assert (dict(vars(client)), dict(vars(client.aio))) == parts
        gc.collect()
        assert list(GEMINI.ask(client))
    assert len(load(tmp_path / "a.yaml").interactions) == 1


@pytest.mark.parametrize("used_before", [False, True])
def test_the_interactions_api_of_google_is_redirected_too(
    *, used_before: bool, provider: Provider, tmp_path: Path
) -> None:
    """Its client stores the URL it was created with."""
    found = b'{"id":"i","status":"completed","created":"2026-11-24T00:00:00Z"}'
    url = register(provider, Script((found,), headers=(("content-type", "application/json"),)))
    with httpx2.Client(verify=False) as http:
        client = GEMINI.make(url, http)
        kept = client.interactions if used_before else None
        with recording(tmp_path / "a.yaml") as recorder:
            assert recorder.wrap(client).interactions.get("i").id == "i"
        if used_before:
            assert client.interactions is kept
        gc.collect()
        assert client.interactions.get("i").id == "i"
    [interaction] = load(tmp_path / "a.yaml").interactions
    assert interaction.request.uri == f"{url}/v1/interactions/i?stream=false"


def test_the_async_client_of_google_can_be_wrapped(provider: Provider, tmp_path: Path) -> None:
    row = next(row for row in ROWS if row.name == "async gemini")
    url = register(provider, Script(row.frames))
    with recording(tmp_path / "a.yaml") as recorder:
        assert collect(row, url, lambda client: recorder.wrap(client.aio))
    assert len(load(tmp_path / "a.yaml").interactions) == 1


def test_user_info_in_a_url_is_kept(provider: Provider, tmp_path: Path) -> None:
    url = register(provider, Script(CHAT.frames)).replace("http://", "http://me:pass@")
    with (
        recording(tmp_path / "a.yaml") as recorder,
        openai.OpenAI(api_key=KEY, base_url=url) as client,
    ):
        moved = recorder.wrap(client).base_url
    assert moved.userinfo == b"me:pass"
    assert "pass" not in moved.path


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (
            httpx2.Client(verify=False),
            "httpx2.Client is not a client of openai, anthropic or google",
        ),
        (openai, "is not a client of openai, anthropic or google-genai; set its URL to base_url"),
        (openai.OpenAI, "is not a client of openai"),
        (None, "builtins.NoneType is not a client of openai"),
    ],
)
def test_an_unsupported_client_is_an_input_error(
    client: object, expected: str, tmp_path: Path
) -> None:
    with recording(tmp_path / "a.yaml") as recorder, pytest.raises(InputError, match=expected):
        recorder.wrap(client)


def test_a_client_that_signs_requests_for_aws_can_only_be_replayed(
    provider: Provider, tmp_path: Path
) -> None:
    with httpx2.Client(verify=False) as http:
        server: Any = {"aws_region": "x", "base_url": provider.url, "http_client": http}
        bearing = anthropic.AnthropicBedrock(api_key="k", **server)
        signing = anthropic.AnthropicBedrock(aws_access_key="a", aws_secret_key=KEY, **server)
        with recording(tmp_path / "a.yaml") as recorder:
            assert recorder.wrap(bearing).base_url != bearing.base_url
            with pytest.raises(InputError, match="signs requests for the AWS address"):
                recorder.wrap(signing)
        with recording(tmp_path / "a.yaml", "none") as recorder:
            assert recorder.wrap(signing).base_url != signing.base_url


def test_clients_can_only_be_wrapped_inside_the_block(tmp_path: Path) -> None:
    recorder = recording(tmp_path / "a.yaml")
    with httpx2.Client(verify=False) as http, pytest.raises(InputError, match="inside the `with`"):
        recorder.wrap(CHAT.make("http://127.0.0.1", http))
    with recorder:
        pass
    with httpx2.Client(verify=False) as http, pytest.raises(InputError, match="inside the `with`"):
        recorder.wrap(CHAT.make("http://127.0.0.1", http))


def test_an_unusable_url_is_an_input_error(tmp_path: Path) -> None:
    with httpx2.Client(verify=False) as http, recording(tmp_path / "a.yaml") as recorder:
        with pytest.raises(InputError, match="'ftp://x' is not an http:// or https:// URL"):
            recorder.wrap(openai.OpenAI(api_key=KEY, base_url="ftp://x", http_client=http))
        six = recorder.wrap(
            openai.OpenAI(api_key=KEY, base_url="http://[::1]:9/v1", http_client=http)
        )
        assert six.base_url.path == "/http:(::1):9/v1/"
        away = pytest.raises(openai.InternalServerError, match=r"cannot be reached at \[::1\]:9")
        with away:
            _ = CHAT.ask(six.with_options(max_retries=0))
