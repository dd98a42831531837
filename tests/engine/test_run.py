"""The run: events come in order, also after an interruption, and mutations are evaluated."""

from __future__ import annotations

import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from harness.checks.evaluation import INVARIANT_NAMES, ScenarioRun
from harness.engine.baseline import Baseline
from harness.engine.events import BadInput, RunFinished, RunStarted
from harness.engine.replayer import Replayer
from harness.engine.results import FAILING, ScenarioResult
from harness.engine.run import Settings, run
from harness.engine.scenario_runner import ScenarioRunner
from harness.errors import InputError
from harness.generation.mutations import MUTATIONS
from harness.model import Chunk, ErrorInfo, Finding, Outcome, Text, ToolCall
from harness.targets.base import Call
from harness.wire import cut_plans, sse
from harness.wire.script import Script
from tests.scenario_files import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


HELLO = Outcome(
    chunks=(Chunk("text", "Hello there", 0), Chunk("stop_reason", finish="stop")),
    content=(Text(text="Hello there"),),
    finish="stop",
    ending="complete",
)


async def right(_: Call) -> Outcome:
    return HELLO


async def wrong(_: Call) -> Outcome:
    return HELLO.model_copy(update={"content": ()})


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    with Replayer(5.0, in_memory=True) as replayer:
        yield replayer


def findings_of(
    replayer: Replayer, target: Any, tmp_path: Path, **changes: Any
) -> dict[str, Finding]:
    run = ScenarioRun(written(tmp_path, **changes), "it")
    findings = ScenarioRunner(replayer).run(run, target).findings
    return {finding.check: finding for finding in findings}


def test_a_run_emits_its_events_in_order(tmp_path: Path) -> None:
    scenario = written(tmp_path)
    bad = InputError("no", path="x.yaml")
    events = list(run([scenario], Settings(("builtin", "sdk")), [bad]))
    assert [type(one) for one in events] == [
        RunStarted, BadInput, ScenarioResult, ScenarioResult, RunFinished,
    ]  # fmt: skip
    assert events[0] == RunStarted(1, ("builtin", "sdk"))
    first, end = events[2], events[-1]
    assert isinstance(first, ScenarioResult)
    assert isinstance(end, RunFinished)
    assert (first.target, first.failed, first.outcome.text) == ("builtin", False, "Hello there")
    assert (end.results, end.bad_input, end.interrupted) == (2, 1, False)
    assert end.verdicts["builtin"] == Counter({"pass": 1 + len(INVARIANT_NAMES)})
    assert end.failures("builtin") == end.failures("unknown") == 0
    assert end.seconds > first.seconds > 0


def test_an_accepted_failure_is_known_and_a_stale_entry_reported(tmp_path: Path) -> None:
    scenario = written(tmp_path, must={"text": "Bye", "finish": "stop"})
    entries = {("builtin", scenario.id, "text"), ("builtin", scenario.id, "finish")}
    settings = Settings(("builtin",), baseline=Baseline(frozenset(entries)))
    *_, end = run([scenario], settings)
    assert isinstance(end, RunFinished)
    assert end.stale == (f"builtin {scenario.id}:finish",)
    assert end.verdicts["builtin"]["known"] == 1
    assert end.failures("builtin") == 0


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_run_emits_what_it_has(after: int, tmp_path: Path) -> None:
    scenarios = [written(tmp_path, f"anthropic_messages/text/{name}") for name in "abc"]
    settings = Settings(("builtin",), baseline=Baseline(frozenset({("builtin", "a", "b")})))
    events = run(scenarios, settings, [InputError("no")])
    for _ in range(after):
        next(events)
    end = events.throw(KeyboardInterrupt())
    assert isinstance(end, RunFinished)
    assert (end.interrupted, end.results, end.stale) == (True, max(0, after - 2), ())
    assert list(events) == []


def test_an_invalid_target_ends_the_run_as_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="target"):
        list(run([written(tmp_path)], Settings(("python:tests.scenario_files:HELLO",))))


def test_a_target_is_checked_against_the_scenario(replayer: Replayer, tmp_path: Path) -> None:
    assert not [f for f in findings_of(replayer, right, tmp_path).values() if f.verdict != "pass"]
    found = findings_of(replayer, wrong, tmp_path)
    assert {check for check, one in found.items() if one.verdict in FAILING} == {
        "text",
        "chunk_sum",
    }


def test_a_problem_comes_first_and_skips_the_mutations(replayer: Replayer, tmp_path: Path) -> None:
    async def raising(_: Call) -> Outcome:
        raise ValueError("own goal")

    found = findings_of(replayer, raising, tmp_path, holds_under=["crlf"])
    assert next(iter(found)) == "target"
    assert found["target"].actual == "raised ValueError: own goal"
    assert found["text"].verdict == "fail"
    assert "holds_under:crlf" not in found


def test_an_unsupported_protocol_is_untestable_and_fails(
    replayer: Replayer, tmp_path: Path
) -> None:
    async def narrow(_: Call) -> Outcome:
        raise AssertionError

    narrow.protocols = ("gemini_generate",)  # type: ignore[attr-defined]  # as base.py asks
    found = findings_of(replayer, narrow, tmp_path)
    assert list(found) == ["target"]
    assert found["target"].verdict == "untestable"
    assert "untestable" in FAILING
    assert found["target"].expected == "the target supports anthropic_messages"
    assert found["target"].actual == "it supports gemini_generate"


