"""The SDK ``anthropic``: its clients and the Messages API."""
