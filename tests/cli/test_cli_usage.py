"""Bad usage and bad input: one line with the cure, and the exit code."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli import main
from harness.errors import WireError
from tests.scenario_files import ID


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["rnu"], "invalid choice: 'rnu'"),
        (["run", "--timeout", "0"], "0 must be a positive number of seconds"),
        (["run", "--timeout", "nan"], "nan must be a positive number of seconds"),
        (["run", "--workers", "0"], "0 must be 1 or greater"),
        (["run", "--workers", "two"], "argument --workers: invalid count value: 'two'"),
        (["run", "--timeout", "soon"], "invalid seconds value"),
        (["serve", "--port", "99999"], "99999 must be a port from 0 to 65535"),
        (["serve", "--port", "x"], "invalid port value"),
    ],
)
def test_bad_usage_is_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "list", "explain", "replay", "check", "serve"])
def test_every_command_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"  harness {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--scenarios", "nowhere"], "nowhere: no such folder of scenarios; name one with"),
        (["run", "helo"], "unknown scenario 'helo'; did you mean 'hello'?"),
        (["run", "--target", "bultin"], "unknown target 'bultin'; did you mean 'builtin'?"),
        (["run", "--advisory", "skd"], "did you mean 'sdk'?"),
        (["run", "--target", "python:cli_targets"], "write it as python:pkg.module:attr"),
        (["run", "--target", "python:cli_targets:listne"], "has no attribute 'listne'"),
        (
            ["run", "--target", "python:cli_targets:Needs"],
            "a class is called without arguments",
        ),
        (["run", "--target", "python:cli_targets:TARGET"], "a target has name, protocols and li"),
        (["run", "--target", "python:exits:x"], "importing it raised SystemExit: 5"),
        (["run", "--target", "python:breaks:x"], "importing it raised ZeroDivisionError: division"),
        (["run", "--target", "python:no_such:x"], "No module named 'no_such'"),
        (["run", "--report", "junti=x"], "unknown report 'junti'; did you mean 'junit'?"),
        (
            ["run", "--report", "junit=no/x"],
            "no: the folder for the report does not exist; create it first",
        ),
        (["run", "--baseline", "none"], "none: the baseline cannot be read (No such file"),
        (["list", "zzzz"], "unknown scenario 'zzzz'"),
        (["explain", "anthropic_messages/text/helo"], f"did you mean '{ID}'?"),
        (["replay", "x.sse", "--target", "bultin"], "did you mean 'builtin'?"),
        (["replay", "x.sse", "--protocol", "openai_caht"], "did you mean 'openai_chat'?"),
        (["replay", "x.sse", "--cut", "bite"], "unknown cut plan 'bite'; did you mean 'byte'?"),
        (["check", "x.sse", "--protocol", "openai_caht"], "did you mean 'openai_chat'?"),
        (["check", "x.sse"], "x.sse: cannot be read (No such file or directory)"),
        (["replay", "x.sse"], "x.sse: cannot be read (No such file or directory)"),
    ],
)
def test_bad_input_is_2_in_one_line_with_the_cure(
    arguments: list[str], message: str, harness: Any
) -> None:
    result = harness(*arguments)
    assert result.code == 2
    first = result.err.splitlines()[0]
    assert first.startswith("harness: ")
    assert message in first
    assert "Traceback" not in result.err


@pytest.mark.parametrize("error", [RuntimeError("boom"), RecursionError("deep")])
def test_a_failure_of_the_harness_is_3_and_names_the_traceback_variable(
    error: Exception, harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.delenv("HARNESS_TRACEBACK", raising=False)
    monkeypatch.setattr("harness.engine.selection.select_scenarios", broken)
    result = harness("list")
    assert result.code == 3
    assert result.err == (
        f"harness: the harness itself failed: {type(error).__name__}: {error} "
        "(set HARNESS_TRACEBACK=1 for the traceback)\n"
    )
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    with pytest.raises(type(error)):
        harness("list")


def test_an_uncaught_harness_error_is_3(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise WireError("half a frame")

    monkeypatch.setattr("harness.engine.selection.select_scenarios", broken)
    result = harness("list")
    assert (result.code, result.err) == (3, "harness: half a frame\n")


def test_an_interrupted_command_is_130(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.engine.selection.select_scenarios", interrupted)
    result = harness("list")
    assert (result.code, result.err) == (130, "harness: interrupted\n")
