from tests.streaming.databases.servers import dsn, postgres

__all__ = ["dsn", "postgres"]
