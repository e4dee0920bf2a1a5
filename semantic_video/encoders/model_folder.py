"""A model in a local folder: its files, and how it wants pictures and texts prepared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from semantic_video.encoders.file_hashes import file_hashes
from semantic_video.encoders.image_preprocessing import ImagePreprocessing
from semantic_video.encoders.model_layout import ModelLayout, Variant, find_layout
from semantic_video.encoders.text_tokens import Cleaning, TextTokens, open_tokenizer
from semantic_video.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PULLED = "model.json"
"""What ``models pull`` notes beside the files: where they came from, and their terms."""

# Raised when the same files are turned into other vectors.
_PREPARATION_VERSION = 1

_CLIP_LENGTH, _SIGLIP_LENGTH = 77, 64
_FAMILIES = ("clip", "siglip", "siglip2")


class ModelFolder:
    """Reads what lies in the folder of a CLIP-family model; opens no weights.

    Args:
        path: the folder; a folder inside a model's (``onnx/s0``) takes what is shared from above.
        subfolder: where below ``path`` the weights lie; found where ``path`` is inside a model.
        variant: which weights, default the first there are.

    Raises:
        EncoderError: there is no model in it, or no such variant.
    """

    def __init__(self, path: Path, subfolder: str = "", variant: Variant | None = None) -> None:
        self.path = path
        root = path
        if not subfolder:
            root = next(
                (up for up in (path, *path.parents[:2]) if (up / "tokenizer.json").is_file()), path
            )
            subfolder = path.relative_to(root).as_posix() if root != path else ""
        self._root = root
        try:
            self.layout: ModelLayout = find_layout(
                lambda name: (root / name).is_file(), subfolder, variant
            )
        except EncoderError as error:
            raise EncoderError(f"{path}: {error}") from None

    @property
    def image_weights(self) -> Path:
        """The ONNX graph of the image tower, or the checkpoint."""
        return self._root / self.layout.image_weights

    @property
    def text_weights(self) -> Path:
        """The ONNX graph of the text tower, or the checkpoint."""
        return self._root / self.layout.text_weights

    @property
    def size(self) -> int:
        """Bytes of all the files."""
        return sum((self._root / name).stat().st_size for name in self.layout.files)

    @cached_property
    def licence(self) -> str:
        """One line on the terms of the weights, as the folder states them."""
        noted = self._read(self._root / PULLED).get("licence")
        if noted:
            return str(noted)
        for name in self.layout.notes:
            text = (self._root / name).read_text(encoding="utf-8", errors="replace")
            stated = re.search(r"^license(?:_name)?:\s*(\S+)", text[:4000], re.MULTILINE)
            if stated:
                return stated[1]
        return "not stated in the folder: ask whoever published the model"

    @cached_property
    def fingerprint(self) -> str:
        """Short hash of the weights and of how pictures and texts are prepared for them."""
        names = [*self.layout.weights]
        if self.layout.tokenizer is not None:
            names.append(self.layout.tokenizer)
        hashes = file_hashes([self._root / name for name in names])
        plan = [
            _PREPARATION_VERSION,
            self.layout.variant == "torch",
            hashes,
            asdict(self.image_preprocessing()),
            self.text_tokens().plan(),
        ]
        return hashlib.blake2b(json.dumps(plan).encode(), digest_size=8).hexdigest()

    def image_preprocessing(self) -> ImagePreprocessing:
        """How the image tower wants its pictures.

        Raises:
            EncoderError: the folder does not say, or wants what is not supported.
        """
        try:
            for name in ("preprocessor_config.json", "processor_config.json"):
                config = self._config(name)
                # transformers 5 keeps all processors of a model in one file.
                config = config.get("image_processor", config)
                if config:
                    return ImagePreprocessing.from_transformers(config)
            whole = self._config("open_clip_config.json")
            config = self._config("visual/preprocess_cfg.json") or whole.get("preprocess_cfg", {})
            if config:
                image_size = self._open_clip.get("vision_cfg", {}).get("image_size")
                return ImagePreprocessing.from_open_clip(config, image_size)
        except EncoderError as error:
            raise EncoderError(f"{self.path}: {error}") from None
        raise EncoderError(
            f"{self.path} does not say how to prepare pictures: put the model's "
            "preprocessor_config.json (or open_clip_config.json) beside its weights"
        )

    def text_tokens(self, length: int | None = None) -> TextTokens:
        """How the text tower wants its texts; ``length`` where the graph fixes it.

        Raises:
            EncoderError: there is no tokenizer, or the model is of another family.
        """
        family = self._config("config.json").get("model_type")
        if family is not None and family not in _FAMILIES:
            raise EncoderError(
                f"{self.path} holds a {family!r} model: use one of the CLIP, OpenCLIP, SigLIP or "
                "MobileCLIP families"
            )
        text_config = self._open_clip.get("text_cfg") or self._config("config.json").get(
            "text_config", {}
        )
        stated = text_config.get("context_length") or text_config.get("max_position_embeddings")
        if self.is_clip:
            # Towers pool at the end of text, which is the highest id. Some exports take its last
            # place: filling up with it, as some tokenizers do, would have them read the wrong one.
            pad_id = int(text_config.get("pad_id") or 0)
            clean: Cleaning = "none"
        else:
            pad_id = self._pad_id()
            # SigLIP 1 and 2 were trained on lower case; not every tokenizer.json does it.
            asked = (text_config.get("tokenizer_kwargs") or {}).get("clean")
            clean = asked if asked in ("whitespace", "canonicalize") else "lower"
        return TextTokens(
            tokenizer=self.tokenizer,
            length=int(length or stated or (_CLIP_LENGTH if self.is_clip else _SIGLIP_LENGTH)),
            pad_id=pad_id,
            masks_padding=self.is_clip,
            clean=clean,
        )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's own.

        Raises:
            EncoderError: there is none, or it cannot be read.
        """
        if self.layout.tokenizer is None:
            raise EncoderError(
                f"{self.path} has no tokenizer.json: put the model's beside its weights"
            )
        return open_tokenizer(self._root / self.layout.tokenizer)

    @property
    def is_clip(self) -> bool:
        """Whether the text tower is of CLIP's kind (also MobileCLIP's), rather than SigLIP's."""
        return self.tokenizer.token_to_id("<|endoftext|>") is not None

    def _pad_id(self) -> int:
        tokenizer = self.tokenizer
        token = (
            self._config("tokenizer_config.json") or self._config("textual/tokenizer_config.json")
        ).get("pad_token")
        if isinstance(token, Mapping):
            token = token.get("content")
        stated = tokenizer.token_to_id(token) if token else None
        if stated is not None:
            return int(stated)
        if tokenizer.padding:
            return int(tokenizer.padding["pad_id"])
        for name in ("<pad>", "</s>"):
            found = tokenizer.token_to_id(name)
            if found is not None:
                return int(found)
        raise EncoderError(
            f"{self.path} does not say what it pads texts with: put its tokenizer_config.json "
            "beside its tokenizer.json"
        )

    @property
    def is_open_clip(self) -> bool:
        """Whether the weights are a checkpoint of open_clip."""
        return self.image_weights.name.startswith("open_clip_")

    @cached_property
    def _open_clip(self) -> dict[str, Any]:
        """The model's configuration where it is in open_clip's words, else nothing."""
        config = self._config("open_clip_config.json").get("model_cfg")
        if config is None and "text_cfg" in self._config("config.json"):
            config = self._config("config.json")
        return cast(dict[str, Any], config or {})

    def _config(self, name: str) -> dict[str, Any]:
        where = self.layout.configs.get(name)
        return self._read(self._root / where) if where else {}

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path} cannot be read: fetch it again ({error})") from error
        if not isinstance(values, dict):
            raise EncoderError(f"{path} cannot be read: fetch it again (it holds no JSON object)")
        return cast(dict[str, Any], values)
