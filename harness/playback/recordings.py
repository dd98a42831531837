"""Recorded responses on disk: bodies, folders of NAME.sse + NAME.json, cassettes.

Rules of this file: a file that cannot be used yields one error with its path and the cure, and does
not hide the others; bytes are passed on as recorded (``protocols.bodies`` names the exceptions).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cassettes import load
from harness.cassettes.cassette import Response
from harness.cassettes.scripts import OK, script_of
from harness.errors import InputError, UnknownWordError, WireError
from harness.project_files import files_below
from harness.protocols import names
from harness.protocols.bodies import is_binary, protocol_at, protocol_of
from harness.protocols.events import events_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cassettes.cassette import Cassette, Interaction
    from harness.model import Event
    from harness.wire.script import Pace, Script

# A protocol whose events are those of another protocol, inside another framing.
_CARRIED = {"bedrock_invoke_anthropic": "anthropic_messages"}
_BODY, _CASSETTES = ".sse", (".yaml", ".yml")
_FIRST_KEY = re.compile(
    rb"(?m)^(?:interactions:|- request:)"
)  # today's cassettes; vcrpy's old ones
_SEARCHED = 64 * 1024  # bytes in which the first key of a cassette must be


@dataclass(frozen=True)
class Recording:
    """One recorded response.

    ``provider`` and ``fidelity`` are copied from the metadata file, empty if there is none.
    """

    name: str
    path: Path
    protocol: str
    response: Response
    provider: str = ""
    fidelity: str = ""

    @property
    def body(self) -> bytes:
        """The bytes of the response."""
        return self.response.body

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return self.response.status

    def events(self) -> list[Event]:
        """Return the wire events of the body.

        Raises:
            InputError: the bytes are neither events nor a JSON array.
        """
        try:
            return list(events_of([self.body]))
        except WireError as error:
            raise InputError(str(error), path=self.path) from None

    def script(self, cut: str = "event", pace: Pace = 0.0) -> Script:
        """Return the response as a script.

        Args:
            cut: the cut plan.
            pace: seconds before each read after the first, or ``recorded``.

        Raises:
            InputError: as for ``events``; or the plan is ``recorded`` and the reads are unknown.
        """
        try:
            script = script_of(self.response, self.protocol)._replace(cut=cut, pace=pace)
            script.check()
        except (WireError, InputError) as error:
            raise InputError(f"{self.name}: {error}", path=self.path) from None
        return script


@dataclass(frozen=True)
class SkippedRecording:
    """A recording of an unsupported protocol; not an error, but counted."""

    name: str
    protocol: str


def recordings(
    paths: Sequence[Path], protocol_name: str | None = None
) -> Iterator[Recording | SkippedRecording | InputError]:
    """Yield every recording below some paths, sorted by name.

    Args:
        paths: body files and cassettes, or folders that hold them.
        protocol_name: the protocol of bodies; None detects it.
    """
    for path in paths:
        files = _files(path) if path.is_dir() else [path]
        for file in files:
            try:
                if file.suffix in _CASSETTES:
                    yield from exchanges(load(file), file, protocol_name)
                else:
                    yield _body(file, protocol_name)
            except InputError as error:
                yield error
        if not files:
            message = (
                "the folder contains no NAME.sse and no cassette (git-ignored files are skipped)"
            )
            yield InputError(message, path=path)


def _files(folder: Path) -> list[Path]:
    """Return the recordings below a folder; other YAML files in it are skipped."""
    return [
        path
        for path in files_below(folder)
        if path.suffix == _BODY or (path.suffix in _CASSETTES and _is_cassette(path))
    ]


def _is_cassette(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _FIRST_KEY.search(file.read(_SEARCHED)) is not None
    except OSError:
        return True  # reading it will name the error


def exchanges(
    cassette: Cassette, path: Path, protocol_name: str | None = None
) -> Iterator[Recording | SkippedRecording]:
    """Yield every exchange of a cassette; if there are several, their names are numbered.

    Args:
        cassette: the cassette.
        path: its file.
        protocol_name: the protocol of bodies; None detects it.
    """
    found = cassette.interactions
    for number, interaction in enumerate(found, 1):
        name = path.stem if len(found) == 1 else f"{path.stem}#{number}"
        protocol = _protocol_of_exchange(interaction, protocol_name)
        if protocol not in names():
            yield SkippedRecording(name, protocol)
        else:
            yield Recording(name, path, protocol, interaction.response)


def _protocol_of_exchange(interaction: Interaction, protocol_name: str | None) -> str:
    """Return the protocol of an exchange, or why it has none."""
    response = interaction.response
    at_path = protocol_at(interaction.request.uri)
    if response.status != OK:
        return at_path or "not a provider's"
    if is_binary(response.body) or response.body.lstrip()[:1] == b"{":
        return "not a stream"
    try:
        return protocol_name or protocol_of(response.body) or at_path or "not a provider's"
    except WireError:
        return at_path or "not a stream"


def _body(path: Path, protocol_name: str | None) -> Recording | SkippedRecording:
    body = _bytes(path)
    metadata = _metadata(path.with_suffix(".json")) if path.suffix == _BODY else {}
    name = str(metadata.get("name") or path.stem)
    protocol = protocol_name or _recorded_protocol(metadata)
    if protocol is not None and protocol not in names():
        if "protocol" in metadata:
            return SkippedRecording(name, protocol)
        raise UnknownWordError("protocol", protocol, names())
    status = metadata.get("status", OK)
    if not isinstance(status, int):
        raise InputError("the recording's metadata: status is not an integer", path=path)
    if status == OK and is_binary(body):
        raise InputError("binary, not an event stream; if it is compressed, unpack it", path=path)
    return Recording(
        name=name,
        path=path,
        protocol=protocol or _guess(body, path),
        response=Response(status, body=body),
        provider=str(metadata.get("provider", "")),
        fidelity=str(metadata.get("fidelity", "")),
    )


def _recorded_protocol(metadata: dict[str, Any]) -> str | None:
    """Return the protocol that the metadata names, or None."""
    keys = ("protocol", "subprotocol")
    protocol, subprotocol = (str(metadata.get(key, "")).replace("-", "_") for key in keys)
    return _CARRIED.get(subprotocol) or protocol or None


def _bytes(path: Path) -> bytes:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from None
    if not body.strip():
        raise InputError("the file is empty", path=path)
    return body


def _metadata(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        metadata = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"the recording's metadata cannot be read ({type(error).__name__}: {error})"
        raise InputError(message, path=path) from None
    if not isinstance(metadata, dict):
        raise InputError("the recording's metadata is not a JSON object", path=path)
    return metadata


def _guess(body: bytes, path: Path) -> str:
    try:
        found = protocol_of(body)
    except WireError as error:
        raise InputError(str(error), path=path) from None
    if found is None:
        message = f"cannot detect the protocol; name it with --protocol ({', '.join(names())})"
        raise InputError(message, path=path, line=1)
    return found
