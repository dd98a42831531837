"""The upgrade check: replay the same streams under two versions and classify the differences.

``streams`` selects what is replayed, ``preparation`` makes the two ``sides`` ready, ``differences``
finds what changed and in which layer, ``classification`` gives it a category, ``comparison`` is the
run that emits ``events``, the last of which groups like changes; ``version_bisect`` finds the first
version that shows a change.
"""
