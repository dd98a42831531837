"""Property tests of your own streaming interface over generated streams.

::

    @harness.fuzz("anthropic_messages")
    async def test_my_interface(call):
        return await my_app.stream(call.base_url, call.request)

    @pytest.mark.fuzz("anthropic_messages", "openai_chat", target=my_listen)
    def test_our_layer(fuzz_result):
        fuzz_result.assert_passes()

There is one case per protocol and property. Hypothesis' profile decides how many examples each of
them gets: ``--hypothesis-profile=ci`` (always the same ones) and ``nightly`` (many, and others
every night) exist, and so may your own. Failing examples are stored in a database below
``.hypothesis`` and retried first; cache that folder in CI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.fuzzing.decorator import FuzzResult, Plan
    from harness.fuzzing.settings import Settings

MARK = "fuzz"
_ARGUMENTS = ("target", "properties", "examples", "seed")
_PLAN = "__harness_fuzz__"  # harness.fuzzing.decorator.PLAN, which is too heavy to import for it


@pytest.hookimpl(tryfirst=True)  # before Hypothesis' own plugin loads the profile
def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and the profile ``nightly`` if a profile is asked for."""
    description = (
        "fuzz(*protocols, target=None, properties=(), examples=None, seed=None): "
        "run the test once per protocol and property, over generated streams"
    )
    config.addinivalue_line("markers", description)
    if config.getoption("hypothesis_profile", None):
        from harness.generation.profiles import register

        register()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a decorated or marked test one case per protocol and property."""
    plan: Plan | None = getattr(metafunc.function, _PLAN, None)
    mark = metafunc.definition.get_closest_marker(MARK)
    if plan is None and mark is None:
        return
    try:
        cases = list(_decorated(plan) if plan else _marked(mark, metafunc))
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    metafunc.parametrize("fuzz_settings", cases)


def _decorated(plan: Plan) -> Iterator[Any]:
    """Yield the cases of a decorated function, named by property, and by protocol if several."""
    cases = list(plan.cases())
    one_protocol = len({case.protocols for case in cases}) == 1
    for case in cases:
        names = _names(case)
        name = names[-1] if one_protocol else ":".join(names)
        yield pytest.param(case, id=name, marks=pytest.mark.fuzz)


def _marked(mark: pytest.Mark | None, metafunc: pytest.Metafunc) -> Iterator[Any]:
    """Yield the cases of a marked test, named by target, protocol and property."""
    from harness.fuzzing.decorator import Plan
    from harness.targets.resolving import name_of

    options = dict(_options(mark, metafunc))
    target = options.pop("target", None)
    targets = [target] if target else metafunc.config.getoption("harness_target") or ["builtin"]
    for each in targets:
        plan = Plan(each, mark.args if mark else (), **options)
        for case in plan.cases():
            yield pytest.param(case, id=":".join((name_of(each), *_names(case))))


def _options(mark: pytest.Mark | None, metafunc: pytest.Metafunc) -> Mapping[str, Any]:
    """Return the options of a mark.

    Raises:
        UsageError: the test does not use the fixture.
        UnknownWordError: there is no such option.
    """
    if "fuzz_settings" not in metafunc.fixturenames:
        test = metafunc.definition.nodeid
        message = f"{test} is marked {MARK} but does not use the fixture `fuzz_result`"
        raise pytest.UsageError(message)
    options: Mapping[str, Any] = mark.kwargs if mark else {}
    for name in options:
        if name not in _ARGUMENTS:
            raise UnknownWordError(f"argument of {MARK}", name, _ARGUMENTS)
    return options


def _names(case: Settings) -> tuple[str, ...]:
    return (*case.protocols, *(one.name for one in case.properties))


@pytest.fixture
def fuzz_settings() -> Settings:
    """The settings of the campaign of a test marked ``fuzz``."""
    raise pytest.UsageError("mark the test with @pytest.mark.fuzz('openai_chat', …)")


@pytest.fixture
def fuzz_result(fuzz_settings: Settings) -> FuzzResult:
    """The result of the property; skips the test if the target does not support the protocol."""
    from harness.fuzzing.decorator import run_campaign
    from harness.pytest_plugin.results import PropertyResult

    result = run_campaign(fuzz_settings)
    for name in result.unsupported:
        pytest.skip(f"the target does not support {name}")
    return PropertyResult(result.failures)
