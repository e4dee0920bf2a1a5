"""Image-text encoders behind one protocol."""

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.encoders.registry import BUILT_IN, available_encoders, load_encoder, obtain

__all__ = ["BUILT_IN", "ImageTextEncoder", "available_encoders", "load_encoder", "obtain"]
