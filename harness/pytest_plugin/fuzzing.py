"""All laws over generated streams, as tests of your own streaming interface.

::

    @harness.fuzz("anthropic_messages")
    async def test_my_interface(call):
        return await my_app.stream(call.base_url, call.request)

    @pytest.mark.fuzz("anthropic_messages", "openai_chat", target=my_listen)
    def test_no_stream_breaks_our_layer(fuzz_result):
        fuzz_result.assert_passes()

One case for each protocol and law. How many examples each is given is Hypothesis' own setting:
``--hypothesis-profile=ci`` (always the same ones) and ``nightly`` (many, and others every night)
are there; your own profiles count as well. What broke is kept in an example database below
``.hypothesis``, so it is tried first next time; CI keeps it by caching that folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError, UnknownWordError
from harness.fuzzing.decorator import PLAN, FuzzResult, Plan, run_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.fuzzing.settings import Settings

MARK = "fuzz"
_ARGUMENTS = ("target", "properties", "examples", "seed")


@pytest.hookimpl(tryfirst=True)  # Hypothesis' own plugin loads the profile
def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and the profile ``nightly`` where nobody has one of that name."""
    words = (
        "fuzz(*protocols, target=None, properties=(), examples=None, seed=None): "
        "run the test once a protocol and law, over generated streams"
    )
    config.addinivalue_line("markers", words)
    if config.getoption("hypothesis_profile", None):
        from harness.generation.profiles import register

        register()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a decorated or marked test one case for each protocol and law."""
    plan: Plan | None = getattr(metafunc.function, PLAN, None)
    mark = metafunc.definition.get_closest_marker(MARK)
    if plan is None and mark is None:
        return
    try:
        cases = list(_decorated(plan) if plan else _marked(mark, metafunc))
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    metafunc.parametrize("fuzz_settings", cases)


def _decorated(plan: Plan) -> Iterator[Any]:
    """Yield the cases of a decorated interface, named by law, and by protocol if there are more."""
    cases = list(plan.cases())
    alone = len({case.protocols for case in cases}) == 1
    for case in cases:
        name = _words(case)
        yield pytest.param(case, id=name[-1] if alone else ":".join(name), marks=pytest.mark.fuzz)


def _marked(mark: pytest.Mark | None, metafunc: pytest.Metafunc) -> Iterator[Any]:
    """Yield the cases of a marked test, named by target, protocol and law."""
    from harness.targets.resolving import name_of

    options = dict(_judged(mark, metafunc))
    target = options.pop("target", None)
    targets = [target] if target else metafunc.config.getoption("harness_target") or ["builtin"]
    for one in targets:
        plan = Plan(one, mark.args if mark else (), **options)
        for case in plan.cases():
            yield pytest.param(case, id=":".join((name_of(one), *_words(case))))


def _judged(mark: pytest.Mark | None, metafunc: pytest.Metafunc) -> Mapping[str, Any]:
    """Return the options of a mark; refuse one that would judge nothing, or unknown words."""
    if "fuzz_settings" not in metafunc.fixturenames:
        words = f"{metafunc.definition.nodeid} is marked {MARK}, but does not ask for `fuzz_result`"
        raise pytest.UsageError(words)
    options: Mapping[str, Any] = mark.kwargs if mark else {}
    for word in options:
        if word not in _ARGUMENTS:
            raise UnknownWordError(f"argument of {MARK}", word, _ARGUMENTS)
    return options


def _words(case: Settings) -> tuple[str, ...]:
    return (*case.protocols, *(one.name for one in case.properties))


class _Shown(FuzzResult):
    """What was found, as pytest shows it best."""

    def assert_passes(self) -> None:
        """Fail the test if the law is broken, with the smallest streams that break it."""
        __tracebackhide__ = True
        report = self.report()
        if report:
            pytest.fail(report, pytrace=False)


@pytest.fixture
def fuzz_settings() -> Settings:
    """What the campaign of a test marked ``fuzz`` does."""
    raise pytest.UsageError("mark the test with @pytest.mark.fuzz('openai_chat', …)")


@pytest.fixture
def fuzz_result(fuzz_settings: Settings) -> FuzzResult:
    """The law of a case, held over generated streams; skips what the target does not speak."""
    result = run_campaign(fuzz_settings)
    for word in result.unsupported:
        pytest.skip(f"the target does not speak {word}")
    return _Shown(result.failures)
