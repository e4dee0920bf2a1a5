"""``semantic-video models``: which image-text models there are, fetching one, trying one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import size, table
from semantic_video.config import load_config
from semantic_video.errors import EncoderError, QueryError

models = typer.Typer(
    help="List image-text models, fetch one, or try one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DeviceOption = Annotated[
    str, typer.Option("--device", metavar="D", help="Where it runs: auto, cpu, cuda, ...")
]
_EVERYWHERE = ("auto", "cpu")
"""Devices that the built-in model takes; `encoder.device` in a configuration does not move it."""

LocalModel = Annotated[
    str, typer.Argument(metavar="PATH", help="A model's folder, or a name from `models list`.")
]

# Below this a small precision ranks moments differently.
_TRUSTED_COSINE = 0.98
_FEWEST_PICTURES = 100


@models.command("list")
def list_models(
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Measure the speed of those here.")
    ] = True,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List the models that have a name: size, dimension, licence, and speed on this machine."""
    from semantic_video.encoders import available_encoders
    from semantic_video.encoders.trial import survey

    threads = load_config(config).encoder.threads
    found = [survey(name, threads, device, measure) for name in available_encoders()]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            facts["id"],
            "yes" if facts["here"] else "no",
            size(facts["size"]),
            facts["dimension"],
            _in_milliseconds(facts["image_ms"]),
            _in_milliseconds(facts["text_ms"]),
            facts["licence"],
        )
        for facts in found
    ]
    header = ("model", "here", "size", "dim", "frame", "query", "licence of the weights")
    print_result(table(header, rows, right="size dim frame query"))
    if not quiet and not all(facts["here"] for facts in found):
        print("fetch one with `semantic-video models pull MODEL`", file=sys.stderr)


@models.command()
def pull(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name or a hub id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licence without asking.")] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Fetch a model, after showing how large it is and the licence of its weights."""
    from semantic_video.encoders.hub import fetch, hub_model, look_up
    from semantic_video.encoders.registry import BUILT_IN, split_name, unknown_model

    name, variant = split_name(model)
    if name == BUILT_IN:
        raise EncoderError(f"{BUILT_IN} is built in: there is nothing to fetch")
    wanted = hub_model(name)
    if wanted is None:
        raise unknown_model(name)
    listing = look_up(wanted, variant)
    # The licence is shown to those who are asked to accept it, and to those who did unasked.
    print(
        f"{wanted.repository} at {listing.revision[:12]}: {len(listing.files)} files, "
        f"{size(listing.size)}\nlicence of the weights: {listing.licence}",
        file=sys.stderr,
    )
    if not yes:
        if not sys.stdin.isatty():
            raise EncoderError("nobody is here to ask: say --yes to fetch it on those terms")
        typer.confirm("Fetch it?", abort=True, err=True)
    folder = fetch(listing, progress=not quiet and sys.stderr.isatty())
    if as_json:
        values = {
            "id": model,
            "path": str(folder),
            "revision": listing.revision,
            "licence": listing.licence,
            "size": listing.size,
        }
        print_json(values)
    else:
        print_result(
            f"{model} is in {folder}; use it with `semantic-video index PATH --model {model}`"
        )


@models.command()
def check(
    model: LocalModel,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Try a model: whether it loads, what it is, how fast it is here.

    Half and 8-bit precision are held against the float32 weights where those are there too: int8
    of convolutions is known to destroy vectors.
    """
    from semantic_video.encoders import BUILT_IN, load_encoder
    from semantic_video.encoders.trial import cosine_to_full_precision, describe, measure_speed

    if model == BUILT_IN and device not in _EVERYWHERE:
        raise EncoderError(f"{BUILT_IN} always runs on the CPU: leave --device away")
    threads = load_config(config).encoder.threads
    encoder = load_encoder(model, threads, device)
    cosine = cosine_to_full_precision(encoder, model, threads, device)
    facts = describe(encoder) | measure_speed(encoder) | {"cosine_to_fp32": cosine}
    if as_json:
        print_json(facts)
        return
    lines = [
        ("model", facts["id"]),
        ("size", size(facts["size"])),
        ("dimension", facts["dimension"]),
        ("picture", "{1}x{0}".format(*facts["input_size"])),
        ("licence", facts["licence"]),
        ("version", facts["fingerprint"]),
        ("a frame", _in_milliseconds(facts["image_ms"])),
        ("a query", _in_milliseconds(facts["text_ms"])),
    ]
    if cosine is not None:
        verdict = "" if cosine >= _TRUSTED_COSINE else ": too far off, use float32"
        lines.append(("to float32", f"cosine {cosine:.4f}{verdict}"))
    print_result("\n".join(f"{name:12} {value}" for name, value in lines))


@models.command()
def references(
    model: LocalModel,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Some thousand pictures of anything.")
    ],
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Let a model tell better what is not there, by pictures that show anything.

    A query that many unrelated pictures answer as well proves little. The built-in model ships
    vectors of such pictures; for another one they are made of a folder of yours. Only vectors are
    kept.
    """
    import numpy as np

    from semantic_video.encoders import BUILT_IN, load_encoder
    from semantic_video.scene_retrieval import References, references_path
    from semantic_video.scene_retrieval.foreign_texts import foreign_texts

    if model == BUILT_IN:
        raise EncoderError(f"{BUILT_IN} ships its own")
    if not folder.is_dir():
        raise EncoderError(f"{folder} is not a folder")
    encoder = load_encoder(model, load_config(config).encoder.threads, device)
    vectors = [encoder.encode_images([picture]) for picture in _pictures(folder)]
    if len(vectors) < _FEWEST_PICTURES:
        raise EncoderError(
            f"{folder} holds {len(vectors)} pictures that can be read: some thousand are right, "
            f"at least {_FEWEST_PICTURES} are needed"
        )
    path = references_path(encoder)
    References(encoder.encode_texts(foreign_texts()), np.concatenate(vectors)).save(path)
    if as_json:
        print_json({"id": model, "pictures": len(vectors), "path": str(path)})
    else:
        print_result(f"{model} is judged against {len(vectors)} pictures from now on ({path})")


def _pictures(folder: Path) -> Iterator[Any]:
    """The pictures below a folder, in order of their names; what cannot be read is passed over."""
    from semantic_video.utils.images import SUFFIXES, read_image

    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            try:
                yield read_image(path)
            except QueryError:
                continue


def _in_milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"
