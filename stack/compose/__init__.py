"""Compose: the standing stack as a Compose file with its configuration, generated from the component table."""

from stack.compose.document import document
from stack.compose.files import files, text, write

__all__ = ["document", "files", "text", "write"]
