"""Campaigns: laws over generated streams, told to any target; what breaks is made small and kept.

``campaign.py`` is one process' work; ``shares.py`` cuts it, ``whole.py`` has it done by many;
``files.py`` writes what was found as scenarios and test cases.
"""
