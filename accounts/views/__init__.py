from accounts.views import operations, people, session

__all__ = ["operations", "people", "session"]
