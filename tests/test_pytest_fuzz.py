"""The mark ``fuzz`` in a user's test suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic  # noqa: F401 - an inner run discards its imports: a second each time
import hypothesis
import pytest

import harness.fuzzing.distributed
import harness.targets.builtin  # noqa: F401 - the same

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

USERS_TEST = """
import pytest
from harness.model import Outcome

async def listen(call):
    return Outcome(ending="complete", finish="stop")

@pytest.mark.fuzz("anthropic_messages", {arguments})
def test_no_stream_breaks_our_layer(fuzz_result):
    fuzz_result.assert_passes()
"""
INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    pytester.makeini(INI)

    def call(arguments: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(USERS_TEST.format(arguments=arguments))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return call


def test_a_property_that_holds_passes(run: Callable[..., pytest.RunResult]) -> None:
    result = run("properties=['prefix'], examples=20", "-v", "--hypothesis-profile=ci")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*[[]builtin:anthropic_messages:prefix[]] PASSED*"])


def test_a_violated_property_shows_the_minimal_stream(run: Callable[..., pytest.RunResult]) -> None:
    words = "target=listen, properties=['no_silent_success', 'inert_call'], examples=20"
    result = run(words, "--hypothesis-profile=ci")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "listen: FAILED anthropic_messages: no_silent_success (*)",
            '*actual *{"ending": "complete"}',
        ]
    )


def test_every_property_is_a_test_of_its_own(run: Callable[..., pytest.RunResult]) -> None:
    result = run("target=listen", "--collect-only", "-q")
    names = [line for line in result.outlines if "anthropic_messages:" in line]
    assert any("round_trip" in name for name in names)
    assert not any("sync_matches_async" in name for name in names)  # a function has no such variant
    assert len(names) > 15


def test_nightly_is_a_profile(run: Callable[..., pytest.RunResult]) -> None:
    from harness.generation.profiles import NIGHTLY, examples

    before = examples()
    run("target=listen", "--collect-only", "--hypothesis-profile=nightly")
    assert examples() == NIGHTLY
    hypothesis.settings.load_profile("default")
    assert examples() == before


def test_unknown_names_are_refused(run: Callable[..., pytest.RunResult]) -> None:
    for arguments, says in (
        ("properties=['round_tripp']", "did you mean 'round_trip'"),
        ("property=1", "argument of fuzz"),
    ):
        result = run(arguments)
        assert says in "\n".join((*result.outlines, *result.errlines))
