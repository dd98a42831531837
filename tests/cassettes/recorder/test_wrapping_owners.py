"""What is wrapped stays its owner's; what cannot be wrapped is named with the cure."""

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
from tests.cassettes.recorder.clients import CHAT, GEMINI, KEY, ROWS, handle, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cassettes.recorder.conftest import Provider


def test_a_copy_shares_the_connections_and_the_original_is_untouched(
    provider: Provider, tmp_path: Path
) -> None:
    url = told(provider, Script(CHAT.frames))
    with httpx2.Client(verify=False) as http:
        client = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", http_client=http)
        with recording(tmp_path / "a.yaml") as tape:
            copy = tape.wrap(client)
            assert type(copy) is openai.OpenAI
            assert copy._client is client._client is http
            assert str(client.base_url) == f"{url}/v1/"
            assert tape.wrap(copy).base_url == copy.base_url  # it is the recorder's already
            del copy
            gc.collect()
        assert len(list(CHAT.ask(client))) == len(CHAT.frames) - 1
    assert not (tmp_path / "a.yaml").exists()  # the original went past the recorder


def test_a_client_of_google_is_what_it_was_when_the_block_ends(
    provider: Provider, tmp_path: Path
) -> None:
    url = told(provider, Script(GEMINI.frames))
    with httpx2.Client(verify=False) as http:
        client = GEMINI.make(url, http)
        parts = dict(vars(client)), dict(vars(client.aio))
        tape = recording(tmp_path / "a.yaml")
        with pytest.raises(ZeroDivisionError), tape:
            _ = list(GEMINI.ask(tape.wrap(client))) and 1 / 0
        assert (dict(vars(client)), dict(vars(client.aio))) == parts
        gc.collect()
        assert list(GEMINI.ask(client))
    assert len(load(tmp_path / "a.yaml").interactions) == 1


@pytest.mark.parametrize("used_before", [False, True])
def test_the_interactions_of_google_go_through_the_recorder_too(
    *, used_before: bool, provider: Provider, tmp_path: Path
) -> None:
    """Their client keeps the address it was made with."""
    found = b'{"id":"i","status":"completed","created":"2026-11-24T00:00:00Z"}'
    url = told(provider, Script((found,), headers=(("content-type", "application/json"),)))
    with httpx2.Client(verify=False) as http:
        client = GEMINI.make(url, http)
        kept = client.interactions if used_before else None
        with recording(tmp_path / "a.yaml") as tape:
            assert tape.wrap(client).interactions.get("i").id == "i"
        if used_before:
            assert client.interactions is kept
        gc.collect()
        assert client.interactions.get("i").id == "i"
    [told_once] = load(tmp_path / "a.yaml").interactions
    assert told_once.request.uri == f"{url}/v1/interactions/i?stream=false"


def test_the_asynchronous_half_of_google_can_be_wrapped(provider: Provider, tmp_path: Path) -> None:
    row = next(row for row in ROWS if row.name == "async gemini")
    url = told(provider, Script(row.frames))
    with recording(tmp_path / "a.yaml") as tape:
        assert handle(row, url, lambda client: tape.wrap(client.aio))
    assert len(load(tmp_path / "a.yaml").interactions) == 1


def test_a_user_in_an_address_stays(provider: Provider, tmp_path: Path) -> None:
    url = told(provider, Script(CHAT.frames)).replace("http://", "http://me:pass@")
    with (
        recording(tmp_path / "a.yaml") as tape,
        openai.OpenAI(api_key=KEY, base_url=url) as client,
    ):
        moved = tape.wrap(client).base_url
    assert moved.userinfo == b"me:pass"
    assert "pass" not in moved.path


@pytest.mark.parametrize(
    ("client", "says"),
    [
        (httpx2.Client(verify=False), "httpx2.Client is no client of openai, anthropic or google"),
        (openai, "is no client of openai, anthropic or google-genai; give it base_url"),
        (openai.OpenAI, "is no client of openai"),
        (None, "builtins.NoneType is no client of openai"),
    ],
)
def test_what_is_no_client_is_named(client: object, says: str, tmp_path: Path) -> None:
    with recording(tmp_path / "a.yaml") as tape, pytest.raises(InputError, match=says):
        tape.wrap(client)


def test_whom_aws_signs_for_is_refused_unless_it_is_only_played(
    provider: Provider, tmp_path: Path
) -> None:
    with httpx2.Client(verify=False) as http:
        server: Any = {"aws_region": "x", "base_url": provider.url, "http_client": http}
        bearing = anthropic.AnthropicBedrock(api_key="k", **server)
        signing = anthropic.AnthropicBedrock(aws_access_key="a", aws_secret_key=KEY, **server)
        with recording(tmp_path / "a.yaml") as tape:
            assert tape.wrap(bearing).base_url != bearing.base_url
            with pytest.raises(InputError, match="signs requests for AWS's own address"):
                tape.wrap(signing)
        with recording(tmp_path / "a.yaml", "none") as tape:
            assert tape.wrap(signing).base_url != signing.base_url


def test_a_client_is_wrapped_while_something_is_recorded(tmp_path: Path) -> None:
    tape = recording(tmp_path / "a.yaml")
    with httpx2.Client(verify=False) as http, pytest.raises(InputError, match="inside the `with`"):
        tape.wrap(CHAT.make("http://127.0.0.1", http))
    with tape:
        pass
    with httpx2.Client(verify=False) as http, pytest.raises(InputError, match="inside the `with`"):
        tape.wrap(CHAT.make("http://127.0.0.1", http))


def test_an_address_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    with httpx2.Client(verify=False) as http, recording(tmp_path / "a.yaml") as tape:
        with pytest.raises(InputError, match="'ftp://x' is no http:// or https:// address"):
            tape.wrap(openai.OpenAI(api_key=KEY, base_url="ftp://x", http_client=http))
        six = tape.wrap(openai.OpenAI(api_key=KEY, base_url="http://[::1]:9/v1", http_client=http))
        assert six.base_url.path == "/http:(::1):9/v1/"
        away = pytest.raises(openai.InternalServerError, match=r"cannot be reached at \[::1\]:9")
        with away:
            _ = CHAT.ask(six.with_options(max_retries=0))