def answering(*outcomes: Outcome | Exception) -> Any:
    """Return a target that gives one answer after the other, the last for ever."""
    turns = count()

    async def target(_: Call) -> Outcome:
        answer = outcomes[min(next(turns), len(outcomes) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return target


def test_a_mutation_that_changes_the_outcome_shows_what_changed(
    replayer: Replayer, tmp_path: Path
) -> None:
    found = findings_of(
        replayer, answering(HELLO, HELLO, wrong_model()), tmp_path, holds_under=SPLIT
    )
    finding = found["holds_under:any_byte_split"]
    assert (finding.verdict, finding.expected, finding.actual) == (
        "fail", {"model": None}, {"model": "other"},
    )  # fmt: skip


SPLIT = ["any_byte_split"]


def wrong_model() -> Outcome:
    return HELLO.model_copy(update={"model": "other"})


def test_a_mutation_under_which_the_target_fails_is_a_failure(
    replayer: Replayer, tmp_path: Path
) -> None:
    found = findings_of(replayer, answering(HELLO, ValueError("x")), tmp_path, holds_under=SPLIT)
    finding = found["holds_under:any_byte_split"]
    assert finding.verdict == "fail"
    assert finding.actual["target"] == "raised ValueError: x"


def test_notes_error_messages_and_random_ids_may_vary(replayer: Replayer, tmp_path: Path) -> None:
    def answer(word: str) -> Outcome:
        error = ErrorInfo(kind="server", message=word)
        call = ToolCall(id=word, name="f", arguments_raw="{}", arguments={}, complete=True)
        shown = Chunk("tool_call", index=0, id=word, name="f", arguments="{}")
        stop = Chunk("stop_reason", finish="error")
        return Outcome(
            chunks=(shown, Chunk("error", error=error), stop),
            content=(call,),
            finish="error",
            ending="failed",
            error=error,
            notes=(word,),
        )

    answers = answering(answer("one"), answer("two"), answer("three"))
    found = findings_of(replayer, answers, tmp_path, holds_under=SPLIT)
    assert found["holds_under:any_byte_split"].verdict == "pass"


def test_an_http_error_is_sent_with_its_status(replayer: Replayer, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "order": "open",
        "stream": [{"json": {"type": "error", "error": {"type": "rate_limit_error"}}}],
        "transport": {"status": 429},
        "must": {"error": {"kind": "rate_limit", "retryable": True}},
    }
    found = findings_of(replayer, "builtin", tmp_path, **changes)
    assert [f.check for f in found.values() if f.verdict != "pass"] == []


def test_a_blocked_executor_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engine.executor.GRACE", 0.1)

    async def blocking(_: Call) -> Outcome:
        time.sleep(1)  # noqa: ASYNC251 - that is the defect
        return HELLO

    with Replayer(0.1, in_memory=True) as replayer:
        result = replayer.replay(blocking, Call("openai_chat"), Script(()))
        assert result.problem == "blocked its thread for more than 0.1 s"
        found = findings_of(replayer, right, tmp_path)
    assert found["text"].verdict == "pass"


def test_a_script_is_unregistered_once_it_was_replayed(replayer: Replayer) -> None:
    seen: list[Call] = []

    async def noting(call: Call) -> Outcome:
        seen.append(call)
        return HELLO

    ask = Call("openai_chat", request={"model": "m"}, read_timeout=3.0)
    for _ in range(2):
        replayer.replay(noting, ask, Script(()))
    assert len({call.base_url for call in seen}) == 2
    assert (seen[0].request, seen[0].read_timeout) == ({"model": "m"}, 3.0)
    assert not replayer._registry._scripts


BODY = Script((sse.write("a", '{"x":1}'), sse.write(None, "[DONE]")))


@pytest.mark.parametrize("name", sorted(MUTATIONS))
@pytest.mark.parametrize("script", [BODY, Script(())], ids=["two events", "nothing"])
def test_a_mutation_removes_nothing(name: str, script: Script) -> None:
    for varied in MUTATIONS[name](script):
        reader = sse.Reader()
        frames = [f for read in cut_plans.cut(varied.frames, varied.cut) for f in reader.feed(read)]
        original = sse.Reader().feed(script.body)
        assert [frame for frame in frames if frame in original] == original


def test_each_mutation_does_what_its_name_says() -> None:
    def bodies(name: str) -> list[bytes]:
        return [varied.body for varied in MUTATIONS[name](BODY)]

    plans = [cut_plans.check(varied.cut) for varied in MUTATIONS["any_byte_split"](BODY)]
    assert len(plans) == len(set(plans)) >= 3
    assert set(bodies("any_byte_split")) == {BODY.body}
    assert bodies("sse_comments")[0].count(b": keepalive\n\n") == 3
    assert b"response.future_thing" in bodies("unknown_event_types")[0]
    assert bodies("crlf") == [BODY.body.replace(b"\n", b"\r\n")]
