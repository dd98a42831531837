"""``@harness.fuzz`` on an interface: one test per property, with real SDKs and sockets."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import anthropic  # noqa: F401 - an inner run discards its imports: a second each time
import pytest

import harness
import harness.fuzzing.distributed
import harness.targets.builtin
from harness.errors import UnknownWordError
from harness.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.targets.base import Call

pytest_plugins = ["pytester"]

# A user's interface that reads text only; the ending follows from what the SDK raises and reports.
USERS_TEST = """
import harness
from anthropic import AsyncAnthropic
from harness.model import ErrorInfo, Outcome, Text

FINISHES = {{"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}}

@harness.fuzz({arguments})
async def test_my_interface(call):
    async with AsyncAnthropic(api_key="k", base_url=call.base_url, max_retries=0) as client:
        text, finish = "", "unknown"
        try:
            async for event in await client.messages.create(**call.request, stream=True):
                if event.type == "content_block_start" and event.content_block.type == "text":
                    text += event.content_block.text
                elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                    text += event.delta.text
                elif event.type == "message_delta":
                    finish = FINISHES.get(event.delta.stop_reason, "unknown")
        except Exception:  # the SDK passes on json's own error for a line that is not JSON
            return Outcome(content=parts(text), ending="failed", error=ErrorInfo(kind="server"))
    return Outcome(content=parts(text), ending={ending}, finish=finish)

def parts(text):
    return (Text(text=text),) if text else ()
"""
RIGHT = "'truncated' if finish == 'unknown' else 'complete'"
ALWAYS_COMPLETE = "'complete'"
PROPERTIES = "properties=['no_text_lost', 'no_silent_success', 'error_reported']"


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")

    def call(arguments: str, ending: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(USERS_TEST.format(arguments=arguments, ending=ending))
        words = ("-p", "no:cacheprovider", "--hypothesis-profile=ci", *options)
        return pytester.runpytest_inprocess(*words)

    return call


def test_a_correct_interface_passes_one_test_per_property(
    run: Callable[..., pytest.RunResult],
) -> None:
    result = run(f"'anthropic_messages', {PROPERTIES}, examples=40", RIGHT, "-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*::test_my_interface[[]no_text_lost[]] PASSED*"])


def test_a_violated_property_is_named_with_its_minimal_stream(
    run: Callable[..., pytest.RunResult],
) -> None:
    result = run(f"'anthropic_messages', {PROPERTIES}, examples=40", ALWAYS_COMPLETE)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_my_interface[[]no_silent_success[]]*",
            "test_my_interface: FAILED anthropic_messages: no_silent_success (? event*)",
            '*expected *"truncated"*',
            '*actual *{"ending": "complete"}',
        ]
    )


def test_all_properties_of_every_supported_protocol_are_the_default(
    run: Callable[..., pytest.RunResult],
) -> None:
    result = run("", RIGHT, "--collect-only", "-q", "-m", "fuzz")
    names = [line for line in result.outlines if "::" in line]
    assert any("[openai_chat:round_trip]" in name for name in names)
    assert any("[anthropic_messages:chunk_sum]" in name for name in names)
    assert not any("sync_matches_async" in name for name in names)  # a function has no such variant
    assert len(names) > 4 * 15


def test_two_protocols_of_one_interface_have_their_own_ids(
    run: Callable[..., pytest.RunResult],
) -> None:
    words = "'anthropic_messages', 'openai_chat', properties=['prefix']"
    result = run(words, RIGHT, "--collect-only", "-q")
    assert [line.partition("::")[2] for line in result.outlines if "::" in line] == [
        "test_my_interface[anthropic_messages:prefix]",
        "test_my_interface[openai_chat:prefix]",
    ]


async def always_succeeds(_: Call) -> Outcome:
    """A user's interface that never reports an error."""
    return Outcome(ending="complete", finish="stop")


def test_a_plain_call_raises_what_is_violated() -> None:
    test = harness.fuzz("openai_chat", properties=["prefix", "usage_counts"], examples=5, seed=1)(
        always_succeeds
    )
    with pytest.raises(
        AssertionError, match="always_succeeds: FAILED openai_chat: prefix"
    ) as raised:
        test()
    assert "usage_counts" not in str(raised.value)
    harness.fuzz("openai_chat", properties=["usage_counts"], examples=5, seed=1)(always_succeeds)()


def test_unknown_names_are_refused_by_the_decorator() -> None:
    with pytest.raises(UnknownWordError, match="did you mean 'openai_chat'"):
        harness.fuzz("openai_chatt")
    with pytest.raises(UnknownWordError, match="did you mean 'round_trip'"):
        harness.fuzz(properties=["round_tripp"])


def test_a_decorator_without_parentheses_or_on_a_method_is_refused() -> None:
    class Mine:
        async def listen(self, _: Call) -> Outcome:
            return Outcome()

    with pytest.raises(TypeError, match="with parentheses"):
        harness.fuzz(always_succeeds)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not methods"):
        harness.fuzz()(Mine.listen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "first",
    ["", "import harness.generation.strategies", "from harness.generation.strategies import cases"],
)
def test_the_function_can_be_called_whatever_was_imported_before(first: str) -> None:
    run_code(
        f"{first}\nimport harness\n"
        "assert callable(harness.fuzz('openai_chat'))\n"
        "from harness.generation.strategies import cases\n"
        "assert harness.generation.strategies.cases is cases"
    )


def test_importing_the_package_imports_nothing_heavy() -> None:
    run_code(
        "import sys, harness\n"
        "heavy = {'hypothesis', 'pytest', 'pydantic', 'asyncio', 'harness.model'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )


def run_code(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code


TYPED = """
import harness
from harness.generation.strategies import cases
from harness.model import Outcome
from harness.targets.base import Call

@harness.fuzz("anthropic_messages", properties=["prefix"], examples=10, seed=1)
async def test_my_interface(call: Call) -> Outcome:
    return Outcome()

test_my_interface()
reveal_type(cases("openai_chat"))
"""


def test_a_strict_type_checker_takes_it(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TYPED, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "test_mine.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    assert run.returncode == 0, run.stdout
    assert "SearchStrategy[harness.generation.cases.Case]" in run.stdout
