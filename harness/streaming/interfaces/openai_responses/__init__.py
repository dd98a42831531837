"""The streaming interface of OpenAI Responses."""
