"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# A run that fails must fail again. `pytest --hypothesis-profile=explore` looks for new examples.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")
