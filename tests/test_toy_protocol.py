"""A wire language of one folder, one interface and one registration has every feature."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import protocols, sdks
from harness.cli import main
from harness.errors import UnknownWordError
from harness.fuzzing.properties.comparison import view
from harness.generation.byte_source import delta_plan
from harness.generation.capabilities import expected, expressible
from harness.generation.walking import walk
from harness.model import Reasoning, Refusal, Text, ToolCall, Usage
from harness.protocols.bodies import protocol_at, protocol_of
from harness.protocols.events import events_of
from harness.protocols.message import Message
from harness.streaming.decoding import wire_events
from harness.streaming.interfaces import interface_for
from harness.streaming.providers import protocol_of as protocol_of_provider
from tests.toy_protocol import SCENARIOS, registered
from tests.toy_protocol.interface import ToyInterface
from tests.toy_protocol.wire import NAME, PROTOCOL, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import Event, Part

HARNESS = Path(__file__).parents[1] / "harness"
LEGAL = [event("begin"), event("text", text="Hel"), event("text", text="lo"), event("end")]


@pytest.fixture
def _registered() -> Iterator[None]:
    with registered():
        yield


pytestmark = pytest.mark.usefixtures("_registered")


def recording(folder: Path, events: list[Event]) -> str:
    path = folder / "stream.sse"
    path.write_bytes(b"".join(map(PROTOCOL.frame, events)))
    return str(path)


def test_no_file_of_the_harness_mentions_it() -> None:
    word = re.compile(r"\btoy\b", re.IGNORECASE)
    assert [path for path in HARNESS.rglob("*.py") if word.search(path.read_text("utf-8"))] == []


def test_it_is_registered_once_and_undone_as_a_whole() -> None:
    assert (protocols.names()[-1], sdks.names()[-1]) == (NAME, NAME)
    with pytest.raises(ValueError, match="'toy' exists already"), registered():
        pass
    assert interface_for(NAME) is ToyInterface


def test_after_the_block_the_protocol_is_unknown() -> None:
    protocols.unregister(NAME)
    try:
        with pytest.raises(UnknownWordError, match="unknown protocol 'toy'"):
            protocols.protocol(NAME)
        assert NAME not in protocols.names()
    finally:
        protocols.register(PROTOCOL)


def test_its_tables_validate() -> None:
    assert PROTOCOL.violations(LEGAL) == []
    stream = [event("begin"), event("call.start", index=1), event("call.end", index=1), LEGAL[-1]]
    [violation] = PROTOCOL.violations(stream)
    assert violation.sentence == "event 1 call.start[1]: index 1 is new, the next call is 0"


def test_its_bodies_and_paths_are_recognised() -> None:
    assert protocol_of(b"".join(map(PROTOCOL.frame, LEGAL))) == NAME
    assert protocol_at("https://toy.invalid/v1/toy?beta=1") == NAME
    assert protocol_of_provider("toy", PROTOCOL.request) == NAME


def test_lint_accepts_its_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--scenarios", str(SCENARIOS)]) == 0
    assert "2 scenarios, 0 with errors" in capsys.readouterr().err


def test_lint_names_an_illegal_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (SCENARIOS / "toy/baseline/text.yaml").read_text("utf-8")
    path = tmp_path / "toy/baseline/text.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("  - begin\n", ""), "utf-8")
    assert main(["list", "--scenarios", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "stream is 'not started'; legal here: begin, error" in printed.out + printed.err


def test_every_vocabulary_entry_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["coverage", NAME, "--scenarios", str(SCENARIOS), "--fail-under", "100"]
    assert main(arguments) == 0
    assert "100.0 % of 13 names" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("builtin", []),  # aborts at every point, and at every step of the service above it
        ("builtin-sync", ["--consumer", "read"]),  # a thread that reads cannot be interrupted
        ("sdk", []),
    ],
)
def test_its_scenarios_run(
    target: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    selected = ["--scenarios", str(SCENARIOS), "--target", target]
    assert main(["run", *selected, *options]) == 0
    assert "2/2" in capsys.readouterr().out


def test_a_recording_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", recording(tmp_path, LEGAL), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)["outcome"]
    assert (outcome["finish"], outcome["ending"]) == ("stop", "complete")
    assert outcome["content"][0]["text"] == "Hello"


def test_a_recording_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", recording(tmp_path, LEGAL)]) == 0
    assert main(["check", recording(tmp_path, LEGAL[:-1])]) == 1
    assert "no terminal event was sent" in capsys.readouterr().out


def test_every_property_holds_on_generated_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fuzz", NAME, "--examples", "240"]) == 0
    assert "0 failures" in capsys.readouterr().out


def test_a_property_fails_for_an_interface_that_never_closes_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ToyInterface, "handle", _without("call.end"))
    assert main(["fuzz", NAME, "--examples", "240"]) == 1
    assert "round_trip" in capsys.readouterr().out
    assert list((tmp_path / "build/fuzz/toy").rglob("*.yaml"))


def _without(kind: str) -> object:
    handle = ToyInterface.handle

    def handle_others(self: ToyInterface, received: object) -> object:
        return () if getattr(received, "type", None) == kind else handle(self, received)

    return handle_others


CALL = ToolCall(
    id="call_1", name="get", arguments_raw='{"a": 1}', arguments={"a": 1}, complete=True
)
MESSAGES = [
    Message(),
    Message((Text(text="Hello there"),), usage=Usage(input=3, output=2, total=5)),
    Message((Text(text="ü"), CALL, CALL.model_copy(update={"id": "call_2"})), finish="tool_calls"),
    Message((Reasoning(text="Hm"), Refusal(text="No")), finish="refusal"),
    Message((Text(text="cut"),), finish="length", ending="incomplete"),
    Message((Text(text="cut"),), ending="truncated"),
]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("seed", range(4))
def test_a_message_survives_a_round_trip_through_bytes(message: Message, seed: int) -> None:
    sent = expressible(NAME, message)
    plan = delta_plan(random.Random(seed).randbytes(40 * seed))  # noqa: S311 - not a secret
    events = PROTOCOL.encode(sent, plan)
    frames = list(map(PROTOCOL.frame, events))
    assert list(events_of(frames)) == events
    interface = interface_for(NAME)()
    for _ in interface.chunks_sync(wire_events(frames, NAME)):
        pass
    outcome = interface.outcome()
    ids = [{"id": call.id} for call in outcome.tool_calls]
    seen = view(outcome)
    calls = [{**one, **call} for one, call in zip(ids, seen["tool_calls"], strict=True)]
    wanted = expected(NAME, sent)
    assert {key: {**seen, "tool_calls": calls}[key] for key in wanted} == wanted


def test_what_a_protocol_cannot_express_is_omitted() -> None:
    parts: tuple[Part, ...] = (Reasoning(text="Hm"), Refusal(text="No"))
    sent = expressible(NAME, Message(parts, finish="refusal"))
    assert sent.content == (Text(text="No"),)
    assert sent.finish == "stop"


@pytest.mark.parametrize("seed", range(20))
def test_walks_through_its_tables_are_legal(seed: int) -> None:
    stream = walk(NAME, random.Random(seed).randbytes(40))  # noqa: S311 - not a secret
    violations = PROTOCOL.violations(stream)
    assert [one.sentence for one in violations if one.severity == "violation"] == []
