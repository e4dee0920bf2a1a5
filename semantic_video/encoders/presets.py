"""Known good models by short name, pinned to a revision of the place they are fetched from.

A revision was taken over where several independent public projects pin the same one for the same
files; where none was found it is None: ``models pull`` then resolves it, notes it in the model's
``model.json``, and fetches that one from then on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A model under a short name.

    ``size`` is in bytes as published, for what is fetched by default; ``licence`` is that of the
    weights, which need not be that of the code they came with.
    """

    name: str
    repository: str
    subfolder: str
    revision: str | None
    dimension: int
    size: int
    licence: str
    about: str


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="clip-vit-b-32",
            repository="Xenova/clip-vit-base-patch32",
            subfolder="",
            revision="d15189d7028b43f1d3e65039190477f6af591c2a",
            dimension=512,
            size=608_000_000,
            licence="MIT (OpenAI)",
            about="the original CLIP, small; knows most things, English",
        ),
        Preset(
            name="clip-vit-l-14",
            repository="Xenova/clip-vit-large-patch14",
            subfolder="",
            revision=None,
            dimension=768,
            size=1_714_000_000,
            licence="MIT (OpenAI)",
            about="the original CLIP, large; better and slower, wants a GPU",
        ),
        Preset(
            name="siglip2-base-224",
            repository="onnx-community/siglip2-base-patch16-224-ONNX",
            subfolder="",
            revision="ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
            dimension=768,
            size=1_536_000_000,
            licence="Apache-2.0 (Google)",
            about="SigLIP 2; many languages",
        ),
        Preset(
            name="mobileclip2-s0",
            repository="plhery/mobileclip2-onnx",
            subfolder="onnx/s0",
            revision="ba95759a5bdbaca53e9111e2550a76ec09c8fd9e",
            dimension=512,
            size=301_000_000,
            licence="Apple ML Research Model Terms (apple-amlr): research only",
            about="MobileCLIP2, the fastest on a CPU",
        ),
        Preset(
            name="mobileclip2-s2",
            repository="plhery/mobileclip2-onnx",
            subfolder="onnx/s2",
            revision="ba95759a5bdbaca53e9111e2550a76ec09c8fd9e",
            dimension=512,
            size=400_000_000,
            licence="Apple ML Research Model Terms (apple-amlr): research only",
            about="MobileCLIP2, better and still quick on a CPU",
        ),
    )
}
