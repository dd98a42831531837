"""The main job: run scenarios on targets and evaluate what they deliver.

selection.py selects the scenarios; replayer.py replays a script to a target, which runs in an
executor.py; scenario_runner.py evaluates one scenario on one target (results.py); run.py runs all
of them, here or in workers.py (work_units.py), and emits events.py; baseline.py knows the failures
that are accepted for now; reproducing.py writes the command that reproduces a finding.
"""
