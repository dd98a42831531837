"""The reference streaming system: usable on its own, without the harness around it.

interfaces/ turn a provider SDK's typed stream into chunks and an outcome, one a protocol;
assembly.py keeps the parts they build, failures.py names what went wrong, envelope.py numbers
messages for clients that need it.
"""
