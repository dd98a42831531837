"""Generated streams: what a campaign, or a scenario's ``holds_under``, sends.

``strategies`` draws messages and walks through a protocol's tables, ``mutations`` changes streams,
``search`` finds and shrinks the cases that fail. This package is the only importer of Hypothesis;
replaying the streams and evaluating the results is the work of ``harness.fuzzing``.

Rule of this package: every choice that is left open is read from a ``ByteSource``, so that one
drawn byte string decides a whole stream, and the empty one gives the simplest stream.
"""
