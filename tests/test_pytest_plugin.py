"""The plugin in another project's test suite."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import anthropic  # noqa: F401 - an inner run forgets what it imports; a second each time
import pytest

import harness.engine.run
import harness.targets.builtin
import harness.targets.sdk  # noqa: F401 - the same
from harness.playback.response_registry import ResponseRegistry
from harness.playback.server import serving
from harness.scenarios import load
from tests.scenario_files import ID, write, write_text

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

TEST = """
import pytest
from harness.model import Chunk, Outcome, Text

async def listen(call):
    assert call.protocol == "anthropic_messages"
    chunks = (Chunk("text", TEXT), Chunk("stop_reason", finish="stop"))
    return Outcome(chunks=chunks, content=(Text(text=TEXT),), finish="stop", ending="complete")

TEXT = "{text}"

@pytest.mark.scenarios("anthropic_messages/**", target=listen)
def test_our_streaming_layer(conformance):
    conformance.assert_passes()
"""
INI = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
SNAPSHOT = """
import pytest

@pytest.mark.scenarios(target="builtin")
def test_snapshot(conformance, outcome_snapshot):
    assert conformance.snapshot_text() == outcome_snapshot(name=conformance.scenario.id)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Another project, with one scenario."""
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    write(pytester.path / "scenarios")
    pytester.makeini(INI)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_a_correct_interface_passes(project: pytest.Pytester) -> None:
    project.makepyfile(TEST.replace("{text}", "Hello there"))
    result = run(project, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*test_our_streaming_layer?listen:{ID}? PASSED*"])


def test_a_wrong_interface_fails_with_expected_and_actual(project: pytest.Pytester) -> None:
    project.makepyfile(TEST.replace("{text}", "Bye"))
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"{ID}:text (fail)",
            'expected:  "Hello there"',
            'actual:    "Bye"',
            f"reproduce: harness run {ID} --target python:*:listen",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "another exception" not in result.stdout.str()


LOCAL = """
import pytest
from test_theirs import listen

@pytest.mark.scenarios("anthropic_messages/**", target=lambda call: listen(call))
def test_a_function_without_an_address(conformance):
    conformance.assert_passes()
"""


@pytest.mark.parametrize(
    ("path", "text", "program"),
    [
        ("test_theirs.py", TEST, "harness"),
        ("tests/test_theirs.py", TEST, "pytest"),  # only pytest has that folder on sys.path
        ("test_local.py", LOCAL, "pytest"),
    ],
)
def test_the_printed_command_reproduces_the_failure(
    project: pytest.Pytester, path: str, text: str, program: str
) -> None:
    for name, content in (("test_theirs.py", TEST), (path, text)):
        (project.path / name).parent.mkdir(exist_ok=True)
        (project.path / name).write_text(content.replace("{text}", "Bye"), "utf-8")
    failed = run(project, path)
    [command] = {line for line in failed.stdout.lines if line.startswith("reproduce: ")}
    words = shlex.split(command.removeprefix("reproduce: "))
    assert words[0] == program
    if program == "pytest":
        words.insert(1, "-pno:cacheprovider")
    again = project.run(sys.executable, "-m", *words)
    assert again.ret == 1
    assert "Hello there" in again.stdout.str()
    assert "Bye" in again.stdout.str()


def test_the_target_may_come_from_the_command_line(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.scenarios
        def test_it(conformance):
            assert conformance.failures == ()
        """
    )
    result = run(project, "-v", "--harness-target", "builtin", "--harness-target", "sdk")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*builtin:{ID}*", f"*sdk:{ID}*"])
    result = run(project, "-v")
    result.stdout.fnmatch_lines([f"*builtin:{ID}*"])


def test_the_folder_may_come_from_the_command_line(
    project: pytest.Pytester, tmp_path: Path
) -> None:
    write(tmp_path / "elsewhere", "anthropic_messages/text/other")
    project.makepyfile(TEST.replace("{text}", "Hello there"))
    result = run(project, "-v", f"--harness-scenarios={tmp_path}/elsewhere")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*listen:anthropic_messages/text/other*"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('scenarios("helo")', "unknown scenario 'helo'; did you mean 'hello'?"),
        ('scenarios(targt="sdk")', "unknown argument of scenarios 'targt'; did you mean 'target'?"),
    ],
)
def test_a_wrong_mark_is_a_usage_error(project: pytest.Pytester, body: str, message: str) -> None:
    project.makepyfile(f"import pytest\n@pytest.mark.{body}\ndef test_it(conformance): pass")
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*{message}*"])


