"""``@harness.fuzz``: a streaming interface becomes a test of every property.

::

    import harness

    @harness.fuzz("anthropic_messages")
    async def test_my_interface(call):
        return await my_app.stream(call.base_url, call.request)  # an Outcome

pytest collects one test per property: the plugin reads the ``Plan`` that is attached to the
function. Called without pytest, ``test_my_interface()`` evaluates all properties and raises
AssertionError if one is violated.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.fuzzing.properties import select_properties
from harness.protocols import names, protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.fuzzing.campaign import CampaignResult
    from harness.fuzzing.failure import Failure
    from harness.fuzzing.settings import Settings
    from harness.targets.base import Function, Target

PLAN = "__harness_fuzz__"  # the attribute of a test that holds its plan
DATABASE = ".hypothesis/harness"  # failing examples of earlier runs; CI caches its parent folder


@dataclass(frozen=True)
class Plan:
    """What to evaluate for a target.

    Args:
        target: an address, or the target itself.
        protocols: the protocols of the streams; none means all that the target supports.
        properties: names; none means all.
        examples: cases per property and protocol; None takes Hypothesis' profile.
        seed: decides what is drawn; None takes Hypothesis' profile.
    """

    target: str | object
    protocols: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    examples: int | None = None
    seed: int | None = None

    def cases(self) -> Iterator[Settings]:
        """Yield the settings of one campaign per protocol and property.

        Raises:
            InputError: there is no such protocol or property, or Hypothesis is not installed.
        """
        settings = self._settings()
        for name in settings.protocols:
            for one in settings.applicable:
                yield replace(settings, protocols=(name,), properties=(one,))

    def _settings(self) -> Settings:
        try:
            from harness.fuzzing.settings import Settings
            from harness.generation import profiles
        except ModuleNotFoundError as error:
            message = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
            raise InputError(message) from error
        supported = tuple(getattr(self.target, "protocols", names()))
        return Settings(
            target=self.target,
            protocols=tuple(protocol(name).name for name in self.protocols) or supported,
            properties=select_properties(self.properties),
            examples=self.examples or profiles.examples(),
            seed=profiles.seed() if self.seed is None else self.seed,
        )


@dataclass(frozen=True)
class FuzzResult:
    """What the campaigns of one test found."""

    failures: Sequence[Failure]

    def report(self) -> str:
        """Return the failures as text; empty if no property is violated."""
        violated = (failure for failure in self.failures if failure.severity == "must")
        return "\n\n".join(failure.describe() for failure in violated)

    def assert_passes(self) -> None:
        """Raise AssertionError if a property is violated, with the minimal stream of each."""
        report = self.report()
        if report:
            raise AssertionError(f"a property is violated\n\n{report}")


def fuzz(
    *protocols: str,
    properties: Sequence[str] = (),
    examples: int | None = None,
    seed: int | None = None,
) -> Callable[[Function | Target | str], Callable[[], None]]:
    """Turn a streaming interface into a test of every property over generated streams.

    Args:
        protocols: the protocols of the streams, e.g. ``"openai_chat"``; none means all that the
            target supports.
        properties: names; none means all.
        examples: cases per property and protocol; None takes Hypothesis' profile.
        seed: decides what is drawn; None takes Hypothesis' profile.

    Raises:
        UnknownWordError: there is no such protocol or property.
        TypeError: the decorator was used without parentheses.
    """
    if any(not isinstance(name, str) for name in protocols):
        raise TypeError("write @harness.fuzz() with parentheses, or name protocols in them")
    for name in protocols:
        protocol(name)
    select_properties(properties)

    def decorate(target: Function | Target | str) -> Callable[[], None]:
        return _test(Plan(target, protocols, tuple(properties), examples, seed))

    return decorate


def _test(plan: Plan) -> Callable[[], None]:
    name = getattr(plan.target, "__qualname__", "")
    if "." in name.rpartition("<locals>.")[2]:
        raise TypeError(f"{name}: @harness.fuzz decorates functions, not methods")

    def test(fuzz_result: FuzzResult | None = None) -> None:
        (fuzz_result or _run(plan)).assert_passes()

    if callable(plan.target):
        update_wrapper(test, plan.target)  # pytest shows its name and where it is defined
    parameter = inspect.Parameter("fuzz_result", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    marked: Any = test
    marked.__signature__ = inspect.Signature([parameter])  # the fixture that pytest passes
    setattr(marked, PLAN, plan)
    return test


def _run(plan: Plan) -> FuzzResult:
    return FuzzResult([failure for case in plan.cases() for failure in run_campaign(case).failures])


def run_campaign(settings: Settings) -> CampaignResult:
    """Run one campaign, with the failing examples of earlier runs first.

    Raises:
        KeyboardInterrupt: Ctrl-C interrupted it.
    """
    from harness.fuzzing.distributed import DistributedCampaign
    from harness.generation.example_database import open_database

    with open_database(DATABASE) as database:
        campaign = DistributedCampaign(settings, database=database)
        for _ in campaign.run():
            pass
    if campaign.result.interrupted:
        raise KeyboardInterrupt
    return campaign.result
