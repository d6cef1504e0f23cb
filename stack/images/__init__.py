"""Images: what the containers runtime runs: pulled, built from `deploy/images`, or local ones that stand for official ones."""

from stack.images.connection import EngineMissing, connect
from stack.images.errors import ImageError
from stack.images.image import Image, Origin
from stack.images.supply import ensure, look, references
from stack.images.table import DEMO_APP, DETECTOR, STANDINS

__all__ = [
    "DEMO_APP",
    "DETECTOR",
    "STANDINS",
    "EngineMissing",
    "Image",
    "ImageError",
    "Origin",
    "connect",
    "ensure",
    "look",
    "references",
]
