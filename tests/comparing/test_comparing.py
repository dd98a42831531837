"""A planted difference is named in its layer and no other: miniature SDKs and targets.

Both sides are workers; the model a scenario asks for says what goes wrong in it on side B.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.comparing.comparison import Settings, compare
from harness.comparing.events import ComparisonFinished
from harness.comparing.sides import Side
from harness.comparing.streams import select_streams
from harness.protocols import NAMES
from harness.targets.addresses import in_environment
from tests.scenario_files import write

if TYPE_CHECKING:
    from pathlib import Path

MINIATURES = '''
import itertools, os
from harness.model import Text
from harness.targets.builtin import BuiltinTarget
from harness.sdks.clients import SdkClients

async def honest(call):
    clients = SdkClients()
    listening = BuiltinTarget(clients).listen(call)
    async with listening:
        async for _ in listening:
            pass
    await clients.aclose()
    return listening.outcome()

async def incurious(call):
    """Reads usage only where the model is not called so: a shim below changes nothing there."""
    told = await honest(call)
    if call.request["model"] != "unread":
        return told
    return told.model_copy(update={"usage": None, "chunks": told.chunks[:1]})

minted = itertools.count(1000)

async def sinful(call):
    told = await honest(call)
    if call.request["model"] == "dies":
        os._exit(3)
    spoil = SINS.get(call.request["model"])
    return spoil(told) if spoil else told

SINS = {
    "stutters": lambda told: told.model_copy(update={"chunks": (told.chunks[0], *told.chunks)}),
    "forgets": lambda told: told.model_copy(update={"usage": None}),
    "lies": lambda told: told.model_copy(update={"content": (Text(text="Hello you"),)}),
    "mints": lambda told: told.model_copy(update={"response_id": f"id-{next(minted)}"}),
}
'''
SHIM = '''
import anthropic
from miniatures import incurious

plain = anthropic.AsyncStream.__stream__

async def counts_on(self):
    """A miniature of an SDK whose new version counts tokens another way."""
    async for event in plain(self):
        usage = getattr(getattr(event, "message", None), "usage", None)
        if usage is not None and event.message.model == "new":
            usage.input_tokens += 1
        yield event

anthropic.AsyncStream.__stream__ = counts_on
'''
NEW_WORD = """
from typing import Literal
import anthropic
from miniatures import honest

anthropic.types.Message.model_fields["stop_reason"].annotation = Literal["end_turn", "levitated"]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "miniatures.py").write_text(MINIATURES)
    (tmp_path / "miniatures_shimmed.py").write_text(SHIM)
    (tmp_path / "miniatures_talking.py").write_text(NEW_WORD)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scenarios"


def tell(root: Path, *sides: str, **stories: dict[str, Any]) -> ComparisonFinished:
    for name, changes in stories.items():
        request = {"model": name, "max_tokens": 9, "messages": []}
        story = {"request": request, **changes}
        write(root, f"anthropic_messages/planted/{name}", **story)
    labelled = tuple((words, in_environment(words, "builtin")) for words in sides)
    streams, errors = select_streams(root, (), ())
    settings = Settings("builtin", labelled, "again {}", words=any("talking" in s for s in sides))
    *_, end = compare(streams, settings, errors)
    assert isinstance(end, ComparisonFinished)
    return end


def changes(end: ComparisonFinished) -> dict[str, set[tuple[str, str, str]]]:
    return {
        each.stream.name.rpartition("/")[2]: {
            (one.category, one.layer, one.shape) for one in each.changes if not one.follows
        }
        for each in end.compared
    }


STREAM = [
    {"message_start": {"message": {"model": "new"}}},
    "content_block_start",
    {"text_delta": {"at": [0], "text": "Hello there"}},
    "content_block_stop",
    "message_delta",
    "message_stop",
]


def test_a_difference_is_named_in_the_layer_it_was_planted_in(root: Path) -> None:
    stories: dict[str, dict[str, Any]] = {
        name: {} for name in ("dies", "honest", "stutters", "forgets", "lies", "mints")
    }
    end = tell(root, "python:miniatures:honest", "python:miniatures:sinful", **stories)
    found = changes(end)
    assert "target: pass -> fail" in {shape for _, _, shape in found.pop("dies")}
    assert found == {
        "honest": set(),
        "stutters": {
            ("requirement violated", "chunks", "chunk_sum: pass -> fail"),
            ("snapshot changed", "chunks", "<text> absent -> text"),
        },
        "forgets": {("snapshot changed", "outcome", "usage an object -> None")},
        "lies": {
            ("requirement violated", "outcome", "text: pass -> fail"),
            ("requirement violated", "outcome", "chunk_sum: pass -> fail"),
            ("snapshot changed", "outcome", "content<text>.text text -> text"),
        },
        "mints": {("only cosmetic", "outcome", "ids")},
    }
    assert end.counts["requirement violated"] == 3


def test_what_an_sdk_does_is_named_on_the_wire_and_the_rest_follows(root: Path) -> None:
    end = tell(
        root,
        "python:miniatures:incurious",
        "python:miniatures_shimmed:incurious",
        shimmed={"stream": STREAM},
        unread={"stream": STREAM},
        other={},
    )
    [group] = end.groups
    assert (group.category, group.example.layer) == ("snapshot changed", "wire")
    assert group.example.place.endswith("message.usage.input_tokens")
    assert group.streams == [f"anthropic_messages/planted/{name}" for name in ("shimmed", "unread")]
    assert {shape.partition(" ")[0] for shape in group.consequences} == {"chunks", "outcome"}
    assert set(group.consequences.values()) == {1}, "what nobody reads has no consequence"


def test_a_word_that_is_new_and_in_no_table_is_named_with_its_cure(root: Path) -> None:
    end = tell(root, "python:miniatures:honest", "python:miniatures_talking:honest", honest={})
    [change] = end.unclassified
    assert (change.how, change.row.category, change.row.word) == ("added", "finish", "levitated")
    assert "harness/protocols/anthropic_messages/: hold 'levitated'" in change.cure


def test_a_side_speaks_what_its_target_does_and_its_sdks_can() -> None:
    side = Side("x", "builtin", "A", 1.0)
    side.versions, side._protocols = {"openai": "3.52.0"}, frozenset({"openai_chat"})
    spoken = [name for name in NAMES if side.supports(name)]
    assert spoken == ["openai_chat"]
    alone = Side("x", f"command:{sys.executable} mine.py", "B", 1.0)
    assert all(map(alone.supports, NAMES)), "a program may need no SDK"
