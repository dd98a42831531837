"""Environments: their requirements, their cache, and the errors if one cannot be made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.targets.addresses import environment_of, in_environment, process_of
from harness.targets.environments import (
    Requirements,
    cache_folder,
    is_made,
    prune,
    python_of,
    requirements,
)
from harness.targets.resolving import check


@pytest.fixture(autouse=True)
def cache(own_cache: Path) -> Path:
    """Keep environments in a folder of this test."""
    return own_cache


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("openai==3.52.0", ("openai==3.52.0",)),
        ("openai==3.52.0,httpx2<3", ("openai==3.52.0", "httpx2<3")),
        ("openai>=2,<3, httpx", ("openai>=2,<3", "httpx")),
        ("pkg[a,b]>=1,other", ("pkg[a,b]>=1", "other")),
        ("current", ()),
    ],
)
def test_commas_separate_requirements_but_not_versions(text: str, lines: tuple[str, ...]) -> None:
    assert requirements(text) == Requirements(text, lines)


def test_a_file_of_requirements(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_text("# the new ones\nopenai==3.52.0  # pinned\n\nhttpx2 \\\n  <3\n")
    assert requirements(str(path)).lines == ("openai==3.52.0", "httpx2 <3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "requires nothing"),
        ("./none.txt", "none.txt: the requirements file cannot be read"),
        ("./includes.txt", "'-r other.txt': write what it includes into the file itself"),
    ],
)
def test_an_empty_or_unreadable_set_is_an_error(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("includes.txt").write_text("-r other.txt\n")
    with pytest.raises(InputError, match=message):
        requirements(text)


@pytest.mark.parametrize(
    ("text", "target", "address"),
    [
        ("openai==3.52.0", "sdk", "env:openai==3.52.0!sdk"),
        ("current", "sdk", "sdk"),
        ("letta==1", "env:asyncpg!letta", "env:asyncpg,letta==1!letta"),
        ("env:a==1!sdk", "builtin", "env:a==1!sdk"),
        ("python:a:b", "builtin", "python:a:b"),
    ],
)
def test_a_side_is_a_target_in_an_environment(text: str, target: str, address: str) -> None:
    assert in_environment(text, target) == address


@pytest.mark.parametrize("address", ["env:!sdk", "env:openai", "env:openai!"])
def test_an_incomplete_address_is_an_error(address: str) -> None:
    with pytest.raises(InputError, match="write it as env:REQUIREMENTS!TARGET"):
        environment_of(address)


def test_the_target_in_an_environment_must_have_a_valid_form() -> None:
    with pytest.raises(InputError, match="did you mean 'builtin'"):
        check("env:current!buildin")


def test_a_missing_program_is_an_error() -> None:
    with pytest.raises(InputError, match="program 'no-such-program' not found"):
        check("command:no-such-program --fast")
    with pytest.raises(InputError, match="program '' not found"):
        check("command:")


def test_the_current_environment_is_never_made() -> None:
    assert python_of(requirements("current")) == Path(sys.executable)
    assert not cache_folder().exists()


@pytest.mark.usefixtures("package_index")
def test_an_environment_is_made_once_and_kept_by_content() -> None:
    wanted = requirements("idna==3.10")
    assert not is_made(wanted)
    python = python_of(wanted)
    assert is_made(wanted)
    made = python.parent.parent.stat().st_ino
    assert python_of(requirements("idna==3.10")) == python
    assert python.parent.parent.stat().st_ino == made
    code = "import idna, pydantic; print(idna.__version__)"
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - made above
    assert result.stdout == "3.10\n"
    count, size = prune()
    assert (count, is_made(wanted)) == (1, False)
    assert size > 1_000_000


@pytest.mark.usefixtures("package_index")
def test_an_environment_whose_making_was_killed_is_not_used() -> None:
    unfinished = cache_folder() / ".making-killed" / "environment" / "bin"
    unfinished.mkdir(parents=True)
    (unfinished / "python").touch()
    python = python_of(requirements("idna==3.10"))
    assert ".making" not in str(python)
    assert prune()[0] == 2


@pytest.mark.usefixtures("package_index")
def test_a_version_that_does_not_exist_is_reported_with_the_installers_reason() -> None:
    with pytest.raises(
        InputError, match=r"idna==99: cannot be installed: .*no version of idna==99"
    ):
        python_of(requirements("idna==99"))
    assert list(cache_folder().iterdir()) == []


@pytest.mark.usefixtures("package_index")
def test_a_changed_file_is_another_environment(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text("idna==3.10\n")
    python_of(requirements(str(path)))
    path.write_text("idna==3.9\n")
    assert not is_made(requirements(str(path)))


@pytest.mark.usefixtures("package_index")
async def test_our_search_path_does_not_affect_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shadowing").mkdir()
    (tmp_path / "shadowing" / "pydantic.py").write_text("raise AssertionError('ours')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "shadowing"))
    process = process_of("env:idna==3.10!builtin")
    try:
        assert (await process.ask(ask="hello"))["versions"] == {}
    finally:
        await process.aclose()
