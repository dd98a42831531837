"""Only plain JSON values are read from a file, and every error names the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from harness import yaml_file
from harness.errors import InputError
from harness.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n"
    for before, after in zip("abcdef", "bcdefg", strict=True)
)


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with both parsers of PyYAML."""
    if request.param != "libyaml":
        monkeypatch.setattr(yaml_file, "_Loader", yaml.SafeLoader)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_values_and_their_lines(path: Path) -> None:
    path.write_text("a: 1\nb:\n  - x\n  - c: null\n    d: [true, 1.5]\n", "utf-8")
    value, lines = read_yaml(path)
    assert value == {"a": 1, "b": ["x", {"c": None, "d": [True, 1.5]}]}
    assert [lines.at(*at) for at in ((), ("a",), ("b", 0), ("b", 1, "d"))] == [1, 1, 3, 5]
    assert lines.at("b", 1, "d", 0, "deeper") == 5
    assert lines.at("nowhere") == 1


def test_an_empty_file_is_null(path: Path) -> None:
    path.write_text("# only a comment\n", "utf-8")
    assert read_yaml(path)[0] is None


def test_keys_are_always_strings(path: Path) -> None:
    path.write_text("200: a\non: b\n~: c\n", "utf-8")
    assert read_yaml(path)[0] == {"200": "a", "on": "b", "~": "c"}


def test_an_alias_is_replaced_by_its_anchor(path: Path) -> None:
    path.write_text("a: &x [1]\nb: *x\n", "utf-8")
    assert read_yaml(path)[0] == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\na: 2\n", 2, "duplicate key 'a'; remove one"),
        ("a:\n  b: 1\n  b: 2\n", 3, "duplicate key 'b'; remove one"),
        ("? [a]\n: b\n", 1, "a key must be a plain string"),
        ("a: 1\n<<: {b: 1}\n", 2, "a key must be a plain string"),
        ("a: 2026-01-01\n", 1, "'2026-01-01' is read as date; put it in quotes"),
        ("a: 2026-99-99\n", 1, "looks like a date or a number, but is not valid; put it in quotes"),
        (f"a: {'9' * 5000}\n", 1, "looks like a date or a number"),
        ("a: .inf\n", 1, "'.inf' is not a JSON number; put it in quotes"),
        ("a: !!binary aGk=\n", 1, "is read as bytes; put it in quotes"),
        (
            "\na: !!python/object:os.system {}\n",
            2,
            "the tag !!python/object:os.system is not allowed",
        ),
        ('a: !!python/object/apply:os.system ["x"]\n', 1, "is not allowed; write plain values"),
        ("a: !!set {b}\n", 1, "the tag !!set is not allowed"),
        ("a: !mine b\n", 1, "the tag '!mine'"),
        ("a: [1, 2\n", 2, "not valid YAML: while parsing a flow sequence, "),
        ("a: b\n---\nc: d\n", 2, "another document"),
        ("é: 1\n\nb: \x01\n", 3, "a character YAML does not allow"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ("\n" + "[" * 200_000, 2, "nested too deeply"),
        ("a: &a [*a]\n", 1, "too many YAML aliases; write the values out"),
        (BOMB, None, "too many YAML aliases; write the values out"),
    ],
)
def test_an_error_names_the_line_and_the_cure(
    path: Path, text: str, line: int | None, expected: str
) -> None:
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert expected in str(caught.value)
    assert caught.value.path == path
    assert line is None or caught.value.line == line
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xff\xfe\x00", "it must be YAML in UTF-8"), (None, "cannot be read (No such file")],
)
def test_a_file_that_is_not_text_is_refused(
    path: Path, content: bytes | None, expected: str
) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert expected in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read_yaml(tmp_path)
