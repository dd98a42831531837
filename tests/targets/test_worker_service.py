"""What a worker answers: outcomes, typed events, words, and who reads at the far end of a pipe."""

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
from tests.targets.conftest import script

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
    made = WorkerService("builtin")
    yield made
    await made.aclose()


async def told(service: WorkerService, spoken: Script, **more: Any) -> dict[str, Any]:
    stage = ResponseRegistry()
    name = more.pop("protocol", "anthropic_messages")
    with serving(stage) as base_url:
        url = f"{base_url}/{stage.put(spoken)}"
        request = {"protocol": name, "base_url": url, "request": protocol(name).request}
        return await service.reply({**request, **more})


async def test_a_question_nobody_knows_proposes_one(service: WorkerService) -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'hello'"):
        await service.reply({"ask": "helo"})


async def test_a_greeting_says_which_sdks_there_are_and_what_is_spoken(
    service: WorkerService,
) -> None:
    said = await service.reply({"ask": "hello"})
    assert tuple(said["protocols"]) == NAMES
    assert set(said["versions"]) == {"openai", "anthropic", "google-genai"}


async def test_words_are_told_of_the_protocols_that_are_asked_for(service: WorkerService) -> None:
    said = await service.reply({"ask": "vocabulary", "protocols": ["gemini_generate"]})
    assert list(said["vocabulary"]) == ["gemini_generate"]
    assert "STOP" in said["vocabulary"]["gemini_generate"]["finish"]


async def test_events_are_typed_as_the_sdk_types_them(service: WorkerService) -> None:
    said = await told(service, script("anthropic_messages", STREAM), ask="events")
    assert said["events"][0]["!"] == "RawMessageStartEvent"
    assert said["events"][2]["delta"] == {"!": "TextDelta", "type": "text_delta", "text": "Hello"}
    assert "raised" not in said


async def test_what_an_sdk_does_not_know_is_marked(service: WorkerService) -> None:
    strange = {"text_delta": {"at": [0], "text": "Hello", "mood": "grey"}}
    odd = script("anthropic_messages", [*STREAM[:2], strange, *STREAM[4:]])
    delta = (await told(service, odd, ask="events"))["events"][2]["delta"]
    assert (delta["?"], delta["mood"]) == (["mood"], "grey")


async def test_what_an_sdk_raises_comes_after_the_events_it_had_handed_over(
    service: WorkerService,
) -> None:
    whole = script("anthropic_messages", STREAM[:3])
    said = await told(service, whole._replace(end="reset"), ask="events")
    assert len(said["events"]) == 3
    assert said["raised"]["type"]
    refused = Script((b"{}",), status=400, headers=(("content-type", "application/json"),))
    said = await told(service, refused, ask="events")
    assert (said["events"], said["raised"]["type"]) == ([], "BadRequestError")


@pytest.mark.parametrize("name", NAMES)
async def test_every_protocol_has_typed_events_and_an_outcome(
    service: WorkerService, name: str
) -> None:
    empty = Script(())
    said = await told(service, empty, ask="events", protocol=name)
    assert said["events"] == []
    assert outcome_of(await told(service, empty, protocol=name)).ending == "truncated"


@pytest.mark.parametrize(
    ("consumer", "taken"),
    [
        ({"do": "break", "at": 1}, 1),
        ({"do": "aclose", "at": 1}, 1),
        ({"do": "break", "at": 0}, 0),
        ({"do": "break", "at": 99}, 4),
        ({"do": "read"}, 4),
    ],
)
async def test_a_reader_at_the_far_end_leaves_after_its_count(
    service: WorkerService, consumer: dict[str, Any], taken: int
) -> None:
    said = await told(service, script("anthropic_messages", STREAM), consumer=consumer)
    outcome = outcome_of(said)
    assert len(outcome.chunks) == taken
    assert outcome.ending == ("complete" if taken == 4 else "cancelled")


class Colour(Enum):
    RED = "red"


class Item(BaseModel, extra="allow"):
    name: str = "unset"
    colour: Colour | None = None


@pytest.mark.parametrize(
    ("value", "shown"),
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
def test_a_value_is_shown_with_its_classes_and_without_defaults(value: Any, shown: Any) -> None:
    assert to_json(value) == shown
