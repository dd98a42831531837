"""``@harness.fuzz``: a streaming interface that is a test of every law.

::

    import harness

    @harness.fuzz("anthropic_messages")
    async def test_my_interface(call):
        return await my_app.stream(call.base_url, call.request)  # an Outcome

pytest collects one test a law: the plugin reads the ``Plan`` off the function. Called without
pytest, ``test_my_interface()`` holds all laws in turn and raises what is broken.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.fuzzing.property_list import select_properties
from harness.protocols import names, protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.fuzzing.campaign import CampaignResult, Settings
    from harness.fuzzing.failure import Failure
    from harness.targets.base import Function, Target

PLAN = "__harness_fuzz__"  # where a test keeps its plan
KEPT = ".hypothesis/harness"  # failing examples of earlier runs; CI caches the folder above it


@dataclass(frozen=True)
class Plan:
    """What to hold against a target.

    Args:
        target: an address, or the target itself.
        protocols: the wires to speak; none means all that the target speaks.
        laws: names; none means all.
        examples: streams for each law on each protocol; None is what Hypothesis' profile says.
        seed: decides what is drawn; None leaves it to the profile, too.
    """

    target: str | object
    protocols: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    examples: int | None = None
    seed: int | None = None

    def cases(self) -> Iterator[Settings]:
        """Yield what to do for each protocol and law.

        Raises:
            InputError: a word is unknown, or Hypothesis is not installed.
        """
        whole = self._settings()
        for word in whole.protocols:
            for law in whole.offered:
                yield replace(whole, protocols=(word,), laws=(law,))

    def _settings(self) -> Settings:
        try:
            from harness.fuzzing.campaign import Settings
            from harness.generation import profiles
        except ModuleNotFoundError as error:
            words = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
            raise InputError(words) from error
        speaks = tuple(getattr(self.target, "protocols", names()))
        return Settings(
            target=self.target,
            protocols=tuple(protocol(word).name for word in self.protocols) or speaks,
            laws=select_properties(self.laws),
            examples=self.examples or profiles.examples(),
            seed=profiles.seed() if self.seed is None else self.seed,
        )


@dataclass(frozen=True)
class FuzzResult:
    """What was found, of one law or of many."""

    failures: Sequence[Failure]

    def broken(self) -> str:
        """Return what a person reads of the broken laws: nothing, if each holds."""
        broken = (failure for failure in self.failures if failure.severity == "must")
        return "\n\n".join(failure.describe() for failure in broken)

    def assert_passes(self) -> None:
        """Raise AssertionError if a law is broken, with the smallest streams that break it."""
        broken = self.broken()
        if broken:
            raise AssertionError(f"law is broken\n\n{broken}")


def fuzz(
    *protocols: str, laws: Sequence[str] = (), examples: int | None = None, seed: int | None = None
) -> Callable[[Function | Target | str], Callable[[], None]]:
    """Make a streaming interface a test: of every law, over streams nobody wrote down.

    Args:
        protocols: the wires to speak, e.g. ``"openai_chat"``; none means all that it speaks.
        laws: their names; none means all.
        examples: streams for each law on each protocol; None is what Hypothesis' profile says.
        seed: decides what is drawn; None leaves it to the profile, too.

    Raises:
        UnknownWordError: there is no such protocol or law.
        TypeError: it stands above something by itself, without parentheses.
    """
    if any(not isinstance(word, str) for word in protocols):
        raise TypeError("write @harness.fuzz() with parentheses, or name protocols in them")
    for word in protocols:
        protocol(word)
    select_properties(laws)

    def decorate(target: Function | Target | str) -> Callable[[], None]:
        return _test(Plan(target, protocols, tuple(laws), examples, seed))

    return decorate


def _test(plan: Plan) -> Callable[[], None]:
    name = getattr(plan.target, "__qualname__", "")
    if "." in name.rpartition("<locals>.")[2]:
        raise TypeError(f"{name}: @harness.fuzz stands above a function, not above a method")

    def test(fuzz_result: FuzzResult | None = None) -> None:
        (fuzz_result or _now(plan)).assert_passes()

    if callable(plan.target):
        update_wrapper(test, plan.target)  # pytest shows where it stands, and its name
    asks = inspect.Parameter("fuzz_result", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    marked: Any = test
    marked.__signature__ = inspect.Signature([asks])  # what pytest hands in
    setattr(marked, PLAN, plan)
    return test


def _now(plan: Plan) -> FuzzResult:
    return FuzzResult([failure for case in plan.cases() for failure in held(case).failures])


def held(case: Settings) -> CampaignResult:
    """Hold the laws of a case, what broke them in earlier runs first.

    Raises:
        KeyboardInterrupt: somebody does not want to know any more.
    """
    from harness.fuzzing.distributed import DistributedCampaign
    from harness.generation.example_database import opened

    with opened(KEPT) as kept:
        whole = DistributedCampaign(case, kept=kept)
        for _ in whole.run():
            pass
    if whole.tally.interrupted:
        raise KeyboardInterrupt
    return whole.tally
