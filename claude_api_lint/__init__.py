"""Finds and rewrites Python code that falls short of the Claude API's versioning."""
