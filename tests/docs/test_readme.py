"""The README's tests run as they are printed, its figures are true, and it stays short."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from harness import cli
from harness.scenarios import discover, scenario_root

if TYPE_CHECKING:
    import pytest
    from _pytest.pytester import Pytester

pytest_plugins = "pytester"

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PYTHON: list[str] = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TOPIC = "openai_chat/ending"  # what the example runs
MY_APP = """
from contextlib import suppress

from openai import AsyncOpenAI

from harness.streaming import interface_for


async def stream(base_url, **request):
    interface = interface_for("openai_chat")()
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        with suppress(Exception):  # the outcome has the error
            async for _ in interface.chunks(client.chat.completions.create(**request, stream=True)):
                pass
    return interface.outcome()
"""


def block(part: str) -> str:
    return next(text for text in PYTHON if part in text)


def test_the_test_of_the_first_example_passes(pytester: Pytester) -> None:
    pytester.makepyfile(my_app=MY_APP)
    pytester.makepyfile(test_streaming=block("pytest.mark.scenarios"))
    result = pytester.runpytest_subprocess("-q", "test_streaming.py")
    result.assert_outcomes(passed=len(list((scenario_root() / TOPIC).glob("*.yaml"))))


def test_the_first_example_fails_for_an_interface_that_loses_text(pytester: Pytester) -> None:
    pytester.makepyfile(
        my_app=MY_APP.replace(
            "return interface.outcome()",
            "return interface.outcome().model_copy(update={'content': ()})",
        )
    )
    pytester.makepyfile(test_streaming=block("pytest.mark.scenarios"))
    result = pytester.runpytest_subprocess("-q", "test_streaming.py", "-k", "finish_without_done")
    result.assert_outcomes(failed=1, deselected=result.parseoutcomes()["deselected"])


def test_the_fuzz_example_passes(pytester: Pytester) -> None:
    pytester.makepyfile(my_app=MY_APP, test_streaming=block("pytest.mark.scenarios"))
    pytester.makepyfile(
        test_fuzzing=block("harness.fuzz").replace('_chat")', '_chat", examples=5)')
    )
    result = pytester.runpytest_subprocess("-q", "test_fuzzing.py", "-k", "byte_cuts or noise")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 2
    assert outcomes["deselected"] > 10


def test_the_failure_it_shows_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [shown] = re.findall(r"^```\n(sdk-helper: FAILED .*?)\n```$", README, re.MULTILINE | re.DOTALL)
    command = shlex.split(shown.splitlines()[-1].removeprefix("  reproduce").strip())
    assert cli.main(command[1:]) == 1
    assert shown in capsys.readouterr().out


def test_it_is_short_and_counts_the_scenarios() -> None:
    assert README.count("\n") <= 150
    count = len(list(discover(scenario_root())))
    assert f"{count} scenarios" in README
