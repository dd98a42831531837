"""Campaigns: properties of generated streams, evaluated for any target, with failures shrunk.

``campaign.py`` is the work of one process; ``distributed.py`` cuts it into work units and runs them
here or in workers. ``properties`` holds what is evaluated. ``files.py`` writes each failure as a
scenario and a pytest case, ``regressions.py`` replays them, ``decorator.py`` makes a user's
streaming interface a test.
"""
