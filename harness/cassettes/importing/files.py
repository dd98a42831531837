"""Recordings below some paths, each imported as a cassette or reported with an error.

Rules of this file: a file that is named must be a recording, one found in a folder may be something
else; an invalid file does not hide the others; names include the folders below the named path, so
files of the same stem do not collide.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from harness.cassettes.importing import corpus
from harness.cassettes.importing.formats import FORMATS, format_of
from harness.cassettes.importing.source import Source
from harness.errors import InputError
from harness.model import repair_surrogates
from harness.project_files import files_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cassettes.cassette import Cassette

# The suffixes of recordings; other files in a folder are skipped.
_SUFFIXES = frozenset(
    {".sse", ".ndjson", ".jsonl", ".har", ".yaml", ".yml", ".json", ".eventstream", ".chunks.txt"}
)


@dataclass(frozen=True)
class SkippedFile:
    """A file in a folder whose format is not recognised."""

    path: Path


@dataclass(frozen=True)
class Imported:
    """One imported file; ``name`` is a path without suffix, to name the cassette."""

    name: str
    path: Path
    cassette: Cassette


def import_files(
    paths: Sequence[Path], protocol: str | None = None
) -> Iterator[Imported | SkippedFile | InputError]:
    """Import every recording and yield the results, sorted by name.

    Args:
        paths: recordings, or folders of them.
        protocol: the protocol of recordings that do not show theirs.
    """
    for path in paths:
        if not path.is_dir():
            found = _import(Source(path, stem(PurePath(path.name)), protocol))
            yield found if not isinstance(found, SkippedFile) else _unrecognised(path)
            continue
        files = [file for file in files_below(path) if _is_recording(file)]
        if not files:
            yield InputError(f"the folder contains no {', '.join(sorted(_SUFFIXES))}", path=path)
        for file in files:
            yield _import(Source(file, stem(file.relative_to(path)), protocol))


def _import(source: Source) -> Imported | SkippedFile | InputError:
    try:
        if not _is_text(source.name):
            raise source.error("the file name is not UTF-8; rename it")
        kind = format_of(source)
        if kind is None:
            return SkippedFile(source.path)
        return Imported(source.name, source.path, kind.read(source))
    except InputError as error:
        return error


def _is_text(name: str) -> bool:
    """Return whether a name is valid UTF-8; Python decodes other bytes as lone surrogates."""
    return repair_surrogates(name) == name


def _unrecognised(path: Path) -> InputError:
    names = ", ".join(kind.name for kind in FORMATS)
    return InputError(f"unrecognised recording format; supported: {names}", path=path)


def _is_recording(path: Path) -> bool:
    body = corpus.body_path(path)
    return suffix(path) in _SUFFIXES and path.is_file() and not (body and body.is_file())


def suffix(path: PurePath) -> str:
    """Return the suffix of a file, a double one if it is one of recordings."""
    double = "".join(path.suffixes[-2:])
    return double if double in _SUFFIXES else path.suffix


def stem(path: PurePath) -> str:
    """Return a relative path without its suffix."""
    return path.as_posix().removesuffix(suffix(path))
