"""Checks: one pure function for each statement about an outcome.

expectations.py has the keys of a scenario's ``must`` and ``should``, which matching.py compares
with the expected values; invariants.py has what holds for every stream; evaluation.py turns both
into findings; next_request.py says whether an API accepts an outcome in the next request.
"""
