"""What each command takes: names, defaults, examples. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import numbers
from harness.cli.cassette_rows import CASSETTE_ROWS
from harness.cli.crew_options import crew

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGETS = (
    "builtin, builtin-sync, sdk, sdk-helper, sdk-nonstreaming, letta, python:pkg.module:attr, "
    "command:PROGRAM or env:REQS!TARGET"
)
_REPORTS = "terminal, jsonl, junit, html or github (default: terminal)"
_LEAVING = "break, aclose, cancel, timeout, throw"
_CUTS = "whole, event, byte, awkward, edges, offset:N, random:SEED, recorded"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="harness",
        description="Replay LLM provider streams through the real SDKs into streaming interfaces, "
        "and judge what comes out.",
        epilog="Exit codes: 0 all law holds; 1 a law is broken; 2 bad usage or bad input; "
        "3 the harness itself failed.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, examples, fill) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        fill(command)
    return parser


def _scenarios(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scenarios", type=Path, metavar="DIR", help="folder of scenarios (default: ./scenarios)"
    )


def _select(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "select", nargs="*", metavar="SELECT", help="glob over ids, or a word of their path"
    )
    _scenarios(command)


def _json(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--json", action="store_true", help=f"print {what}")


def _run(command: argparse.ArgumentParser) -> None:
    _select(command)
    command.add_argument(
        "--target", action="append", metavar="T", help=f"{_TARGETS} (default: builtin); repeatable"
    )
    command.add_argument(
        "--advisory",
        action="append",
        default=[],
        metavar="T",
        help="judge this target too, but let it not decide the exit code; repeatable",
    )
    command.add_argument(
        "--report",
        action="append",
        metavar="KIND[=PATH]",
        help=f"{_REPORTS}; repeatable",
    )
    command.add_argument(
        "--consumer",
        metavar="DO[:AT]",
        help=f"leave each stream instead: {_LEAVING}, every, or everywhere (also in the stack "
        "above); AT counts chunks (default: each)",
    )
    command.add_argument("--baseline", type=Path, metavar="F", help="failures accepted for now")
    command.add_argument(
        "--timeout", type=numbers.seconds, default=10.0, metavar="S", help="per stream"
    )
    crew(command)
    command.add_argument("--verbose", action="store_true", help="show every failure and warning")
    _json(command, "one JSON line a finding, then the summary")


def _list(command: argparse.ArgumentParser) -> None:
    _select(command)
    _json(command, "one JSON line a scenario")


def _explain(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", metavar="ID", help="the id of one scenario")
    _scenarios(command)
    _json(command, "one JSON document")


def _bodies(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="recorded body, cassette, or folder of them (a body's metadata: NAME.sse + NAME.json)",
    )
    command.add_argument("--protocol", metavar="P", help="of bodies that do not tell")


def _replay(command: argparse.ArgumentParser) -> None:
    _bodies(command)
    command.add_argument("--target", default="builtin", metavar="T", help=_TARGETS)
    command.add_argument(
        "--cut", default="event", metavar="PLAN", help=f"{_CUTS}, or every (each offset in turn)"
    )
    command.add_argument(
        "--pace", type=numbers.pace, default=0.0, metavar="S",
        help="seconds before each read, or recorded (with --cut recorded): as they came",
    )  # fmt: skip
    command.add_argument(
        "--timeout", type=numbers.seconds, default=60.0, metavar="S", help="per stream"
    )
    _json(command, 'one line {"name", "outcome"} each')


def _check(command: argparse.ArgumentParser) -> None:
    _bodies(command)
    command.add_argument("--open", action="store_true", help="show open moves too")
    _json(command, "one JSON line a recording")


def _import(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "sources",
        nargs="+",
        metavar="PATH",
        help="recording or folder of recordings, or trace:DSN#ID for a stored trace",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where cassettes/ and scenarios/ stand (default: here)",
    )
    command.add_argument(
        "--draft", action="store_true", help="write a scenario beside each cassette, its law open"
    )
    command.add_argument("--protocol", metavar="P", help="of recordings that do not tell")
    command.add_argument("--force", action="store_true", help="overwrite what is there")
    _json(command, "one JSON line a source")


def _compare(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "words",
        nargs="*",
        metavar="[SELECT…] A B",
        help="glob over names or a word of them; then two sides: requirements "
        "(openai==2.54.0,httpx), a file of them (./requirements.txt), current, or a target",
    )
    _scenarios(command)
    command.add_argument(
        "--target", default="builtin", metavar="T", help=f"{_TARGETS} (default: builtin)"
    )
    command.add_argument(
        "--corpus",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="tell these recordings, too (besides ./cassettes); repeatable",
    )
    command.add_argument(
        "--fuzz", type=int, default=0, metavar="N", help="draw N streams a protocol, too"
    )
    command.add_argument("--seed", type=int, default=0, metavar="S", help="what --fuzz draws")
    command.add_argument(
        "--report", action="append", metavar="KIND[=PATH]", help=f"{_REPORTS}; repeatable"
    )
    command.add_argument(
        "--strict", action="store_true", help="exit 1 where B knows new words that no table holds"
    )
    command.add_argument(
        "--versions",
        metavar="PACKAGE:LOW..HIGH",
        help="in place of A and B: find the first version that shows each difference",
    )
    command.add_argument(
        "--every",
        default="minor",
        metavar="STEP",
        help="major, minor or patch: which of --versions count (default: minor)",
    )
    command.add_argument(
        "--timeout", type=numbers.seconds, default=20.0, metavar="S", help="per reply"
    )
    command.add_argument("--verbose", action="store_true", help="show every group in full")
    command.add_argument("--prune", action="store_true", help="remove all cached environments")
    _json(command, "one JSON line a group, then the summary")


def _coverage(command: argparse.ArgumentParser) -> None:
    _scenarios(command)
    command.add_argument("protocols", nargs="*", metavar="PROTOCOL", help="default: all")
    command.add_argument(
        "--fail-under", type=float, default=None, metavar="PERCENT", help="exit 1 below this"
    )
    command.add_argument("--all", action="store_true", help="show every word, not only gaps")
    command.add_argument(
        "--diff",
        nargs=2,
        metavar=("A", "B"),
        help="what an upgrade changed: two sets of requirements, files of them, or current",
    )
    _json(command, "one JSON line a word, then the summary")


def _fuzz(command: argparse.ArgumentParser) -> None:
    command.add_argument("protocols", nargs="*", metavar="PROTOCOL", help="default: all")
    command.add_argument("--target", default="builtin", metavar="T", help=_TARGETS)
    command.add_argument(
        "--examples",
        type=numbers.count,
        metavar="N",
        help="laws judged on streams, all together (default: 2000, or what --time allows)",
    )
    command.add_argument(
        "--time", type=numbers.seconds, metavar="S", help="stop drawing after S seconds"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="decides what is drawn")
    command.add_argument(
        "--law", action="append", metavar="L", help="only this law; repeatable (default: all)"
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("build/fuzz"),
        metavar="DIR",
        help="where failures are written as scenarios and test cases (default: build/fuzz)",
    )
    command.add_argument(
        "--database",
        default=".hypothesis/harness",
        metavar="PLACE",
        help="where failing examples are kept: a folder or redis://HOST (default: .hypothesis/…)",
    )
    command.add_argument(
        "--timeout", type=numbers.seconds, default=10.0, metavar="S", help="per stream"
    )
    crew(command)
    _json(command, "one JSON line a failure, then the summary")


def _serve(command: argparse.ArgumentParser) -> None:
    _scenarios(command)
    _listen(command, 0, "any free one")


def _listen(command: argparse.ArgumentParser, port: int, words: str) -> None:
    command.add_argument(
        "--port", type=numbers.port, default=port, metavar="N", help=f"default: {words}"
    )


def _demo(command: argparse.ArgumentParser) -> None:
    _listen(command, 8000, "8000; 0 takes any free one")
    command.add_argument(
        "--runs", metavar="DSN", help="sqlite:///PATH or postgresql://… (default: until it ends)"
    )
    command.add_argument(
        "--traces", metavar="DSN[,DSN]", help="where traces go (default: where runs are kept)"
    )
    command.add_argument(
        "--redis", metavar="URL", help="keep frames there: background runs, and resume"
    )
    command.add_argument(
        "--keepalive",
        type=numbers.seconds,
        default=10.0,
        metavar="S",
        help="seconds of silence before a ping (default: 10)",
    )
    _scenarios(command)


_COMMANDS: dict[str, tuple[str, tuple[str, ...], Callable[[argparse.ArgumentParser], None]]] = {
    "run": (
        "replay scenarios into targets and judge what they deliver",
        (
            "harness run",
            "harness run openai_responses/ending --target sdk-helper",
            "harness run 'anthropic_messages/**' --target python:my.app:listen",
            "harness run --report terminal --report junit=build/junit.xml",
            "harness run openai_chat/baseline --consumer cancel:2",
            "harness run --workers 2",
            "harness run --target builtin --target sdk --cluster tcp://10.0.0.5:8786",
        ),
        _run,
    ),
    "list": (
        "list scenarios, and lint them",
        ("harness list", "harness list parallel --json"),
        _list,
    ),
    "explain": (
        "show one scenario: its wire events, its law, its sources",
        ("harness explain openai_responses/ending/incomplete_reasoning_then_empty_message",),
        _explain,
    ),
    "replay": (
        "replay recorded bodies into a target and print the outcomes",
        (
            "harness replay recording.sse",
            "harness replay ../shared/corpus --json > outcomes.jsonl",
            "harness replay recording.sse --cut every --target sdk",
            "harness replay cassettes/ --cut recorded --pace recorded",
        ),
        _replay,
    ),
    "check": (
        "say whether recorded streams obey their protocol's order",
        ("harness check recording.sse", "harness check ../shared/corpus --json"),
        _check,
    ),
    "import": (
        "make cassettes of others' recordings, and a scenario of a stored trace",
        (
            "harness import tests/cassettes --draft",
            "harness import session.har body.sse --protocol openai_chat",
            "harness import 'trace:sqlite:///traces.sqlite3#step_7'",
            "harness import 'trace:postgresql://me@db/traces#9f2c' --out /tmp/incident",
        ),
        _import,
    ),
    "compare": (
        "tell the same streams to two SDK versions: what moved, and is it law",
        (
            "harness compare openai==2.54.0 openai==3.52.0",
            "harness compare openai_chat/tools current ./requirements-new.txt --target sdk",
            "harness compare current anthropic==2.12.0 --target python:my.app:listen --strict",
            "harness compare openai_chat --versions openai:2.0..3.52 --every minor",
            "harness compare --prune",
        ),
        _compare,
    ),
    "fuzz": (
        "hold laws over generated streams, and make what breaks them small",
        (
            "harness fuzz",
            "harness fuzz openai_chat --target sdk-helper --time 60",
            "harness fuzz --target python:my.app:listen --law round_trip --law no_half_call",
            "harness run openai_chat/fuzz --scenarios build/fuzz   # what was found, again",
        ),
        _fuzz,
    ),
    **CASSETTE_ROWS,
    "coverage": (
        "compare the words of the installed SDKs with tables and scenarios",
        (
            "harness coverage",
            "harness coverage openai_responses --all --fail-under 95",
            "harness coverage --diff openai==2.54.0 openai==3.52.0",
        ),
        _coverage,
    ),
    "serve": (
        "be the provider on 127.0.0.1, for any client",
        (
            "harness serve --port 8080",
            "curl -N -d '{}' http://127.0.0.1:8080/openai_chat/baseline/text/v1/chat/completions",
        ),
        _serve,
    ),
    "demo": (
        "run the whole streaming system on 127.0.0.1, to be tried with curl",
        (
            "harness demo",
            "harness demo --port 8080 --redis redis://127.0.0.1:6379/0",
            "harness demo --runs postgresql://me@127.0.0.1/demo --traces sqlite:///traces.sqlite3",
            "curl -N -X POST 'http://127.0.0.1:8000/v1/runs?pace=0.1'",
        ),
        _demo,
    ),
}