def test_a_marked_test_without_the_fixture_is_a_usage_error(project: pytest.Pytester) -> None:
    project.makepyfile("import pytest\n@pytest.mark.scenarios\ndef test_it(): pass")
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["*::test_it is marked scenarios but does not use the fixture `conformance`*"]
    )


def test_the_fixture_without_a_mark_is_a_usage_error(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(conformance): pass
        def test_target(harness_target): pass
        def test_other(): pass
        """
    )
    result = run(project)
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*mark the test with @pytest.mark.scenarios('…')*"])


def test_an_invalid_scenario_is_a_usage_error_with_its_line(project: pytest.Pytester) -> None:
    write_text(project.path / "scenarios", "bad/malformed", "title: [")
    project.makepyfile(SNAPSHOT)
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*scenarios/bad/malformed.yaml:2: not valid YAML*"])


def test_snapshots_are_written_compared_and_required(project: pytest.Pytester) -> None:
    test = project.makepyfile(SNAPSHOT)
    run(project).assert_outcomes(failed=1)
    run(project, "--snapshot-update").assert_outcomes(passed=1)
    name = test.stem.removeprefix("test_")
    snapshot = project.path / "__snapshots__" / name / f"{ID}.json"
    assert '"finish": "stop"' in snapshot.read_text("utf-8")
    run(project).assert_outcomes(passed=1)
    snapshot.write_text(snapshot.read_text("utf-8").replace("Hello", "Hullo"), "utf-8")
    run(project).assert_outcomes(failed=1)


def test_an_unused_snapshot_fails_the_run(project: pytest.Pytester) -> None:
    test = project.makepyfile(SNAPSHOT)
    run(project, "--snapshot-update")
    folder = project.path / "__snapshots__" / test.stem.removeprefix("test_")
    (folder / "anthropic_messages/text/gone.json").write_text("{}\n", "utf-8")
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*1 snapshot unused*"])


RECORDING = """
import anthropic

def test_our_client(harness_recorder):
    url = harness_recorder.base_url("anthropic")
    key = "sk-ant-api03-abcdefghijklmnop"
    client = anthropic.Anthropic(api_key=key, base_url=url, max_retries=0)
    ask = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    with client, client.messages.stream(**ask) as stream:
        assert stream.get_final_text() == "Hello there"
"""


def test_a_recording_is_made_once_and_then_replayed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(test_asking=RECORDING)
    registry = ResponseRegistry()
    key = registry.register(
        load(project.path / f"scenarios/{ID}.yaml", project.path / "scenarios").script()
    )
    with serving(registry) as url:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{url}/{key}")
        run(project).assert_outcomes(failed=1)  # nothing is recorded without --harness-record
        run(project, "--harness-record", "once").assert_outcomes(passed=1)
        requests = len(registry.exchanges(key))
        run(project).assert_outcomes(passed=1)
        assert len(registry.exchanges(key)) == requests == 1
    recorded = (project.path / "cassettes/asking/test_our_client.yaml").read_text("utf-8")
    assert "abcdefghijklmnop" not in recorded
    assert run(project, "--harness-record", "onec").ret == pytest.ExitCode.TESTS_FAILED


WRAPPING = """
import asyncio, anthropic, openai

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

def test_our_client(harness_recorder):
    client = anthropic.Anthropic(api_key="k", base_url="URL", max_retries=0)
    ours = harness_recorder.wrap(client)
    with client, ours.messages.stream(max_tokens=9, **ASK) as stream:
        assert stream.get_final_text() == "Hello there"

async def events(wrap):
    async with openai.AsyncOpenAI(api_key="k", base_url="URL/v1", max_retries=0) as client:
        stream = await wrap(client).chat.completions.create(stream=True, **ASK)
        return [event async for event in stream]

def test_our_other_client(harness_recorder):
    assert asyncio.run(events(harness_recorder.wrap))
"""


def test_a_wrapped_client_is_recorded_once_and_then_replayed(project: pytest.Pytester) -> None:
    registry = ResponseRegistry()
    script = load(project.path / f"scenarios/{ID}.yaml", project.path / "scenarios").script()
    with serving(registry) as url:
        key = registry.register(script)
        project.makepyfile(test_asking=WRAPPING.replace("URL", f"{url}/{key}"))
        run(project).assert_outcomes(failed=2)
        run(project, "--harness-record", "once").assert_outcomes(passed=2)
        assert len(registry.exchanges(key)) == 2
    run(project).assert_outcomes(passed=2)  # the server is gone
    recorded = (project.path / "cassettes/asking/test_our_client.yaml").read_text("utf-8")
    assert f'uri: "{url}/{key}/v1/messages"' in recorded
