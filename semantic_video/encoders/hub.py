"""Models from a hub (Hugging Face or a mirror, ``HF_ENDPOINT``): looked up, fetched, kept.

The only module that uses the network, and only when a user asks for a model by name. A fetched
model is a plain folder; what was fetched is noted in its ``model.json``.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semantic_video.encoders.model_folder import PULLED
from semantic_video.encoders.model_layout import Variant, find_layout
from semantic_video.encoders.presets import PRESETS
from semantic_video.errors import EncoderError

_TIMEOUT_S = 8.0
_WAYS_OUT = "give the folder of a local copy, or use the built-in model (lite)"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model on a hub: ``organisation/name``, and the folder inside where there is one."""

    repository: str
    subfolder: str
    revision: str | None
    """A commit, or None for the newest (or the one noted when it was fetched before)."""
    licence: str | None

    @property
    def folder(self) -> Path:
        """Where it lies on this machine once it was fetched."""
        return models_path() / self.repository.replace("/", "--")

    def is_here(self, variant: Variant | None = None) -> bool:
        """Whether it was fetched, in this variant."""
        if not (self.folder / PULLED).is_file():
            return False
        try:
            find_layout(lambda name: (self.folder / name).is_file(), self.subfolder, variant)
        except EncoderError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Listing:
    """What a hub says of a model before anything is fetched; sizes in bytes."""

    model: HubModel
    revision: str
    licence: str
    files: dict[str, int]

    @property
    def size(self) -> int:
        return sum(self.files.values())


def models_path() -> Path:
    """Where fetched models lie."""
    import platformdirs

    return platformdirs.user_data_path("semantic-video-models", appauthor=False)


def hub_model(name: str) -> HubModel | None:
    """The model that a preset's name or a hub id means; None where it can be neither."""
    if name in PRESETS:
        preset = PRESETS[name]
        return HubModel(preset.repository, preset.subfolder, preset.revision, preset.licence)
    if not _HUB_ID.fullmatch(name) or name.startswith("."):
        return None
    organisation, repository, *inside = name.split("/")
    return HubModel(f"{organisation}/{repository}", "/".join(inside), None, None)


def look_up(model: HubModel, variant: Variant | None = None) -> Listing:
    """Ask the hub which files make up the model, how large they are, and on which terms.

    Raises:
        EncoderError: the hub cannot be reached, or has no such model.
    """
    revision = model.revision or _noted(model.folder).get("revision")
    info = _ask(model, revision)
    sizes = {entry.rfilename: int(entry.size or 0) for entry in info.siblings or ()}
    try:
        layout = find_layout(sizes.__contains__, model.subfolder, variant)
    except EncoderError as error:
        raise EncoderError(f"{model.repository}: {error}") from None
    card: Any = info.card_data
    stated = (card.get("license_name") or card.get("license")) if card else None
    return Listing(
        model=model,
        revision=str(info.sha),
        licence=model.licence or str(stated or "not stated by the hub"),
        files={name: sizes[name] for name in layout.files},
    )


def fetch(listing: Listing, progress: bool = False) -> Path:
    """Fetch what is listed and is not here yet; the model's folder comes back.

    ``progress`` draws the client's bars on standard error.

    Raises:
        EncoderError: the hub went away or refuses; what was fetched is kept and used next time.
    """
    _quieten()
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    (enable_progress_bars if progress else disable_progress_bars)()
    model = listing.model
    try:
        snapshot_download(
            model.repository,
            revision=listing.revision,
            local_dir=model.folder,
            allow_patterns=[*listing.files],
            etag_timeout=_TIMEOUT_S,
        )
    except Exception as error:  # its transport's errors have no base that it promises
        if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError):
            raise EncoderError(f"{model.folder} cannot be written: {error.strerror}") from error
        raise _failed(model, error) from error
    note = {
        "repository": model.repository,
        "revision": listing.revision,
        "licence": listing.licence,
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps(note, indent=2, ensure_ascii=False) + "\n"
    (model.folder / PULLED).write_text(text, encoding="utf-8")
    return model.folder


def _ask(model: HubModel, revision: str | None) -> Any:
    _quieten()
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return HfApi().model_info(
            model.repository, revision=revision, timeout=_TIMEOUT_S, files_metadata=True
        )
    except GatedRepoError as error:
        raise EncoderError(
            f"{model.repository} wants its terms accepted on its page first, then a token in "
            f"HF_TOKEN; or {_WAYS_OUT}"
        ) from error
    except RevisionNotFoundError as error:
        raise EncoderError(
            f"{model.repository} has no revision {revision} any more; {_WAYS_OUT}"
        ) from error
    except RepositoryNotFoundError as error:
        raise EncoderError(
            f"the hub has no model {model.repository!r}; look for its name there, or {_WAYS_OUT}"
        ) from error
    except Exception as error:  # its transport's errors have no base that it promises
        raise _failed(model, error) from error


def _failed(model: HubModel, error: Exception) -> EncoderError:
    """That the hub refused, or that nobody answered there."""
    from huggingface_hub.errors import HfHubHTTPError

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    # Of files that could not be asked for the client says so in an error of its own.
    asked = next((e for e in (error, error.__cause__) if isinstance(e, HfHubHTTPError)), None)
    if asked is not None:
        return EncoderError(
            f"{endpoint} answered {asked.response.status_code} for {model.repository}: {_WAYS_OUT}"
        )
    reason = " ".join(str(error).split())
    return EncoderError(
        f"{endpoint} cannot be reached for {model.repository} ({reason:.120}): {_WAYS_OUT}"
    )


def _quieten() -> None:
    """Switch the client's telemetry off; it reads this when it is first imported."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _noted(folder: Path) -> dict[str, Any]:
    try:
        values = json.loads((folder / PULLED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
