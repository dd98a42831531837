"""The main job: scenarios are told to targets and judged.

plan.py chooses, lane.py listens in a thread that may hang without harm, run.py tells, judges and
emits what happens (happenings.py), baseline.py knows the failures that are accepted for now.
"""
