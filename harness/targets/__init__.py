"""Somebody's streaming interface under test, named by a string.

base.py holds the contract, addressing.py turns a string into a target, clients.py keeps one SDK
client a run, opening.py asks the SDKs for a stream or a whole answer; builtin.py, sdk.py,
sdk_helper.py, sdk_whole.py and letta.py are the targets we bring. All but the first read through
reading.py, with loops/ and helpers/, and take what is final from final_objects/. vocabulary.py says
what the installed SDKs know, introspection.py how that is found.

Out of this process: places.py takes addresses apart, environments.py makes environments, stdio.py
speaks to a process; worker.py is that process where it is ours, answering.py what it answers,
observing.py an SDK's events. The only room that imports openai, anthropic and google-genai.
"""
