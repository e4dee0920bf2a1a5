"""Errors a user can act on: each message is one line that says what to do.

Anything else that escapes is a bug and keeps its traceback. This module imports nothing of ours.
"""

from __future__ import annotations


class SemanticVideoError(Exception):
    """Base of every error that the caller can do something about."""

    place: str = ""
    """Further lines that show where it is, in what was written; the message ends with them."""


class ConfigError(SemanticVideoError):
    """An unknown option, or a value it cannot take."""


class VideoError(SemanticVideoError):
    """A path that is missing, is not a video, or of which nothing can be decoded."""


class EncoderError(SemanticVideoError):
    """An encoder that is unknown, not installed, or does not fit the index."""


class LibraryError(SemanticVideoError):
    """A library that is missing, broken, newer than this program, or cannot be written."""


class OutdatedError(LibraryError):
    """What was to be changed was made anew meanwhile, by another process."""


class QueryError(SemanticVideoError):
    """A query that cannot be answered as it stands."""


class OutputError(SemanticVideoError):
    """Results that cannot be written to where the user wants them."""
