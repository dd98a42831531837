"""Every law finds its sinner within 500 examples, makes what it found small, and shows it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.evaluation import ScenarioRun
from harness.engine.events import RED
from harness.engine.replayer import Replayer
from harness.engine.scenario_runner import ScenarioRunner
from harness.fuzzing.campaign import Campaign, Settings
from harness.fuzzing.files import keep
from harness.fuzzing.property_list import PROPERTIES, select_properties
from harness.scenarios import load
from tests.fuzzing.breaking import Spoiled
from tests.fuzzing.broken_targets import SINS, Sin

if TYPE_CHECKING:
    from pathlib import Path

    from harness.fuzzing.failure import Failure
    from harness.model import Outcome
    from harness.wire.script import Script

EXAMPLES, SEEDS = 500, range(3)


def first_failure(settings: Settings) -> Failure | None:
    return next((failure for failure in Campaign(settings).run() if failure is not None), None)


def broken_again(found: Failure, target: object, out: Path) -> list[str]:
    """Tell the file that was written, as `harness run` does; return the checks that it breaks."""
    keep(found, out)
    with Replayer(10.0, in_memory=True) as player:
        pair = ScenarioRun(load(out / f"{found.id}.yaml", out), found.target)
        _, findings = ScenarioRunner(player).tell(pair, target)
    return [finding.check for finding in findings if finding.verdict in RED]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sin", SINS, ids=[sin.spoil.__name__ for sin in SINS])
def test_a_law_finds_its_sinner_and_shows_it_small_and_again(
    sin: Sin, seed: int, tmp_path: Path
) -> None:
    found = first_failure(
        Settings(
            target=Spoiled(sin.spoil),
            protocols=(sin.protocol,),
            laws=select_properties([sin.law]),
            examples=EXAMPLES,
            seed=seed,
            in_memory=True,
        )
    )
    assert found is not None
    assert found.law == sin.law
    assert len(found.items) <= sin.events, found.items
    assert broken_again(found, Spoiled(sin.spoil), tmp_path)
    assert not broken_again(found, "builtin", tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_synchronous_way_is_compared_with_the_other(seed: int, tmp_path: Path) -> None:
    def forgets_the_usage(told: Outcome, _: Script) -> Outcome:
        return told.model_copy(update={"usage": None})

    settings = Settings(
        protocols=("openai_chat",),
        laws=select_properties(["sync_is_async"]),
        examples=EXAMPLES,
        seed=seed,
        in_memory=True,
        twins={"sync": Spoiled(forgets_the_usage)},
    )
    found = first_failure(settings)
    assert found is not None
    assert found.target == "forgets_the_usage"
    assert len(found.items) <= 4
    assert broken_again(found, Spoiled(forgets_the_usage), tmp_path)
    assert not broken_again(found, "builtin-sync", tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_is_compared_with_the_whole_answer(seed: int, tmp_path: Path) -> None:
    def loses_the_last_delta(told: Outcome, _: Script) -> Outcome:
        """pai#7911: what was streamed last is not in the final message."""
        texts = [n for n, part in enumerate(told.content) if part.kind == "text"]
        kept = tuple(part for n, part in enumerate(told.content) if n not in texts[-1:])
        return told.model_copy(update={"content": kept})

    settings = Settings(
        target=Spoiled(loses_the_last_delta),
        protocols=("anthropic_messages",),
        laws=select_properties(["stream_is_whole"]),
        examples=EXAMPLES,
        seed=seed,
        in_memory=True,
        twins={"nonstreaming": "sdk-nonstreaming"},
    )
    found = first_failure(settings)
    assert found is not None
    assert (found.law, found.target) == ("stream_is_whole", "loses_the_last_delta")
    assert set(found.expected) == {"text"}
    assert len(found.items) <= 6
    assert broken_again(found, Spoiled(loses_the_last_delta), tmp_path)
    assert not broken_again(found, "builtin", tmp_path)


def test_every_law_has_its_sinner() -> None:
    twinned = {"sync_is_async", "stream_is_whole"}
    assert {law.name for law in PROPERTIES} == {sin.law for sin in SINS} | twinned
