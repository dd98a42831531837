"""Help pages: they name exactly what is known, and show examples that parse."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from harness.cli import options
from harness.cli.parser import COMMANDS, make_parser
from harness.fuzzing.properties import select_properties
from harness.reports import KINDS
from harness.scenarios import ABORTS, EVERY, FULL_STACK
from harness.targets.addresses import FORMS
from harness.wire import cut_plans

if TYPE_CHECKING:
    from harness.cli.parser import Command


# WORDS.md: what earlier help pages said in place of requirement, run, check, abort …
PRIVATE_WORDS = re.compile(
    r"\b(?:laws?|tells?|told|judged?|speaks?|spoken|stor(?:y|ies)|moved|leaves?|hears?|photograph)\b"
)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let argparse break no line of a help text."""
    monkeypatch.setenv("COLUMNS", "1000")


def page(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return a help page as one line."""
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_every_target_and_consumer_is_named() -> None:
    assert set(options.TARGETS) == set(FORMS)
    assert set(options.CONSUMERS) == {*ABORTS, EVERY, FULL_STACK}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("run", options.TARGETS),
        ("run", options.CONSUMERS),
        ("run", KINDS["run"]),
        ("compare", KINDS["compare"]),
        ("replay", (*cut_plans.PLANS, "every")),
        ("fuzz", options.TARGETS),
    ],
)
def test_a_help_page_lists_what_its_options_take(
    name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert options.any_of(words) in page(name, capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_page_uses_the_terms_of_the_field(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not PRIVATE_WORDS.findall(page(name, capsys))


def test_every_property_that_an_example_names_exists() -> None:
    lines = [shlex.split(example, comments=True) for example in COMMANDS["fuzz"].EXAMPLES]
    calls = [make_parser().parse_args(words[1:]) for words in lines if words[1] == "fuzz"]
    names = [name for call in calls for name in call.property or ()]
    assert [one.name for one in select_properties(names)] == names != []


def test_every_cut_plan_that_is_named_is_one() -> None:
    for plan in cut_plans.PLANS:
        assert cut_plans.check(plan.replace(":N", ":3"))


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_every_example_of_a_command_parses(name: str, command: Command) -> None:
    lines = [shlex.split(example, comments=True) for example in command.EXAMPLES]
    calls = [words[1:] for words in lines if words[0] == "harness"]
    calls = [words[: words.index(">")] if ">" in words else words for words in calls]
    assert any(words[0] == name for words in calls)
    for words in calls:
        parsed, rest = make_parser().parse_known_args(words)
        assert parsed.command == words[0]
        assert not rest or name == "compare"  # `main` joins what stands behind its options
    assert ".." not in " ".join(command.EXAMPLES).replace("2.0..3.52", "")
