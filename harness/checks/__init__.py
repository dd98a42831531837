"""Law: one pure function for each thing that can be judged on an outcome.

matching.py compares, expectations.py holds the keys of a scenario's ``must`` and ``should``,
laws.py what must be true of every stream, judging.py turns both into findings.
"""
