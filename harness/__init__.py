"""Replay and conformance harness for LLM streaming."""
