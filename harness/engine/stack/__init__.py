"""A run through the whole stack, on a clock of our own, left at every step.

sweep.py leaves it everywhere and judges it, stack.py is what outlives a run, telling.py is one run
and what is seen of it, agent.py is the loop that takes its steps, client.py who reads its frames
and leaves them, alarms.py what is logged meanwhile.
"""
