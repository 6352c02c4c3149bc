"""The base of all errors that are shown to a user, see `DermalensError`."""

from models.errors import DermalensError

__all__ = ["DermalensError"]
