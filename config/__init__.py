"""The project: settings, the map of URLs, and the storage layer."""

__version__ = "0.1.0"
