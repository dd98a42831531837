"""Every registered protocol states every fact, and no other file holds a fact about one protocol.

A new protocol fails here until each table that is keyed by protocol has its row, or the reason why
it has none.
"""

from __future__ import annotations

import ast
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UnknownWordError
from harness.generation.byte_source import ByteSource
from harness.generation.mutations.preserving import PRESERVING
from harness.model import Text, Usage
from harness.protocols import NAMES, names, protocol, register, unregister
from harness.protocols.bodies import protocol_among, protocol_at
from harness.protocols.grammar import Step
from harness.protocols.message import IN_ORDER, Message
from harness.protocols.protocol import Detection, Noise, Protocol
from harness.sdks import binding_of
from harness.sdks.clients import SdkClients
from harness.streaming.interfaces import interface_for
from harness.streaming.providers import protocol_of
from harness.targets.addresses import BUILTIN
from harness.targets.resolving import resolve
from tests.toy_protocol import registered
from tests.toy_protocol.wire import PROTOCOL as TOY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model import Event

ROOT = Path(__file__).parents[2]
ALL = (*NAMES, "toy")

# What a protocol does not have -> why.
MISSING = {
    ("gemini_generate", "sample of response"): "the sample of every part is a response with it",
    ("gemini_generate", "sample of end"): "the sample of a finish ends the stream as well",
    ("toy", "unmodelled"): "there is no SDK whose words could be missing in its tables",
    ("toy", "helper"): "there is no SDK, so there is no helper of one",
    ("toy", "docs"): "its tables are explained where they are, in the tests",
    ("toy", "scenarios"): "they are beside its tables, in the tests",
    ("toy", "sdk-helper"): "it has no helper",
    ("toy", "letta"): "the package has no client for it",
}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


def missing(name: str, what: str) -> bool:
    """Return whether a protocol need not have something."""
    return (name, what) in MISSING


def test_the_toy_is_one_of_the_protocols_that_are_checked() -> None:
    assert names() == ALL


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("field", [field.name for field in fields(Protocol)])
def test_every_field_has_a_value_or_a_reason(name: str, field: str) -> None:
    value = getattr(protocol(name), field)
    assert bool(value) != missing(name, field), f"{name}.{field} is {value!r}"


@pytest.mark.parametrize("name", ALL)
def test_every_label_has_a_sample_that_is_read_back(name: str) -> None:
    described = protocol(name)
    for label in sorted(described.grammar.labels):
        if missing(name, f"sample of {label}"):
            continue
        machine = described.grammar.owner.get(label)
        step = Step(label, tuple(0 for _ in machine.key) if machine else ())
        entry = described.samples.entry(step, ByteSource(b"").choose)
        events = described.composer().compose([entry])
        read = [found for event in events for found in described.read(event)]  # type: ignore[arg-type]  # samples write no bytes
        assert label in {one.label for one in read}


@pytest.mark.parametrize("name", ALL)
def test_the_oracle_agrees_with_the_tables(name: str) -> None:
    described = protocol(name)
    oracle, labels = described.oracle, described.grammar.labels
    assert [step.label for step in described.read(oracle.error)] == ["error"]
    assert all(any(one.startswith(start) for one in labels) for start in oracle.finished_by)
    sent = Message((Text(text="Hello there"),), usage=Usage(input=4, output=2), finish="length")
    events = described.encode(sent, IN_ORDER)
    assert "".join(map(oracle.text, events)) == "Hello there"
    changed = [oracle.replace_finish(e.data, "word") for e in events if isinstance(e.data, dict)]
    assert len([one for one in changed if one is not None]) == 1


@pytest.mark.parametrize("name", ALL)
def test_every_preserving_change_is_harmless_or_harmful(name: str) -> None:
    noise = protocol(name).noise
    assert noise.harmless.keys() | noise.harmful.keys() == PRESERVING.keys()
    assert not noise.harmless.keys() & noise.harmful.keys()
    assert all((*noise.harmless.values(), *noise.harmful.values()))


@pytest.mark.parametrize("name", ALL)
def test_every_finish_has_a_word_or_a_substitute(name: str) -> None:
    described = protocol(name)
    finishes = {"stop", "length", "tool_calls", "content_filter", "refusal", "pause"}
    assert described.expressible.usage <= set(Usage.model_fields)
    for finish in finishes - described.expressible.instead.keys():
        body = described.response_body(Message((Text(text="a"),), finish=finish))  # type: ignore[arg-type]  # a word of the set above
        assert body


def _events(name: str) -> list[Event]:
    return protocol(name).encode(Message((Text(text="Hello"),)), IN_ORDER)


@pytest.mark.parametrize("name", ALL)
def test_traffic_is_recognised_as_one_protocol_only(name: str) -> None:
    described = protocol(name)
    assert protocol_among(_events(name)) == name
    assert protocol_at(described.endpoint.url) == name
    others = [protocol(other) for other in ALL if other != name]
    for event in _events(name):
        if isinstance(event.data, dict):
            assert [one.name for one in others if one.detection.event(event.data)] == []
    path = described.endpoint.url.partition("?")[0]
    assert [one.name for one in others if one.detection.path.search(path)] == []


