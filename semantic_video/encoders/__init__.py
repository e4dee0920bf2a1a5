"""Image-text encoders behind one protocol."""

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.encoders.registry import available_encoders, load_encoder, obtain

__all__ = ["ImageTextEncoder", "available_encoders", "load_encoder", "obtain"]
