"""The public API: ``__all__``, docs/api.md and the types agree, and the examples run."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import pytest

import harness
from harness import Call, Chunk, Outcome, ScenarioResult, ScenarioResults, Text, Violation
from harness.cassettes import save
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.scenarios import load, scenario_root
from tests.cassettes.samples import cassette, hello
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparing.events import ComparisonFinished

PAGE = (Path(__file__).parents[1] / "docs/api.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`$\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {
    name: "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    for name, text in SECTIONS.items()
}
HEAVY = {"pydantic", "yaml", "asyncio", "openai", "anthropic", "google", "hypothesis", "h11"}


async def greet(call: Call) -> Outcome:
    """Deliver what the example recording contains, whatever is asked."""
    assert call.base_url
    chunks = (Chunk("text", "Hello there", part=0), Chunk("stop_reason", finish="stop"))
    return Outcome(chunks=chunks, content=(Text(text="Hello there"),), finish="stop",
                   ending="complete")  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a legal recording and an illegal one, and a mock OpenAI."""
    script = written(tmp_path / "made").script()
    (tmp_path / "recording.sse").write_bytes(script.body)
    illegal = written(tmp_path / "made", order="illegal", stream=["message_stop", "message_start"])
    (tmp_path / "illegal.sse").write_bytes(illegal.script().body)
    (tmp_path / "cassettes").mkdir()
    save(cassette(hello(tmp_path / "made"), hello(tmp_path / "made")), tmp_path / "two.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A mock OpenAI, where an OpenAI client looks for the real one."""
    root = scenario_root()
    registry = ResponseRegistry()
    key = registry.register(load(root / "openai_chat/baseline/text.yaml", root).script())
    with serving(registry) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/{key}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield


def test_every_public_name_is_documented_with_an_example() -> None:
    assert set(SECTIONS) == set(harness.__all__)
    assert [name for name, example in EXAMPLES.items() if name not in example] == []
    assert dir(harness) == sorted(harness.__all__)


def test_every_public_name_is_typed() -> None:
    tree = ast.parse(Path(str(harness.__file__)).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (alias.asname, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {(name, getattr(harness, name).__module__) for name in harness.__all__}


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        _ = harness.runn  # type: ignore[attr-defined]  # what is tested


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, harness; print(harness.__all__); print({HEAVY!r} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    names, heavy = shown.stdout.splitlines()
    assert ast.literal_eval(names) == harness.__all__
    assert heavy == "set()"


@pytest.mark.parametrize("name", [*EXAMPLES])
@pytest.mark.usefixtures("project", "provider")
def test_the_example_runs(name: str) -> None:
    namespace = {"__name__": "example", "my_interface": greet}
    exec(compile(EXAMPLES[name], f"docs/api.md {name}", "exec"), namespace)  # noqa: S102 - our own page


@pytest.mark.usefixtures("project")
def test_the_functions_return_what_their_types_say() -> None:
    results = harness.run("openai_chat/baseline/text", target="builtin")
    assert_type(results, ScenarioResults)
    assert_type(results[0], ScenarioResult)
    assert [result.failures for result in results] == [()]
    assert_type(harness.replay("recording.sse", target=greet), Outcome)
    assert_type(harness.check("recording.sse"), list[Violation])
    if TYPE_CHECKING:
        assert_type(harness.compare("a", "b"), ComparisonFinished)


@pytest.mark.usefixtures("project")
def test_a_failing_run_names_every_failure_with_its_command() -> None:
    results = harness.run("openai_chat/baseline", target=greet)
    failed = [result.scenario.id for result in results if result.failed]
    assert len(failed) > 1
    with pytest.raises(AssertionError) as raised:
        results.assert_passes()
    assert [name for name in failed if f"{name}:" not in str(raised.value)] == []
    assert f"reproduce: {shlex.join(sys.orig_argv)}" in str(raised.value)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ('harness.run("opnai_chat")', "did you mean 'openai_chat'"),
        ('harness.run(target="bultin")', "did you mean 'builtin'"),
        ('harness.replay("x.sse")', "x.sse: cannot be read"),
        ('harness.replay(".")', ".: a folder; name one recording in it"),
        ('harness.replay("recording.sse#2")', "it holds 1 exchanges, and none is #2"),
        ('harness.replay("two.yaml")', "it holds 2 exchanges; name one, as in two.yaml#1"),
        ('harness.replay("recording.sse", target="bultin")', "did you mean 'builtin'"),
        ('harness.replay("recording.sse", cut="bite")', "did you mean 'byte'"),
        ('harness.check("recording.sse", protocol="openai_caht")', "did you mean 'openai_chat'"),
        ('harness.compare("current", "bultin==1", target="x")', "unknown target 'x'"),
        ('harness.record("a.yaml", mode="onec")', "did you mean 'once'"),
        ('harness.fuzz("openai_caht")', "did you mean 'openai_chat'"),
    ],
)
@pytest.mark.usefixtures("project")
def test_wrong_input_is_named_with_its_cure(call: str, says: str) -> None:
    with pytest.raises(harness.InputError, match=re.escape(says)):
        eval(call, {"harness": harness})  # noqa: S307 - our own code


@pytest.mark.usefixtures("project")
def test_one_exchange_of_a_cassette_is_named_by_its_number() -> None:
    assert harness.replay("two.yaml#2").text == "Hello there"
    assert harness.check("two.yaml#1") == []


def test_public_functions_document_their_arguments() -> None:
    for name in ("run", "replay", "check", "compare", "record", "fuzz"):
        function = getattr(harness, name)
        text = inspect.getdoc(function) or ""
        missing = [one for one in inspect.signature(function).parameters if f"{one}:" not in text]
        assert not missing, f"{name}: {missing}"
