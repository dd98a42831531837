"""Campaigns: laws over generated streams, told to any target; what breaks is made small and kept.

``campaign.py`` is one process' work; ``shares.py`` and ``crew.py`` spread it over many;
``files.py`` writes what was found as scenarios and test cases.
"""
