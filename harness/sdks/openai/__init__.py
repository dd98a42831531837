"""The SDK ``openai``: its clients, the Responses API and Chat Completions."""
