"""The pytest plugin: scenarios as tests of your own streaming interface.

::

    @pytest.mark.scenarios("openai_responses/**", target=my_listen)
    def test_our_streaming_layer(conformance):
        conformance.assert_passes()

``target`` is an address (``builtin``, ``python:pkg.module:attr``), a target object or a plain
``async def listen(call) -> Outcome``; without it, ``--harness-target`` decides (default: builtin).
Property tests over generated streams are in fuzzing.py.

::

    def test_our_client(harness_recorder):
        ask(harness_recorder.wrap(OpenAI()))  # or base_url=harness_recorder.base_url("openai")

replays ``cassettes/<test file>/<test>.yaml``, and records it with ``--harness-record once``.

Rules of this package: it is the only importer of pytest and syrupy. pytest loads it in every
project of an environment, so it imports what it needs only when a test uses it, and works without
syrupy and Hypothesis until then.
"""

from __future__ import annotations

import os
import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import InputError, UnknownWordError
from harness.pytest_plugin import fuzzing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.recorder.session import Recording
    from harness.engine.replayer import Replayer
    from harness.pytest_plugin.results import Conformance
    from harness.scenarios import Scenario

MARK = "scenarios"
_TIMEOUT = 10.0  # seconds per stream


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("harness", "LLM streaming conformance")
    group.addoption(
        "--harness-target",
        action="append",
        metavar="T",
        help="target of tests that name none: builtin, sdk, sdk-helper, python:pkg.module:attr … "
        "(default: builtin); repeatable",
    )
    group.addoption(
        "--harness-record",
        default="none",
        metavar="MODE",
        help="mode of harness_recorder: none (replay only; the default), once, new_episodes, all "
        "or rewrite",
    )
    group.addoption(
        "--harness-scenarios",
        type=Path,
        metavar="DIR",
        help="folder of scenarios (default: ./scenarios, or else the bundled ones)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark and fuzzing.py."""
    # outcome_snapshot names snapshots by scenario; syrupy warns that they do not name a test.
    config.addinivalue_line("filterwarnings", r"ignore:\s*Can not relate snapshot:UserWarning")
    description = "scenarios(*selectors, target=None): run the test once per scenario and target"
    config.addinivalue_line("markers", description)
    config.pluginmanager.register(fuzzing, "harness-fuzzing")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a marked test one case per scenario and target."""
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        return
    from harness.targets.resolving import name_of

    _check_mark(mark, metafunc)
    target = mark.kwargs.get("target")
    targets = [target] if target else metafunc.config.getoption("harness_target") or ["builtin"]
    scenarios = _selected(metafunc.config, mark.args)
    cases = [
        pytest.param(scenario, target, id=f"{name_of(target)}:{scenario.id}")
        for target in targets
        for scenario in scenarios
    ]
    metafunc.parametrize(("scenario", "harness_target"), cases)


def _check_mark(mark: pytest.Mark, metafunc: pytest.Metafunc) -> None:
    """Refuse a mark with an unknown argument, or on a test that does not use a fixture of it."""
    if not {"scenario", "harness_target"} <= set(metafunc.fixturenames):
        test = metafunc.definition.nodeid
        message = f"{test} is marked {MARK} but does not use the fixture `conformance`"
        raise pytest.UsageError(message)
    for name in mark.kwargs:
        if name != "target":
            raise pytest.UsageError(str(UnknownWordError(f"argument of {MARK}", name, ["target"])))


def _selected(config: pytest.Config, selectors: tuple[str, ...]) -> list[Scenario]:
    from harness.engine.selection import select_scenarios
    from harness.scenarios import scenario_root

    try:
        root = scenario_root(config.getoption("harness_scenarios"))
        scenarios, errors = select_scenarios(root, selectors)
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    if errors:
        raise pytest.UsageError("\n".join(map(str, errors)))
    return scenarios


@pytest.fixture
def scenario() -> Scenario:
    """The scenario of a test marked ``scenarios``."""
    raise _unmarked()


@pytest.fixture
def harness_target() -> str | object:
    """The target of a test marked ``scenarios``."""
    raise _unmarked()


def _unmarked() -> pytest.UsageError:
    return pytest.UsageError("mark the test with @pytest.mark.scenarios('…')")


@pytest.fixture(scope="session")
def harness_replayer() -> Iterator[Replayer]:
    """The mock provider and the SDK clients of the session."""
    from harness.engine.replayer import Replayer

    with Replayer(_TIMEOUT) as replayer:
        yield replayer


@pytest.fixture(scope="session")
def harness_memory_replayer() -> Iterator[Replayer]:
    """The mock provider in memory, for mutations and aborts of targets that support it."""
    from harness.engine.replayer import Replayer

    with Replayer(_TIMEOUT, in_memory=True) as replayer:
        yield replayer


@pytest.fixture
def conformance(
    request: pytest.FixtureRequest,
    scenario: Scenario,
    harness_target: str | object,
    harness_replayer: Replayer,
    harness_memory_replayer: Replayer,
) -> Conformance:
    """The result of the scenario on the target; call its ``assert_passes()``."""
    from harness.aborting import sweep
    from harness.engine.reproducing import scenario_run
    from harness.engine.scenario_runner import ScenarioRunner
    from harness.pytest_plugin.results import Conformance

    run = scenario_run(scenario, harness_target, _command(request))
    runner = ScenarioRunner(harness_replayer, harness_memory_replayer, sweep)
    try:
        return Conformance(**vars(runner.run(run, harness_target)))
    except InputError as error:
        pytest.fail(str(error), pytrace=False)


def _command(request: pytest.FixtureRequest) -> str:
    """Return the command that runs this test again from the folder that pytest was started in."""
    _, _, names = request.node.nodeid.partition("::")
    path = os.path.relpath(request.path, request.config.invocation_params.dir)
    return shlex.join(["pytest", f"{path}::{names}"])


@pytest.fixture
def harness_recorder(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """A recorder with a cassette beside the test; ``wrap`` clients, or use ``base_url``."""
    from harness.cassettes import recording

    test = request.path
    name = re.sub(r"[^\w.-]+", "_", request.node.name)
    path = test.parent / "cassettes" / test.stem.removeprefix("test_") / f"{name}.yaml"
    try:
        recorder: Recording = recording(path, request.config.getoption("harness_record"))
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    with recorder:
        yield recorder


@pytest.fixture
def outcome_snapshot(request: pytest.FixtureRequest) -> Any:
    """A syrupy snapshot that stores one readable file per case.

    Raises:
        UsageError: syrupy is not installed.
    """
    if find_spec("syrupy") is None:
        message = "outcome_snapshot needs syrupy: pip install 'llm-stream-harness[pytest]'"
        raise pytest.UsageError(message)
    from harness.pytest_plugin.snapshots import SnapshotExtension

    return request.getfixturevalue("snapshot").use_extension(SnapshotExtension)
