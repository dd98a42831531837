"""The model that is made by hand: the same bytes everywhere, and a file as the format says."""

from __future__ import annotations

import struct
from hashlib import sha256

import pytest

from recording import model as making
from recording.gguf import gguf

# What the recordings in cassettes/llamacpp were made with.
DIGEST = "abe4b485b573b6f25412c5be14a890935ba6ecb819089024f11f33e69212221e"


def test_the_model_is_the_one_that_was_recorded() -> None:
    assert sha256(making.model()).hexdigest() == DIGEST


def test_a_piece_that_stands_in_two_places_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "SENTENCES", {"text": ("a", "b", "a")})
    with pytest.raises(ValueError, match="the token 'a' stands in two places"):
        making.model()


def test_every_sentence_begins_with_its_marker_and_ends() -> None:
    followers = making._followers()
    for name in making.SENTENCES:
        token, said = f"<|{name}|>", list[str]()
        while (token := followers.get(token, "</s>")) not in {"</s>", *said}:
            said.append(token)
        assert len(said) >= len(making.SENTENCES[name])


def test_a_file_holds_a_head_its_tensors_and_their_numbers_aligned() -> None:
    made = gguf(
        {"word": "é", "count": 7, "real": 0.5, "yes": True, "list": ["a", "b"], "signs": [-1, 1]},
        {"t": ((3, 1), [1.0, 2.0, 3.0]), "u": ((1,), [4.0])},
    )
    assert struct.unpack_from("<4sIQQ", made) == (b"GGUF", 3, 2, 6)
    assert struct.pack("<Q", 2) + "é".encode() in made
    assert len(made) % 32 == 0
    assert struct.unpack_from("<3f", made, len(made) - 64) == (1.0, 2.0, 3.0)
    assert struct.unpack_from("<f", made, len(made) - 32) == (4.0,)
