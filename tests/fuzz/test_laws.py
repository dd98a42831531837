"""Every law finds its sinner within 500 examples, makes what it found small, and shows it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.judging import Pair
from harness.runner.fuzzing.campaign import Campaign, Settings
from harness.runner.fuzzing.files import keep
from harness.runner.fuzzing.laws import LAWS, chosen
from harness.runner.happenings import RED
from harness.runner.player import Player
from harness.runner.teller import Teller
from harness.scenarios import load
from tests.fuzz.sins import SINS, Sin
from tests.fuzz.spoiling import Spoiled

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model import Outcome
    from harness.runner.fuzzing.failure import Failure
    from harness.wire.script import Script

EXAMPLES, SEEDS = 500, range(3)


def first_failure(settings: Settings) -> Failure | None:
    return next((failure for failure in Campaign(settings).run() if failure is not None), None)


def broken_again(found: Failure, target: object, out: Path) -> list[str]:
    """Tell the file that was written, as `harness run` does; return the checks that it breaks."""
    keep(found, out)
    with Player(10.0, in_memory=True) as player:
        pair = Pair(load(out / f"{found.id}.yaml", out), found.target)
        _, findings = Teller(player).tell(pair, target)
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
            laws=chosen([sin.law]),
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
        laws=chosen(["sync_is_async"]),
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
        laws=chosen(["stream_is_whole"]),
        examples=EXAMPLES,
        seed=seed,
        in_memory=True,
        twins={"whole": "sdk-whole"},
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
    assert {law.name for law in LAWS} == {sin.law for sin in SINS} | twinned
