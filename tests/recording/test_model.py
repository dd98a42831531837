"""The handmade model: the same bytes on every machine, and valid file formats."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from recording import checkpoint, model
from recording.gguf import gguf

if TYPE_CHECKING:
    from pathlib import Path

# The model with which cassettes/llamacpp was recorded.
DIGEST = "abe4b485b573b6f25412c5be14a890935ba6ecb819089024f11f33e69212221e"
# The files of the checkpoint with which cassettes/transformers was recorded, sorted by name.
CHECKPOINT = "19acf9a5d3a60f8d56bf18594a3b6affde7aae3fc305a198437925dacaf6449d"


def test_the_model_is_the_one_that_was_recorded() -> None:
    assert sha256(model.model()).hexdigest() == DIGEST


def test_a_piece_that_occurs_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "SENTENCES", {"text": ("a", "b", "a")})
    with pytest.raises(ValueError, match="the token 'a' occurs twice"):
        model.model()


def test_every_sentence_begins_with_its_marker_and_ends() -> None:
    followers = model.followers(model._chains())
    for name in model.SENTENCES:
        token, tokens = f"<|{name}|>", list[str]()
        while (token := followers.get(token, "</s>")) not in {"</s>", *tokens}:
            tokens.append(token)
        assert len(tokens) >= len(model.SENTENCES[name])


def test_the_checkpoint_is_the_one_that_was_recorded(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "model")
    written = sorted((tmp_path / "model").iterdir())
    assert sha256(b"".join(file.read_bytes() for file in written)).hexdigest() == CHECKPOINT


def test_the_checkpoint_generates_the_same_sentences() -> None:
    letters = {letter: byte for byte, letter in checkpoint._letters().items()}
    assert len(letters) == 256
    for chain, sentence in zip(checkpoint._chains(), model.SENTENCES.values(), strict=True):
        text = bytes(letters[letter] for token in chain[1:-1] for letter in token)
        assert text.decode() == "".join(sentence)


def test_a_safetensors_file_has_a_header_and_the_numbers() -> None:
    made = checkpoint._safetensors({"t": ((2, 1), [1.0, 2.0]), "u": ((1,), [4.0])})
    [size] = struct.unpack_from("<Q", made)
    assert size % 8 == 0
    head = json.loads(made[8 : 8 + size])
    assert head["u"] == {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}
    assert struct.unpack_from("<3f", made, 8 + size) == (1.0, 2.0, 4.0)
    assert len(made) == 8 + size + 12


def test_a_gguf_file_has_a_header_and_aligned_tensors() -> None:
    made = gguf(
        {"word": "é", "count": 7, "real": 0.5, "yes": True, "list": ["a", "b"], "signs": [-1, 1]},
        {"t": ((3, 1), [1.0, 2.0, 3.0]), "u": ((1,), [4.0])},
    )
    assert struct.unpack_from("<4sIQQ", made) == (b"GGUF", 3, 2, 6)
    assert struct.pack("<Q", 2) + "é".encode() in made
    assert len(made) % 32 == 0
    assert struct.unpack_from("<3f", made, len(made) - 64) == (1.0, 2.0, 3.0)
    assert struct.unpack_from("<f", made, len(made) - 32) == (4.0,)
