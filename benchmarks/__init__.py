"""Benchmarks: what is measured, and against what; ``make bench`` prints every figure in docs.

``overhead`` compares our interfaces with bare iteration over the SDKs' streams, ``growth`` 20,000
events with 2,000, ``recorder`` a recorded stream with a direct one, ``fuzzing`` a campaign with the
SDKs alone; ``scenarios`` times the main job and ``demo`` 1,000 clients at once (``load.py`` drives
them). ``streams.py`` makes the streams. Each benchmark compares within one run.
"""
