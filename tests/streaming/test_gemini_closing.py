"""Closing a Gemini stream releases its connection and no other."""

from __future__ import annotations

import pytest

from tests.streaming.interfaces.gemini_sdk import PROTOCOL, Body, Sdk, frames


@pytest.fixture
def sdk() -> Sdk:
    return Sdk()


def a_body() -> Body:
    return Body(frames({"text": "Hel"}, {"text": "lo"}, {"finish": "STOP"}))


async def test_streams_of_one_client_close_only_their_own_responses(sdk: Sdk) -> None:
    left, right = a_body(), a_body()
    sdk.transport.respond_with(left)
    first = await sdk.open()
    await anext(first)
    sdk.transport.respond_with(right)
    second = await sdk.open()
    await anext(second)
    await first.aclose()
    assert (left.closed, right.closed) == (True, False)
    await second.aclose()
    assert right.closed


async def test_the_sdk_alone_leaves_the_response_open(sdk: Sdk) -> None:
    """The defect this module works around; when the SDK fixes it, the module can be removed."""
    body = a_body()
    sdk.transport.respond_with(body)
    models = sdk.client.aio.models
    stream = await models.generate_content_stream(**PROTOCOL.request)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # typed as an iterator, it is a generator
    assert not body.closed


async def test_a_stream_that_was_never_read_can_be_closed(sdk: Sdk) -> None:
    stream = await sdk.open()
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(aiter(stream))
