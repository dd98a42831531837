"""Streams nobody wrote down, and what has to hold for each of them.

``strategies`` draws messages and walks through the tables; ``mutations`` changes streams, lawfully
and not; ``laws`` says what must hold. All of it is pure but the strategies, which are Hypothesis':
who plays the streams, and to whom, is decided above (``harness.fuzzing``).

Rule of this room: whatever is left open is decided by a ``Tape``, so that one drawn value decides a
whole stream, and the empty one the simplest.
"""
