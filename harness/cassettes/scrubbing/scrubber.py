"""What is kept of an exchange, scrubbed: headers, addresses, bodies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.cassette import Cassette, Headers, Interaction, Request, Response
from harness.cassettes.scrubbing.arriving import ArrivingBody
from harness.cassettes.scrubbing.headers import rule_of
from harness.cassettes.scrubbing.masking import Finder, mask
from harness.errors import InputError, WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.scrubbing.headers import HeaderRule
    from harness.cassettes.scrubbing.masking import Found


class Scrubber:
    """Masks the secrets of whatever is to be written, and counts them by name.

    Args:
        secrets: exact texts that are secrets too; None takes them from this process's environment.
    """

    def __init__(self, secrets: tuple[str, ...] | None = None) -> None:
        self._finder = Finder(secrets)
        self.found: Counter[str] = Counter()

    def cassette(self, cassette: Cassette) -> Cassette:
        """Return a cassette without secrets."""
        return Cassette(tuple(map(self.interaction, cassette.interactions)))

    def interaction(self, told: Interaction) -> Interaction:
        """Return an exchange without secrets."""
        return Interaction(self.request(told.request), self.response(told.response))

    def request(self, request: Request) -> Request:
        """Return a request without secrets."""
        headers = self.headers(request.headers)  # first: they tell secrets
        uri, body = self.text(request.uri), self.content(request.body)
        return replace(request, uri=uri, headers=headers, body=body)

    def response(self, response: Response) -> Response:
        """Return a response without secrets."""
        headers, body = self.headers(response.headers), self.content(response.body)
        return replace(response, headers=headers, body=body)

    def headers(self, headers: Headers) -> Headers:
        """Return headers without secrets."""
        return tuple((name, self._header(name, value)) for name, value in headers)

    def text(self, text: str) -> str:
        """Return a text without secrets: an address, a line."""
        content = bytearray(text.encode())
        for found in self._finder.find(bytes(content)):
            if mask(content, found.start, found.end):
                self._note(found.name)
        return content.decode()

    def content(self, body: bytes) -> bytes:
        """Return a whole body without secrets.

        Raises:
            InputError: it is one of binary events that cannot be read.
        """
        scrubbing = self.body()
        try:
            bare = scrubbing.feed(body) + scrubbing.close()
            scrubbing.check()
        except WireError as error:
            raise InputError(str(error)) from None
        return bare

    def leaks(self, content: bytes) -> list[tuple[int, str]]:
        """Return the secrets of a text as it stands, each once, with its offset in bytes."""
        told: list[Found] = []
        for found in sorted(self._finder.find(content), key=lambda found: found.start):
            if not told or found.start >= told[-1].end:
                told.append(found)
        return [(found.start, found.name) for found in told]

    def body(self) -> ArrivingBody:
        """Return what scrubs one body while it arrives."""
        return ArrivingBody(self._finder, self._note)

    def _note(self, name: str) -> None:
        self.found[name] += 1

    def _header(self, name: str, value: str) -> str:
        rule = rule_of(name)
        if rule is None:
            return self.text(value)
        content = bytearray(value.encode())
        for start, end in _stretches(rule, bytes(content)):
            if rule.learned:
                self._finder.learn(bytes(content[start:end]))
            if mask(content, start, end):
                self._note(rule.name)
        return content.decode()


def _stretches(rule: HeaderRule, value: bytes) -> Iterator[tuple[int, int]]:
    return (hit.span("s") for hit in rule.value.finditer(value))
