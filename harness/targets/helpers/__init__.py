"""The SDKs' own accumulators, one module a protocol: how each is opened, and what is read of it.

Rules of this package: chunks come from the helper's own events; content, finish and usage are what
its final object says, because that is what its users take; where the helper raises, they are what
it offers in public by then: its snapshot, or else the deltas it has already handed out.
"""
