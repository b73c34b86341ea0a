"""How Python programs send HTTP requests: one module per client library, and the machinery that reads their calls.

A client library is a module of this package with a ``LIBRARY``; adding one means adding the module.
"""
