"""The mark ``fuzz``: all laws over generated streams, as tests of your own streaming interface.

::

    @pytest.mark.fuzz("anthropic_messages", "openai_chat", target=my_listen)
    def test_no_stream_breaks_our_layer(fuzzed):
        fuzzed.must_hold()

One case for each protocol and law. How many examples each is given is Hypothesis' own setting:
``--hypothesis-profile=ci`` (always the same ones) and ``nightly`` (many, and others every night)
are there; your own profiles count as well. What broke is kept in Hypothesis' example database, so
it is tried first next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.runner.fuzzing.campaign import Settings
    from harness.runner.fuzzing.failure import Failure

MARK = "fuzz"
_ARGUMENTS = ("target", "laws", "examples")
_KEPT = ".hypothesis/harness"


@pytest.hookimpl(tryfirst=True)  # Hypothesis' own plugin loads the profile
def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and the profile ``nightly`` where nobody has one of that name."""
    words = (
        "fuzz(*protocols, target=None, laws=None, examples=None): "
        "run the test once a protocol and law, over generated streams"
    )
    config.addinivalue_line("markers", words)
    if config.getoption("hypothesis_profile", None):
        from harness.fuzz.profiles import register

        register()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a marked test one case for each protocol and law."""
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        return
    if "fuzz_settings" not in metafunc.fixturenames:
        words = f"{metafunc.definition.nodeid} is marked {MARK}, but does not ask for `fuzzed`"
        raise pytest.UsageError(words)
    for word in mark.kwargs:
        if word not in _ARGUMENTS:
            raise pytest.UsageError(str(UnknownWordError(f"argument of {MARK}", word, _ARGUMENTS)))
    try:
        cases = list(_cases(metafunc.config, mark))
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    except ModuleNotFoundError as error:
        words = f"{error.name} is not installed; `pip install 'llm-stream-harness[fuzz]'`"
        raise pytest.UsageError(words) from None
    metafunc.parametrize("fuzz_settings", [pytest.param(case, id=_id(case)) for case in cases])


def _cases(config: pytest.Config, mark: pytest.Mark) -> Iterator[Settings]:
    from harness.fuzz.profiles import examples, seed
    from harness.protocols import NAMES, protocol
    from harness.runner.fuzzing.campaign import Settings
    from harness.runner.fuzzing.laws import chosen

    target = mark.kwargs.get("target")
    targets = [target] if target else config.getoption("harness_target") or ["builtin"]
    for one in targets:
        for word in mark.args or NAMES:
            for law in chosen(mark.kwargs.get("laws") or ()):
                settings = Settings(
                    target=one,
                    protocols=(protocol(word).name,),
                    laws=(law,),
                    examples=mark.kwargs.get("examples") or examples(),
                    seed=seed(),
                    kept=_KEPT,
                )
                if settings.offered:
                    yield settings


def _id(case: Settings) -> str:
    from harness.targets.addressing import name_of

    return ":".join((name_of(case.target), *case.protocols, *(law.name for law in case.laws)))


@dataclass(frozen=True)
class Fuzzed:
    """What a campaign of one law on one protocol found."""

    failures: Sequence[Failure]

    def must_hold(self) -> None:
        """Fail the test if the law is broken, with the smallest streams that break it."""
        __tracebackhide__ = True
        broken = [failure for failure in self.failures if failure.severity == "must"]
        if broken:
            pytest.fail("\n\n".join(failure.describe() for failure in broken), pytrace=False)


@pytest.fixture
def fuzz_settings() -> Settings:
    """What the campaign of a test marked ``fuzz`` does."""
    raise pytest.UsageError("mark the test with @pytest.mark.fuzz('openai_chat', …)")


@pytest.fixture
def fuzzed(fuzz_settings: Settings) -> Fuzzed:
    """The law of a case, held over generated streams."""
    from harness.runner.fuzzing.campaign import Campaign

    campaign = Campaign(fuzz_settings)
    return Fuzzed([failure for failure in campaign.run() if failure is not None])
