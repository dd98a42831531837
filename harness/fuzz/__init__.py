"""Streams nobody wrote down: mutations.py says how a stream may change and must not matter."""
