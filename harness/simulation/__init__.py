"""A deterministic asyncio event loop with virtual time.

- ``clock``: virtual time and its timers.
- ``schedule``: the order of callbacks, their count, and interventions at a given step.
- ``loop``: both behind asyncio's interface.

Theory of operation: asyncio code runs as a sequence of callbacks ("handles"); between two of them
nothing happens. The loop runs them one at a time in the order in which they became ready, and calls
each a *step*. Time does not pass while a step is ready; when none is, the clock jumps to the next
timer. There are no sockets and no threads, so a program makes the same steps in every run, an hour
of sleeping costs nothing, and "cancel at step k" names one exact point of the program. A sweep that
runs a program once for each k therefore covers every point at which a cancellation can arrive.
"""
