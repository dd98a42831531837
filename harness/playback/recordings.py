"""Recorded responses from anywhere on disk: bodies, folders of NAME.sse + NAME.json, cassettes.

Rules of this file: a file that cannot be used gives one error that names it and the cure, and never
hides the others; bytes are handed on as they were recorded (``protocols.bodies`` says where not).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cassettes import load
from harness.cassettes.cassette import Response
from harness.cassettes.playing import OK, script_of
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

# A protocol that travels inside another's frames.
_CARRIERS = {"bedrock_invoke_anthropic": "anthropic_messages"}
_BODY, _CASSETTES = ".sse", (".yaml", ".yml")


@dataclass(frozen=True)
class Recording:
    """One recorded response.

    ``provider`` and ``fidelity`` are the recorder's words, empty where it kept none.
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
        """Return the response as a script, to be read in the given cuts.

        Raises:
            InputError: as for ``events``; or nobody kept the reads that were asked for.
        """
        try:
            script = script_of(self.response, self.protocol)._replace(cut=cut, pace=pace)
            script.check()
        except (WireError, InputError) as error:
            raise InputError(f"{self.name}: {error}", path=self.path) from None
        return script


@dataclass(frozen=True)
class LeftOut:
    """A recording of a protocol that is not spoken here; no error, but to be counted."""

    name: str
    protocol: str


def recordings(
    paths: Sequence[Path], protocol_name: str | None = None
) -> Iterator[Recording | LeftOut | InputError]:
    """Yield every recording below some paths, in the order of their names.

    Args:
        paths: body files and cassettes, or folders that hold them.
        protocol_name: the protocol of bodies that say nothing of it; None guesses.
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
            message = "the folder holds no NAME.sse and no cassette (what git ignores is skipped)"
            yield InputError(message, path=path)


def _files(folder: Path) -> list[Path]:
    return [path for path in files_below(folder) if path.suffix in (_BODY, *_CASSETTES)]


def exchanges(
    cassette: Cassette, path: Path, protocol_name: str | None = None
) -> Iterator[Recording | LeftOut]:
    """Yield every exchange of a cassette; with a number in its name where there are several.

    Args:
        cassette: the cassette.
        path: its file.
        protocol_name: the protocol of bodies that say nothing of it; None guesses.
    """
    found = cassette.interactions
    for number, interaction in enumerate(found, 1):
        name = path.stem if len(found) == 1 else f"{path.stem}#{number}"
        spoken = _spoken_in(interaction, protocol_name)
        if spoken not in names():
            yield LeftOut(name, spoken)
        else:
            yield Recording(name, path, spoken, interaction.response)


def _spoken_in(interaction: Interaction, protocol_name: str | None) -> str:
    """Return the protocol of an exchange, or the word of what is none."""
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


def _body(path: Path, protocol_name: str | None) -> Recording | LeftOut:
    body = _bytes(path)
    meta = _meta(path.with_suffix(".json")) if path.suffix == _BODY else {}
    name = str(meta.get("name") or path.stem)
    spoken = protocol_name or _spoken(meta)
    if spoken is not None and spoken not in names():
        if "protocol" in meta:
            return LeftOut(name, spoken)
        raise UnknownWordError("protocol", spoken, names())
    status = meta.get("status", OK)
    if not isinstance(status, int):
        raise InputError("the recording's metadata: status is no whole number", path=path)
    if status == OK and is_binary(body):
        raise InputError("binary, not an event stream; is it compressed?", path=path)
    return Recording(
        name=name,
        path=path,
        protocol=spoken or _guess(body, path),
        response=Response(status, body=body),
        provider=str(meta.get("provider", "")),
        fidelity=str(meta.get("fidelity", "")),
    )


def _spoken(meta: dict[str, Any]) -> str | None:
    """Return the protocol that a recorder named, None where it named none."""
    words = [str(meta.get(key, "")).replace("-", "_") for key in ("protocol", "subprotocol")]
    return _CARRIERS.get(words[1]) or words[0] or None


def _bytes(path: Path) -> bytes:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from None
    if not body.strip():
        raise InputError("the file is empty", path=path)
    return body


def _meta(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        meta = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        words = f"the recording's metadata cannot be read ({type(error).__name__}: {error})"
        raise InputError(words, path=path) from None
    if not isinstance(meta, dict):
        raise InputError("the recording's metadata is no JSON object", path=path)
    return meta


def _guess(body: bytes, path: Path) -> str:
    try:
        found = protocol_of(body)
    except WireError as error:
        raise InputError(str(error), path=path) from None
    if found is None:
        words = f"no event tells its protocol; name it with --protocol ({', '.join(names())})"
        raise InputError(words, path=path, line=1)
    return found