@pytest.mark.parametrize("name", ALL)
def test_its_provider_is_asked_in_it(name: str) -> None:
    described = protocol(name)
    assert protocol_of(described.endpoint.provider, described.request) == name


@pytest.mark.parametrize("name", ALL)
def test_it_has_an_interface_and_a_binding(name: str) -> None:
    assert interface_for(name).protocol == name
    binding = binding_of(name)
    assert binding.protocol == name
    assert (binding.helper is None) == missing(name, "helper")
    assert binding.vocabulary().keys() <= protocol(name).vocabulary.keys()


@pytest.mark.parametrize("address", BUILTIN)
def test_every_target_reads_it_or_has_a_reason(address: str) -> None:
    try:
        reads = resolve(address, SdkClients()).protocols
    except Exception as error:  # noqa: BLE001 - a target of a package that is not installed
        pytest.skip(f"{address}: {error}")
    assert {name for name in ALL if name not in reads} == {
        name for name, what in MISSING if what == address
    }


@pytest.mark.parametrize("name", ALL)
def test_it_has_a_page_and_scenarios(name: str) -> None:
    assert (ROOT / f"docs/protocols/{name}.md").exists() != missing(name, "docs")
    has = (ROOT / f"scenarios/{name}/SPEC.yaml").exists()
    assert has != missing(name, "scenarios")
    assert has == any((ROOT / "scenarios").glob(f"{name}/baseline/*.yaml"))


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"noise": Noise({})}, test_every_preserving_change_is_harmless_or_harmful),
        (
            {"detection": Detection(bool, re.compile("$^"))},
            test_traffic_is_recognised_as_one_protocol_only,
        ),
        (
            {"oracle": replace(TOY.oracle, finished_by=("nothing",))},
            test_the_oracle_agrees_with_the_tables,
        ),
        ({"endpoint": replace(TOY.endpoint, provider="groq")}, test_its_provider_is_asked_in_it),
    ],
)
def test_a_protocol_with_a_gap_is_found(
    changed: dict[str, Any], check: Callable[[str], None]
) -> None:
    unregister("toy")
    register(replace(TOY, **changed))
    with pytest.raises((AssertionError, UnknownWordError)):
        check("toy")


# Files outside of a protocol's own folders that name one -> why.
NAMING = {
    "protocols/__init__.py": "the list of the protocols that ship",
    "streaming/providers.py": "a table of providers; its values name protocols",
    "streaming/reencoding/encoder.py": "writes a Chat Completions stream for clients of ours",
    "streaming/serving/client_events/event.py": "our clients' stream ends with OpenAI's sentinel",
    "targets/frameworks/letta.py": "a table of the package's clients",
    "playback/recordings.py": "the label that one corpus gives to a carrier of a protocol",
    "cassettes/importing/spans.py": "what a provider is taken for that no protocol claims",
    "cassettes/importing/fixtures.py": "the protocol of fixtures whose format knows one only",
    "cassettes/importing/replay_files.py": "a recording format of one SDK",
    "demo/models.py": "the model that a visitor gets who names none",
}
OWN = tuple(
    f"{folder}/{name}/" for folder in ("protocols", "streaming/interfaces") for name in NAMES
)


def naming(source: str) -> Iterator[str]:
    """Yield where a source names a shipped protocol: a constant, or an import of its folder."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield f"line {node.lineno}: {node.value!r}"
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            aliases = [alias.name for alias in node.names]
            yield from (f"line {node.lineno}: {n}" for n in NAMES if n in {*parts, *aliases})
        elif isinstance(node, ast.Import):
            modules = [alias.name.split(".") for alias in node.names]
            yield from (f"line {node.lineno}: {n}" for n in NAMES if any(n in m for m in modules))


def test_no_other_file_names_a_protocol() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "harness").rglob("*.py")):
        name = path.relative_to(ROOT / "harness").as_posix()
        if not name.startswith((*OWN, "sdks/")):
            places = list(naming(path.read_text("utf-8")))
            found |= {name: places} if places else {}
    assert {name: places for name, places in found.items() if name not in NAMING} == {}
    assert NAMING.keys() - found.keys() == set(), "these name none any more"


@pytest.mark.parametrize(
    "source",
    [
        'TABLE = {"openai_chat": 1}',
        'if name == "gemini_generate": pass',
        'if name in {"openai_chat", "openai_responses"}: pass',
        'match name:\n    case "anthropic_messages": pass',
        'protocol("gemini_generate").grammar',
        "from harness.protocols.openai_chat.vocabulary import DONE",
        "from harness.protocols import openai_chat",
        "import harness.protocols.gemini_generate.grammar",
    ],
)
def test_naming_a_protocol_is_found(source: str) -> None:
    assert list(naming(source))


def test_a_name_inside_a_longer_text_is_not_found() -> None:
    assert not list(naming('HELP = "harness run openai_chat/baseline"'))
