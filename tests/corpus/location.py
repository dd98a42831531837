"""The corpus of recordings that these tests read; they are skipped if it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"no corpus of recordings at {CORPUS}"
)
