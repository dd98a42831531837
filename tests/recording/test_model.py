"""The model that is made by hand: the same bytes everywhere, and a file as the format says."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from recording import checkpoint
from recording import model as making
from recording.gguf import gguf

if TYPE_CHECKING:
    from pathlib import Path

# What the recordings in cassettes/llamacpp were made with.
DIGEST = "abe4b485b573b6f25412c5be14a890935ba6ecb819089024f11f33e69212221e"
# And those in cassettes/transformers: the files of the checkpoint, in the order of their names.
CHECKPOINT = "19acf9a5d3a60f8d56bf18594a3b6affde7aae3fc305a198437925dacaf6449d"


def test_the_model_is_the_one_that_was_recorded() -> None:
    assert sha256(making.model()).hexdigest() == DIGEST


def test_a_piece_that_stands_in_two_places_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "SENTENCES", {"text": ("a", "b", "a")})
    with pytest.raises(ValueError, match="the token 'a' stands in two places"):
        making.model()


def test_every_sentence_begins_with_its_marker_and_ends() -> None:
    followers = making.followers(making._chains())
    for name in making.SENTENCES:
        token, said = f"<|{name}|>", list[str]()
        while (token := followers.get(token, "</s>")) not in {"</s>", *said}:
            said.append(token)
        assert len(said) >= len(making.SENTENCES[name])


def test_the_checkpoint_is_the_one_that_was_recorded(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "model")
    written = sorted((tmp_path / "model").iterdir())
    assert sha256(b"".join(file.read_bytes() for file in written)).hexdigest() == CHECKPOINT


def test_the_checkpoint_says_the_same_sentences() -> None:
    letters = {letter: byte for byte, letter in checkpoint._letters().items()}
    assert len(letters) == 256
    for chain, sentence in zip(checkpoint._chains(), making.SENTENCES.values(), strict=True):
        said = bytes(letters[letter] for token in chain[1:-1] for letter in token)
        assert said.decode() == "".join(sentence)


def test_a_file_of_numbers_holds_a_head_and_them() -> None:
    made = checkpoint._safetensors({"t": ((2, 1), [1.0, 2.0]), "u": ((1,), [4.0])})
    [size] = struct.unpack_from("<Q", made)
    assert size % 8 == 0
    head = json.loads(made[8 : 8 + size])
    assert head["u"] == {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}
    assert struct.unpack_from("<3f", made, 8 + size) == (1.0, 2.0, 4.0)
    assert len(made) == 8 + size + 12


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
