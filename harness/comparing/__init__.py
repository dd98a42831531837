"""The upgrade check: the same streams to two sides, what moved, in which layer, and is it law.

sides.py asks the two, streams.py chooses what is told, differences.py looks for what moved,
judging.py says what it means, grouping.py puts like to like, comparing.py is the run that emits
what happens (happenings.py).
"""
