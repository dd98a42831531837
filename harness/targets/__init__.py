"""Somebody's streaming interface under test, named by a string.

base.py holds the contract, addressing.py turns a string into a target, clients.py keeps one SDK
client a run, opening.py asks the SDKs for a stream; builtin.py, sdk.py and sdk_helper.py are the
targets we bring. The latter two read with loops/ and helpers/ through reading.py, and take what is
final from final_objects/. vocabulary.py says what the installed SDKs know, introspection.py how
that is found. The only room that imports openai, anthropic and google-genai.
"""
