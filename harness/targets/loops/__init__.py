"""The loops that the SDKs' own documents show over raw typed events, one module a protocol.

Rule of this package: a loop is what a careful reader of the documents would write, and nothing
more; it guards what they guard and calls final what they call final. Where a stream strays from
what they show, so does what the loop makes of it: that is what this reference is for.
"""
