"""What the Claude API is, as data: its versions, endpoints and open output values, and the catalog that loads them."""

from __future__ import annotations

from .catalog import Catalog, load_catalog
from .endpoints import Requirement, SdkCall
from .outputs import OpenValue
from .platforms import Platform, PlatformUrl, VersionPlace
from .sdk import Release, RemovedMethod, Sdk, SdkRelease
from .streams import Stream
from .tables import CatalogError
from .versions import Change, ChangeKind, Messages, Version

__all__ = [
    "Catalog",
    "CatalogError",
    "Change",
    "ChangeKind",
    "Messages",
    "OpenValue",
    "Platform",
    "PlatformUrl",
    "Release",
    "RemovedMethod",
    "Requirement",
    "Sdk",
    "SdkCall",
    "SdkRelease",
    "Stream",
    "Version",
    "VersionPlace",
    "load_catalog",
]
