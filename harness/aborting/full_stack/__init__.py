"""A run through the full stack under virtual time, aborted at every step.

sweep.py aborts it everywhere and evaluates it, stack.py is what outlives a run, stack_run.py is one
run and what is observed of it, agent.py is the loop that takes its steps, client.py reads its
events and aborts.
"""
