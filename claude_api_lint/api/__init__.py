"""What the Claude API is, as data: its versions, endpoints and open output values, and the catalog that loads them."""

from __future__ import annotations

from .catalog import Catalog, load_catalog
from .endpoints import Requirement
from .outputs import OpenValue
from .tables import CatalogError
from .versions import Change, ChangeKind, Messages, Version

__all__ = [
    "Catalog",
    "CatalogError",
    "Change",
    "ChangeKind",
    "Messages",
    "OpenValue",
    "Requirement",
    "Version",
    "load_catalog",
]
