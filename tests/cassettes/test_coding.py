"""Codings undone while they arrive: the same whatever the cuts, and never much at once."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import coding as coding_module
from harness.cassettes.coding import PIECE, ContentDecoder, codings_of, decoded
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

brotli: Any = import_module("brotli")
zstd: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _bare(body: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(body) + machine.flush()


CODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip of two members": ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", _bare),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "zstd of two frames": ("zstd", lambda body: zstd.compress(body[:9]) + zstd.compress(body[9:])),
}  # fmt: skip
BODY = b"".join(f"data: {number * number}\n\n".encode() for number in range(2000))
each = pytest.mark.parametrize("name", CODED)


def undone(undoing: ContentDecoder, pieces: list[bytes]) -> list[bytes]:
    return [part for piece in pieces for part in undoing.feed(piece)]


@each
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**6])
def test_a_coding_is_undone_whatever_the_cuts(name: str, size: int) -> None:
    word, coded = CODED[name]
    stored = coded(BODY)
    cuts = pairwise([*range(0, len(stored), size), len(stored)])
    assert b"".join(undone(ContentDecoder([word]), [stored[a:b] for a, b in cuts])) == BODY
    assert decoded(stored, word) == BODY


@each
def test_what_was_flushed_is_told_at_once(name: str) -> None:
    """A stream is compressed event by event: none may wait for the next."""
    word, _ = CODED[name]
    machine: Any = {
        "gzip": lambda: zlib.compressobj(wbits=31), "deflate": zlib.compressobj,
        "br": brotli.Compressor, "zstd": zstd.ZstdCompressor,
    }[word]()  # fmt: skip
    undoing = ContentDecoder([word])
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        if word == "zstd":
            sent = machine.compress(event, machine.FLUSH_BLOCK)
        elif word == "br":
            sent = machine.process(event) + machine.flush()
        else:
            sent = machine.compress(event) + machine.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(undoing.feed(sent)) == event


@each
def test_a_bomb_comes_in_pieces(name: str) -> None:
    word, coded = CODED[name]
    size = 32 * 1024 * 1024
    stored = coded(bytes(size))
    assert len(stored) < size / 900
    tracemalloc.start()
    sizes = [len(piece) for piece in ContentDecoder([word]).feed(stored)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == size
    assert max(sizes) <= PIECE * 1.5
    assert peak < 1024 * 1024


@each
def test_a_body_that_grows_over_the_limit_is_named(name: str) -> None:
    word, coded = CODED[name]
    with pytest.raises(InputError, match="grows over 100,000 bytes when it is decompressed"):
        undone(ContentDecoder([word], limit=100_000), [coded(bytes(200_000))])


@each
def test_what_is_cut_short_is_given_as_far_as_it_goes(name: str) -> None:
    word, coded = CODED[name]
    found = b"".join(undone(ContentDecoder([word]), [coded(BODY)[:-9]]))
    assert BODY.startswith(found)


@each
def test_what_is_none_of_it_is_named(name: str) -> None:
    word, _ = CODED[name]
    with pytest.raises(InputError, match=f"is not a complete {word} stream; record it again"):
        undone(ContentDecoder([word]), [b"\xff\xfe nonsense " * 99])


def test_a_window_too_large_for_the_web_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    with pytest.raises(InputError, match="is not a complete zstd stream"):
        undone(ContentDecoder(["zstd"]), [zstd.compress(bytes(10**7), options=options)])


def test_what_follows_a_member_is_nobodys() -> None:
    assert undone(ContentDecoder(["gzip"]), [gzip.compress(b"a"), b"\x1f", b"x", b"\x1f\x8b"]) == [
        b"a"
    ]
    assert undone(ContentDecoder(["deflate"]), [zlib.compress(b"a") + b"more"]) == [b"a"]


def test_codings_are_undone_in_their_order() -> None:
    stored = brotli.compress(gzip.compress(BODY))
    words = codings_of(["GZIP, identity", " br"])
    assert words == ["br", "identity", "gzip"]
    assert b"".join(undone(ContentDecoder(words), [stored[:50], stored[50:]])) == BODY
    assert b"".join(undone(ContentDecoder([]), [stored])) == stored


@pytest.mark.parametrize("word", ["br", "zstd"])
def test_without_its_library_a_coding_names_the_cure(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"compressed with {word}; pip install '.*\[codings\]'"):
        ContentDecoder([word])


def test_a_brotli_without_bounds_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        """What brotli before 1.2 offers."""

        error = ValueError
        Decompressor = object

    monkeypatch.setattr(coding_module, "import_module", lambda _: Old)
    with pytest.raises(InputError, match="pip install"):
        ContentDecoder(["br"])
