"""Every recording below some paths, each as a cassette or as the reason why it is none.

Rules of this file: a file that was named must be a recording, one that merely lies in a folder may
be something else; one bad file never hides the others; names keep the folders below the path that
was named, so two of the same stem do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.cassettes.importing import corpus
from harness.cassettes.importing.formats import FORMATS, form_of
from harness.cassettes.importing.source import Source
from harness.errors import InputError
from harness.model import repair_surrogates
from harness.project_files import files_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cassettes.cassette import Cassette

# What recordings are called; anything else in a folder is passed over.
_SUFFIXES = frozenset(
    {".sse", ".ndjson", ".jsonl", ".har", ".yaml", ".yml", ".json", ".eventstream", ".chunks.txt"}
)


@dataclass(frozen=True)
class PassedOver:
    """A file of a folder that is in no form read here."""

    path: Path


@dataclass(frozen=True)
class Imported:
    """One file as a cassette; ``name`` is a path without suffix, to be called by."""

    name: str
    path: Path
    cassette: Cassette


def importing(
    paths: Sequence[Path], protocol: str | None = None
) -> Iterator[Imported | PassedOver | InputError]:
    """Yield what becomes of every file, in the order of their names.

    Args:
        paths: recordings, or folders that hold them.
        protocol: what is spoken in recordings that do not tell.
    """
    for path in paths:
        if not path.is_dir():
            found = _imported(Source(path, stem(PurePath(path.name)), protocol))
            yield found if not isinstance(found, PassedOver) else _in_no_form(path)
            continue
        files = [file for file in files_below(path) if _is_recording(file)]
        if not files:
            yield InputError(f"the folder holds no {', '.join(sorted(_SUFFIXES))}", path=path)
        for file in files:
            yield _imported(Source(file, stem(file.relative_to(path)), protocol))


def _imported(source: Source) -> Imported | PassedOver | InputError:
    try:
        if not _is_text(source.name):
            raise source.refusal("its name is no UTF-8 text; rename it")
        form = form_of(source)
        if form is None:
            return PassedOver(source.path)
        return Imported(source.name, source.path, form.read(source))
    except InputError as error:
        return error


def _is_text(name: str) -> bool:
    """Whether a name can be written down; Python reads other bytes as halves of characters."""
    return repair_surrogates(name) == name


def _in_no_form(path: Path) -> InputError:
    names = ", ".join(form.name for form in FORMATS)
    return InputError(f"in no form that is read here ({names})", path=path)


def _is_recording(path: Path) -> bool:
    told_by = corpus.body(path)
    return suffix(path) in _SUFFIXES and path.is_file() and not (told_by and told_by.is_file())


def suffix(path: PurePath) -> str:
    """Return the suffix of a file, a double one where recordings are known by it."""
    double = "".join(path.suffixes[-2:])
    return double if double in _SUFFIXES else path.suffix


def stem(path: PurePath) -> str:
    """Return a relative path without its suffix."""
    return path.as_posix().removesuffix(suffix(path))
