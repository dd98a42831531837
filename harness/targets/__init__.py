"""Somebody's streaming interface under test, named by a string.

base.py holds the contract, addressing.py turns a string into a target, clients.py keeps one SDK
client a run, opening.py asks the SDKs for a stream; builtin.py, sdk.py and sdk_helper.py are the
targets we bring. The only room that imports openai, anthropic and google-genai.
"""
