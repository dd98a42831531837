"""The reference streaming system: usable on its own, without the harness around it.

From below: interfaces/ turn a provider SDK's typed stream into chunks and an outcome, one a
protocol, with assembly.py (the parts they build), counting.py (usage) and failures.py (what went
wrong). cancellation.py and closing.py end them from outside; adapter.py chooses one by provider,
maps errors once and hands a trace to traces/; continuation.py and hygiene.py are the pure rules
between two steps; inner_thoughts.py is a stage over chunks. service/ wraps an agent loop into
frames/, with keepalive.py and runs/ (SQLite or PostgreSQL, and the conversation lock). background/
keeps frames in Redis for readers that come late; reencode/ writes them as OpenAI chunks.
"""
