"""A planted difference is found in its layer and no other: miniature SDKs and targets.

Both sides are workers; the model of a scenario's request selects what goes wrong on side B.
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

async def correct(call):
    clients = SdkClients()
    listening = BuiltinTarget(clients).listen(call)
    async with listening:
        async for _ in listening:
            pass
    await clients.aclose()
    return listening.outcome()

async def without_usage(call):
    """Reports usage only for other models, so that the change below has no consequence for this."""
    outcome = await correct(call)
    if call.request["model"] != "unread":
        return outcome
    return outcome.model_copy(update={"usage": None, "chunks": outcome.chunks[:1]})

ids = itertools.count(1000)

async def broken(call):
    outcome = await correct(call)
    if call.request["model"] == "dies":
        os._exit(3)
    change = DEFECTS.get(call.request["model"])
    return change(outcome) if change else outcome

DEFECTS = {
    "repeats": lambda o: o.model_copy(update={"chunks": (o.chunks[0], *o.chunks)}),
    "loses_usage": lambda o: o.model_copy(update={"usage": None}),
    "changes_text": lambda o: o.model_copy(update={"content": (Text(text="Hello you"),)}),
    "invents_ids": lambda o: o.model_copy(update={"response_id": f"id-{next(ids)}"}),
}
'''
SHIM = '''
import anthropic
from miniatures import without_usage

plain = anthropic.AsyncStream.__stream__

async def counts_differently(self):
    """A miniature of an SDK whose new version counts tokens another way."""
    async for event in plain(self):
        usage = getattr(getattr(event, "message", None), "usage", None)
        if usage is not None and event.message.model == "new":
            usage.input_tokens += 1
        yield event

anthropic.AsyncStream.__stream__ = counts_differently
'''
NEW_WORD = """
from typing import Literal
import anthropic
from miniatures import correct

anthropic.types.Message.model_fields["stop_reason"].annotation = Literal["end_turn", "levitated"]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "miniatures.py").write_text(MINIATURES)
    (tmp_path / "miniatures_shimmed.py").write_text(SHIM)
    (tmp_path / "miniatures_new_word.py").write_text(NEW_WORD)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scenarios"


def compare_sides(root: Path, *sides: str, **scenarios: dict[str, Any]) -> ComparisonFinished:
    for name, changes in scenarios.items():
        request = {"model": name, "max_tokens": 9, "messages": []}
        scenario = {"request": request, **changes}
        write(root, f"anthropic_messages/planted/{name}", **scenario)
    labelled = tuple((side, in_environment(side, "builtin")) for side in sides)
    streams, errors = select_streams(root, (), ())
    settings = Settings(
        "builtin", labelled, "again {}", vocabulary=any("new_word" in s for s in sides)
    )
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


def test_a_difference_is_found_in_the_layer_it_was_planted_in(root: Path) -> None:
    scenarios: dict[str, dict[str, Any]] = {
        name: {}
        for name in ("dies", "correct", "repeats", "loses_usage", "changes_text", "invents_ids")
    }
    end = compare_sides(root, "python:miniatures:correct", "python:miniatures:broken", **scenarios)
    found = changes(end)
    assert "target: pass -> fail" in {shape for _, _, shape in found.pop("dies")}
    assert found == {
        "correct": set(),
        "repeats": {
            ("requirement violated", "chunks", "chunk_sum: pass -> fail"),
            ("snapshot changed", "chunks", "<text> absent -> text"),
        },
        "loses_usage": {("snapshot changed", "outcome", "usage an object -> None")},
        "changes_text": {
            ("requirement violated", "outcome", "text: pass -> fail"),
            ("requirement violated", "outcome", "chunk_sum: pass -> fail"),
            ("snapshot changed", "outcome", "content<text>.text text -> text"),
        },
        "invents_ids": {("only cosmetic", "outcome", "ids")},
    }
    assert end.counts["requirement violated"] == 3


def test_a_change_of_an_sdk_is_found_on_the_wire_with_its_consequences(root: Path) -> None:
    end = compare_sides(
        root,
        "python:miniatures:without_usage",
        "python:miniatures_shimmed:without_usage",
        shimmed={"stream": STREAM},
        unread={"stream": STREAM},
        other={},
    )
    [group] = end.groups
    assert (group.category, group.example.layer) == ("snapshot changed", "wire")
    assert group.example.place.endswith("message.usage.input_tokens")
    assert group.streams == [f"anthropic_messages/planted/{name}" for name in ("shimmed", "unread")]
    assert {shape.partition(" ")[0] for shape in group.consequences} == {"chunks", "outcome"}
    assert set(group.consequences.values()) == {1}, "a value that is not read has no consequence"


def test_a_new_word_that_is_in_no_table_is_reported_with_its_edit(root: Path) -> None:
    end = compare_sides(
        root, "python:miniatures:correct", "python:miniatures_new_word:correct", correct={}
    )
    [change] = end.unclassified
    assert (change.how, change.row.category, change.row.word) == ("added", "finish", "levitated")
    assert "harness/protocols/anthropic_messages/: hold 'levitated'" in change.cure


def test_a_side_supports_what_both_its_target_and_its_sdks_support() -> None:
    side = Side("x", "builtin", "A", 1.0)
    side.versions, side._protocols = {"openai": "3.52.0"}, frozenset({"openai_chat"})
    supported = [name for name in NAMES if side.supports(name)]
    assert supported == ["openai_chat"]
    command = Side("x", f"command:{sys.executable} mine.py", "B", 1.0)
    assert all(map(command.supports, NAMES)), "a program may need no SDK"
