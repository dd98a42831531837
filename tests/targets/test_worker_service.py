"""What a worker replies: outcomes, typed events, vocabulary, and how its consumers read."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from harness.errors import UnknownWordError
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.protocols import NAMES, protocol
from harness.sdks.events import to_json
from harness.targets.stdio import outcome_of
from harness.targets.worker_service import WorkerService
from harness.wire.script import Script
from tests.targets.conftest import script as script_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STREAM: list[Any] = [
    "message_start",
    "content_block_start",
    {"text_delta": {"at": [0], "text": "Hello"}},
    {"text_delta": {"at": [0], "text": " there"}},
    "content_block_stop",
    "message_delta",
    "message_stop",
]


@pytest.fixture
async def service() -> AsyncIterator[WorkerService]:
    service = WorkerService("builtin")
    yield service
    await service.aclose()


async def reply_to(service: WorkerService, script: Script, **more: Any) -> dict[str, Any]:
    registry = ResponseRegistry()
    name = more.pop("protocol", "anthropic_messages")
    with serving(registry) as base_url:
        url = f"{base_url}/{registry.register(script)}"
        request = {"protocol": name, "base_url": url, "request": protocol(name).request}
        return await service.reply({**request, **more})


async def test_an_unknown_request_proposes_a_known_one(service: WorkerService) -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'hello'"):
        await service.reply({"ask": "helo"})


async def test_hello_returns_sdk_versions_and_supported_protocols(
    service: WorkerService,
) -> None:
    reply = await service.reply({"ask": "hello"})
    assert tuple(reply["protocols"]) == NAMES
    assert set(reply["versions"]) == {"openai", "anthropic", "google-genai"}


async def test_vocabulary_covers_the_requested_protocols(service: WorkerService) -> None:
    reply = await service.reply({"ask": "vocabulary", "protocols": ["gemini_generate"]})
    assert list(reply["vocabulary"]) == ["gemini_generate"]
    assert "STOP" in reply["vocabulary"]["gemini_generate"]["finish"]


async def test_events_name_the_classes_of_the_sdk(service: WorkerService) -> None:
    reply = await reply_to(service, script_of("anthropic_messages", STREAM), ask="events")
    assert reply["events"][0]["!"] == "RawMessageStartEvent"
    assert reply["events"][2]["delta"] == {"!": "TextDelta", "type": "text_delta", "text": "Hello"}
    assert "raised" not in reply


async def test_fields_unknown_to_the_sdk_are_listed(service: WorkerService) -> None:
    unknown = {"text_delta": {"at": [0], "text": "Hello", "mood": "grey"}}
    extended = script_of("anthropic_messages", [*STREAM[:2], unknown, *STREAM[4:]])
    delta = (await reply_to(service, extended, ask="events"))["events"][2]["delta"]
    assert (delta["?"], delta["mood"]) == (["mood"], "grey")


async def test_an_exception_is_reported_with_the_events_before_it(
    service: WorkerService,
) -> None:
    cut = script_of("anthropic_messages", STREAM[:3])
    reply = await reply_to(service, cut._replace(end="reset"), ask="events")
    assert len(reply["events"]) == 3
    assert reply["raised"]["type"]
    refused = Script((b"{}",), status=400, headers=(("content-type", "application/json"),))
    reply = await reply_to(service, refused, ask="events")
    assert (reply["events"], reply["raised"]["type"]) == ([], "BadRequestError")


@pytest.mark.parametrize("name", NAMES)
async def test_every_protocol_has_typed_events_and_an_outcome(
    service: WorkerService, name: str
) -> None:
    empty = Script(())
    reply = await reply_to(service, empty, ask="events", protocol=name)
    assert reply["events"] == []
    assert outcome_of(await reply_to(service, empty, protocol=name)).ending == "truncated"


@pytest.mark.parametrize(
    ("consumer", "received"),
    [
        ({"do": "break", "at": 1}, 1),
        ({"do": "aclose", "at": 1}, 1),
        ({"do": "break", "at": 0}, 0),
        ({"do": "break", "at": 99}, 4),
        ({"do": "read"}, 4),
    ],
)
async def test_a_consumer_stops_after_its_count_of_chunks(
    service: WorkerService, consumer: dict[str, Any], received: int
) -> None:
    reply = await reply_to(service, script_of("anthropic_messages", STREAM), consumer=consumer)
    outcome = outcome_of(reply)
    assert len(outcome.chunks) == received
    assert outcome.ending == ("complete" if received == 4 else "cancelled")


class Colour(Enum):
    RED = "red"


class Item(BaseModel, extra="allow"):
    name: str = "unset"
    colour: Colour | None = None


@pytest.mark.parametrize(
    ("value", "converted"),
    [
        (Item(), {"!": "Item"}),
        (Item(colour=Colour.RED), {"!": "Item", "colour": "red"}),
        (Item.model_validate({"b": 1, "a": [Item()]}), {
            "!": "Item", "?": ["a", "b"], "b": 1, "a": [{"!": "Item"}]
        }),
        ({"k": (1, b"\x00")}, {"k": [1, "AA=="]}),
        (datetime(2026, 1, 2, tzinfo=UTC), "datetime 2026-01-02 00:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_value_is_converted_with_its_classes_and_without_defaults(
    value: Any, converted: Any
) -> None:
    assert to_json(value) == converted
