"""Every cancellation case of the catalogue, and what covers it: one table that cannot go stale.

A case is covered by a scenario that names it (``case: CA-003``), by an invariant that cites it, or
by a test function; what no code of ours can cover is excluded with its reason. The invariants are
checked on every scenario whose ``consumer`` aborts, at every point: ``harness run cancellation``.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.aborting.abort_invariants import ABORT_INVARIANTS
from harness.aborting.run_invariants import RUN_INVARIANTS
from harness.scenarios import discover, load, scenario_root

HERE = Path(__file__).parent
CLOSING = "streaming/test_closing.py"
CANCELLATION = "streaming/test_cancellation.py"
INTERFACES = "streaming/test_cancelling_interfaces.py"
KEEPALIVE = "streaming/serving/test_keepalive_abort.py"
STACK = "aborting/test_full_stack.py"


class Case(NamedTuple):
    """A case, and what covers it: scenarios, invariants, FILE::FUNCTION; or why nothing does."""

    title: str
    covered_by: tuple[str, ...] = ()
    excluded: str | None = None


CASES = {
    "CA-001": Case(
        "cancelled while awaiting the request",
        (
            "run_closes_responses",
            f"{INTERFACES}::test_a_run_cancelled_while_connecting_closes_the_socket",
            "aborting/test_stream_sweep.py::test_waiting_for_the_response_can_be_interrupted",
        ),
    ),
    "CA-002": Case(
        "cancelled after the headers, before an event",
        ("text", "aborted_is_cancelled", "aborted_closes_connection", "run_is_cancelled"),
    ),
    "CA-003": Case(
        "cancelled between text chunks",
        ("text", "aborted_keeps_prefix", "cancel_is_not_suppressed", "run_keeps_partial"),
    ),
    "CA-004": Case(
        "cancelled while a stream is silent",
        (
            "silent_provider",
            "run_ends_at_once",
            f"{STACK}::test_a_silent_provider_is_aborted_at_once",
        ),
    ),
    "CA-005": Case(
        "cancelled during argument deltas",
        ("tool_call", "parallel_calls", "call_without_status", "aborted_calls_inert"),
    ),
    "CA-006": Case(
        "cancelled after a complete call, before its result",
        (
            "tool_call",
            "parallel_calls",
            "streaming/test_request_sanitizing.py::test_every_history_becomes_acceptable_and_then_stays_unchanged",
            "streaming/test_continuation.py::test_stop_reason_after_each_outcome",
            f"{STACK}::test_an_undisturbed_run_has_two_agent_steps",
        ),
    ),
    "CA-007": Case(
        "cancelled after the start of a call was shown",
        ("tool_call", "aborted_keeps_prefix", "run_keeps_partial"),
    ),
    "CA-008": Case(
        "the consumer breaks out of its loop",
        (
            "text",
            "aborted_closes_connection",
            "aborted_leaks_nothing",
            "run_closes_responses",
            f"{CLOSING}::test_a_stream_is_closed_in_the_task_that_reads_it",
        ),
    ),
    "CA-009": Case(
        "GeneratorExit inside a task group",
        (
            f"{CLOSING}::test_closing_a_stream_with_a_task_group_raises_no_exception_group",
            f"{CLOSING}::test_an_error_in_a_task_group_during_closing_is_returned",
            f"{CANCELLATION}::test_a_cancelled_run_in_a_task_group_cancels_its_siblings_once",
        ),
    ),
    "CA-010": Case(
        "aclose() while __anext__ is running",
        (
            "silent_provider",
            "run_ends_at_once",
            f"{CLOSING}::test_a_waiting_reader_is_cancelled_before_the_chunks_are_closed",
            f"{KEEPALIVE}::test_closing_while_the_source_is_waited_for_ends_that_wait",
        ),
    ),
    "CA-011": Case(
        "driven by one task, closed by another",
        (
            f"{CLOSING}::test_chunks_closed_by_another_task_close_the_stream",
            f"{KEEPALIVE}::test_one_task_may_read_and_another_close",
        ),
    ),
    "CA-012": Case(
        "the client disconnects mid text",
        ("run_propagates_cancellation", "run_logs_no_warning"),
    ),
    "CA-013": Case(
        "a cancellation that is swallowed",
        ("cancel_is_not_suppressed", "run_propagates_cancellation"),
    ),
    "CA-014": Case(
        "wait_for(anext()) times out",
        (
            "text",
            "cancel_is_not_suppressed",
            "run_propagates_cancellation",
            f"{CLOSING}::test_wait_for_closes_the_chunks",
        ),
    ),
    "CA-015": Case(
        "a callback raises CancelledError",
        (
            "run_ends_at_once",
            "streaming/serving/test_keepalive.py::test_a_cancelled_error_of_the_source_reaches_the_consumer",
        ),
    ),
    "CA-016": Case(
        "an early break with tasks beside it", ("aborted_leaks_nothing", "run_leaks_nothing")
    ),
    "CA-017": Case(
        "more streams than the pool has slots",
        (
            "aborted_closes_connection",
            "run_closes_responses",
            f"{INTERFACES}::test_an_abort_while_the_provider_is_silent",
        ),
    ),
    "CA-018": Case(
        "cancelled again during clean-up",
        (
            "run_propagates_cancellation",
            f"{CANCELLATION}::test_a_deferred_cancellation_is_raised_after_the_work",
            f"{KEEPALIVE}::test_a_second_cancellation_reaches_the_clean_up",
        ),
    ),
    "CA-019": Case(
        "an error status on a streaming request",
        (f"{INTERFACES}::test_a_rejected_request_ends_the_chunks_as_failed",),
    ),
    "CA-020": Case(
        "close() but no aclose()",
        (f"{CLOSING}::test_a_stream_is_closed_in_the_task_that_reads_it",),
    ),
    "CA-021": Case(
        "usage after a cancel",
        (
            "run_reports_usage",
            f"{CLOSING}::test_usage_is_not_partial_after_the_terminal_event",
            "streaming/serving/test_real_sdks.py::test_a_stalled_provider_is_aborted",
        ),
    ),
    "CA-022": Case(
        "the provider goes on after the abort",
        excluded="What a provider does behind a closed connection is not on the wire. What can be "
        "seen is held: the client closes (run_closes_responses), and a usage that was seen "
        "before is called partial, so that its cost is known to be a lower bound (CA-021).",
    ),
    "CA-023": Case(
        "late events of a cancelled run",
        (
            "run_no_stale_message",
            "run_unregisters",
            f"{CANCELLATION}::test_a_run_that_ends_late_keeps_the_signal_of_its_successor",
        ),
    ),
    "CA-024": Case(
        "a cancel races the terminal",
        (
            "text",
            "failing_provider",
            "no_chunk_after_abort",
            "run_events_in_order",
            f"{CLOSING}::test_a_signal_at_the_last_chunks_has_no_effect",
        ),
    ),
    "CA-025": Case(
        "a synchronous iterator closed from another thread",
        (
            "streaming/test_cancelling_sync.py::test_a_thread_waiting_for_a_silent_provider_is_woken",
            "streaming/test_cancelling_sync.py::test_a_run_cancelled_before_it_began_reads_no_event",
        ),
    ),
}

INVARIANT_SOURCES = {
    **{invariant.name: invariant.sources for invariant in ABORT_INVARIANTS},
    **{invariant.name: invariant.sources for invariant in RUN_INVARIANTS},
}


def faults(case_id: str, case: Case, scenarios: dict[str, set[str]]) -> list[str]:
    """Return what is wrong with a row: an unknown name, or one that does not cite the case."""
    if bool(case.covered_by) == bool(case.excluded):
        return ["is covered or excluded, one of the two"]
    return [words for name in case.covered_by if (words := _wrong(case_id, name, scenarios))]


def _wrong(case_id: str, name: str, scenarios: dict[str, set[str]]) -> str | None:
    if name in INVARIANT_SOURCES:
        return (
            None if case_id in INVARIANT_SOURCES[name] else f"the invariant {name} does not cite it"
        )
    if "::" in name:
        file, _, function = name.partition("::")
        return None if function in _tests(HERE / file) else f"there is no {name}"
    if name not in scenarios:
        return f"{name} is not a scenario, an invariant or a test"
    return None if case_id in scenarios[name] else f"a scenario {name} does not name it"


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


@pytest.fixture(scope="module")
def scenarios() -> dict[str, set[str]]:
    """Return the name of a scenario of cancellation -> the cases it names in every protocol."""
    root = scenario_root()
    named: dict[str, list[set[str]]] = {}
    for path in discover(root):
        if path.parent.name == "cancellation":
            named.setdefault(path.stem, []).append(set(load(path, root).cases))
    return {name: set.intersection(*cases) for name, cases in named.items()}


@pytest.mark.parametrize("case_id", CASES)
def test_a_case_is_covered_by_what_the_table_names(
    case_id: str, scenarios: dict[str, set[str]]
) -> None:
    assert faults(case_id, CASES[case_id], scenarios) == []


def test_the_table_has_every_case() -> None:
    assert list(CASES) == [f"CA-{number:03}" for number in range(1, 26)]


def test_every_case_a_scenario_names_is_in_the_table(
    scenarios: dict[str, set[str]],
) -> None:
    for name, cases in scenarios.items():
        for case_id in cases & CASES.keys():
            assert name in CASES[case_id].covered_by, f"{case_id} is named by {name}"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case("none", ()), "is covered or excluded"),
        (Case("both", ("text",), "no reason"), "is covered or excluded"),
        (
            Case("an invariant of another case", ("run_is_cancelled",)),
            "the invariant run_is_cancelled does",
        ),
        (Case("a test that is gone", (f"{CLOSING}::test_gone",)), "there is no streaming/test_clo"),
        (Case("a file that is gone", ("gone.py::test_it",)), "there is no gone.py::test_it"),
        (Case("a scenario that is gone", ("gone",)), "gone is not a scenario"),
        (Case("a scenario of another case", ("tool_call",)), "tool_call does not name it"),
    ],
    ids=lambda value: value.title if isinstance(value, Case) else None,
)
def test_an_invalid_row_is_found(case: Case, message: str, scenarios: dict[str, set[str]]) -> None:
    [words] = faults("CA-020", case, scenarios)
    assert message in words
