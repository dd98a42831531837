"""The plugin in somebody's own test suite: ten lines of theirs, and what they get for them."""

from __future__ import annotations

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

USERS_TEST = """
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
PHOTOGRAPHED = """
import pytest

@pytest.mark.scenarios(target="builtin")
def test_photograph(conformance, outcome_snapshot):
    assert conformance.snapshot_text() == outcome_snapshot(name=conformance.scenario.id)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of somebody else with one scenario."""
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    write(pytester.path / "scenarios")
    pytester.makeini(INI)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_a_right_interface_passes(project: pytest.Pytester) -> None:
    project.makepyfile(USERS_TEST.replace("{text}", "Hello there"))
    result = run(project, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*test_our_streaming_layer?listen:{ID}? PASSED*"])


def test_a_wrong_one_fails_with_what_was_expected(project: pytest.Pytester) -> None:
    project.makepyfile(USERS_TEST.replace("{text}", "Bye"))
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
    project.makepyfile(USERS_TEST.replace("{text}", "Hello there"))
    result = run(project, "-v", f"--harness-scenarios={tmp_path}/elsewhere")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*listen:anthropic_messages/text/other*"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('scenarios("helo")', "unknown scenario 'helo'; did you mean 'hello'?"),
        ('scenarios(targt="sdk")', "unknown argument of scenarios 'targt'; did you mean 'target'?"),
    ],
)
def test_a_mark_that_is_wrong_is_told(project: pytest.Pytester, body: str, says: str) -> None:
    project.makepyfile(f"import pytest\n@pytest.mark.{body}\ndef test_it(conformance): pass")
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*{says}*"])


def test_a_marked_test_that_asks_for_nothing_is_told(project: pytest.Pytester) -> None:
    project.makepyfile("import pytest\n@pytest.mark.scenarios\ndef test_it(): pass")
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["*::test_it is marked scenarios, but does not ask for `conformance`*"]
    )


def test_a_test_that_is_not_marked_is_told(project: pytest.Pytester) -> None:
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


def test_a_bad_scenario_ends_the_collection_with_its_line(project: pytest.Pytester) -> None:
    write_text(project.path / "scenarios", "bad/malformed", "title: [")
    project.makepyfile(PHOTOGRAPHED)
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*scenarios/bad/malformed.yaml:2: not valid YAML*"])


def test_photographs_are_taken_compared_and_missed(project: pytest.Pytester) -> None:
    test = project.makepyfile(PHOTOGRAPHED)
    run(project).assert_outcomes(failed=1)
    run(project, "--snapshot-update").assert_outcomes(passed=1)
    name = test.stem.removeprefix("test_")
    photograph = project.path / "__snapshots__" / name / f"{ID}.json"
    assert '"finish": "stop"' in photograph.read_text("utf-8")
    run(project).assert_outcomes(passed=1)
    photograph.write_text(photograph.read_text("utf-8").replace("Hello", "Hullo"), "utf-8")
    run(project).assert_outcomes(failed=1)


def test_a_photograph_of_nobody_fails_the_run(project: pytest.Pytester) -> None:
    test = project.makepyfile(PHOTOGRAPHED)
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


def test_a_recording_is_made_once_and_played_ever_after(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(test_asking=RECORDING)
    stage = ResponseRegistry()
    key = stage.register(
        load(project.path / f"scenarios/{ID}.yaml", project.path / "scenarios").script()
    )
    with serving(stage) as url:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{url}/{key}")
        run(project).assert_outcomes(failed=1)  # nothing is recorded unless somebody says so
        run(project, "--harness-record", "once").assert_outcomes(passed=1)
        asked = len(stage.exchanges(key))
        run(project).assert_outcomes(passed=1)
        assert len(stage.exchanges(key)) == asked == 1
    kept = (project.path / "cassettes/asking/test_our_client.yaml").read_text("utf-8")
    assert "abcdefghijklmnop" not in kept
    assert run(project, "--harness-record", "onec").ret == pytest.ExitCode.TESTS_FAILED


WRAPPING = """
import asyncio, anthropic, openai

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

def test_our_client(harness_recorder):
    client = anthropic.Anthropic(api_key="k", base_url="URL", max_retries=0)
    ours = harness_recorder.wrap(client)
    with client, ours.messages.stream(max_tokens=9, **ASK) as stream:
        assert stream.get_final_text() == "Hello there"

async def heard(wrap):
    async with openai.AsyncOpenAI(api_key="k", base_url="URL/v1", max_retries=0) as client:
        stream = await wrap(client).chat.completions.create(stream=True, **ASK)
        return [event async for event in stream]

def test_our_other_client(harness_recorder):
    assert asyncio.run(heard(harness_recorder.wrap))
"""


def test_a_wrapped_client_is_recorded_once_and_played_ever_after(project: pytest.Pytester) -> None:
    stage = ResponseRegistry()
    script = load(project.path / f"scenarios/{ID}.yaml", project.path / "scenarios").script()
    with serving(stage) as url:
        key = stage.register(script)
        project.makepyfile(test_asking=WRAPPING.replace("URL", f"{url}/{key}"))
        run(project).assert_outcomes(failed=2)
        run(project, "--harness-record", "once").assert_outcomes(passed=2)
        assert len(stage.exchanges(key)) == 2
    run(project).assert_outcomes(passed=2)  # the server is gone
    kept = (project.path / "cassettes/asking/test_our_client.yaml").read_text("utf-8")
    assert f'uri: "{url}/{key}/v1/messages"' in kept
