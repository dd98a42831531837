"""The demonstration: the whole streaming system behind HTTP, over a provider that is no model.

stack.py opens everything and closes it, models.py is what can be asked for, agent.py the loop that
asks; api.py is the endpoints, answers.py the status of every refusal, streaming_response.py how
frames are sent, page.py what a person reads first; server.py listens until Ctrl-C.

Rule of this room: it puts together what the other rooms do, and does nothing of its own that a
product would need; it is the only importer of starlette and uvicorn.
"""
