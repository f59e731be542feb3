"""A payment gateway for development and demos: its own process, its own state, real signatures, real notifications.

It shares no code with the portal but the way of signing, no state but the two public keys. Never in production.
"""
