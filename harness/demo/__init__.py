"""The demonstration: the whole streaming system behind HTTP, over the loopback provider.

stack.py opens and closes everything, models.py lists the available models, agent.py is the agent
loop; api.py has the endpoints, responses.py the HTTP status of every error, streaming_response.py
sends a stream, page.py is the front page; server.py serves until Ctrl-C.

Rule of this package: it only combines other packages and implements nothing that a product would
need; it is the only importer of starlette and uvicorn.
"""
