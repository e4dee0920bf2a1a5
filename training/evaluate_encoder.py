"""Scores an encoder of the registry: ``python -m training.evaluate_encoder --model lite``.

``--model`` may also be a folder that ``training.export`` wrote.

``--data DIR`` adds text-to-image retrieval on Flickr8k and zero-shot accuracy on the labelled sets;
``--film FILE.json`` a plain search over a labelled film: frames at one a second, moments of three
frames' mean, ranked by cosine, without overlaps.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.run_record import in_a_line
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.encoders.lite import LiteEncoder
from training.data import decode, load_pictures
from training.scores import retrieval, zero_shot


def picture_scores(encoder: ImageTextEncoder, folder: Path) -> dict[str, Any]:
    """Flickr8k dev and test (all pictures, all captions) and the labelled sets' dev splits."""
    held = [p for p in load_pictures(folder) if p.split != "train"]
    images = []
    for i in range(0, len(held), 64):
        images.append(encoder.encode_images([np.asarray(decode(p.jpeg)) for p in held[i : i + 64]]))
    matrix = np.concatenate(images)

    def flickr(split: str) -> dict[str, float]:
        rows = [i for i, p in enumerate(held) if p.source == "flickr8k" and p.split == split]
        return retrieval([held[i] for i in rows], matrix[rows], encoder.encode_texts)

    dev = [i for i, p in enumerate(held) if p.split == "dev"]
    return {
        "flickr8k dev": flickr("dev"),
        "flickr8k test": flickr("test"),
        "zero-shot dev": zero_shot([held[i] for i in dev], matrix[dev], encoder.encode_texts),
    }


def film_frames(path: Path, size: tuple[int, int], rate: float = 1.0) -> tuple[list[Any], Any]:
    """Frames of a film at ``rate`` a second, scaled to cover (height, width), and their times."""
    import av

    frames: list[Any] = []
    times: list[float] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        for frame in container.decode(stream):
            if frame.time is None:
                continue
            first = frame.time if first is None else first
            if frame.time - first < len(times) / rate:
                continue
            ratio = max(size[0] / frame.height, size[1] / frame.width)
            width, height = round(frame.width * ratio), round(frame.height * ratio)
            frames.append(frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray())
            times.append(frame.time - first)
    return frames, np.array(times)


def hit(moment: tuple[float, float], spans: Sequence[Sequence[float]]) -> bool:
    """Whether the moment's middle lies in a span, or both overlap by half of the shorter; a moment
    of more than twice the span plus four seconds is none.
    """
    start, end = moment
    for low, high in spans:
        if end - start > 2 * (high - low) + 4:
            continue
        shared = max(0.0, min(end, high) - max(start, low))
        if low <= (start + end) / 2 < high or (
            shared and shared >= 0.5 * min(end - start, high - low)
        ):
            return True
    return False


def film_scores(encoder: ImageTextEncoder, manifest: Path) -> dict[str, float]:
    """Figures of the plain loop on a labelled film."""
    film = json.loads(manifest.read_text())
    frames, times = film_frames(manifest.parent / film["video"], encoder.input_size)
    vectors = np.concatenate(
        [encoder.encode_images(frames[i : i + 64]) for i in range(0, len(frames), 64)]
    )
    padded = np.pad(vectors, ((1, 1), (0, 0)), mode="edge")
    windows = padded[:-2] + padded[1:-1] + padded[2:]
    windows /= np.linalg.norm(windows, axis=1, keepdims=True)
    spans = [(max(0.0, t - 1.5), t + 1.5) for t in times]

    def search(scores: NDArray[np.float32], k: int = 10) -> list[int]:
        found: list[int] = []
        for i in np.argsort(-scores):
            if all(abs(times[i] - times[j]) >= 3.0 - 1e-6 for j in found):
                found.append(int(i))
            if len(found) == k:
                break
        return found

    result: dict[str, float] = {}
    by_kind = {
        kind: [q for q in film["queries"] if q["type"] == kind]
        for kind in ("moment", "concept", "absent")
    }
    best: dict[str, NDArray[np.float32]] = {}
    for kind, queries in by_kind.items():
        scores = encoder.encode_texts([q["text"] for q in queries]) @ windows.T
        best[kind] = scores.max(1)
        lists = [[spans[i] for i in search(s)] for s in scores]
        if kind == "moment":
            for k in (1, 5, 10):
                right = [
                    any(hit(m, q["spans"]) for m in ms[:k])
                    for q, ms in zip(queries, lists, strict=True)
                ]
                result[f"moment_R{k}"] = float(np.mean(right))
        elif kind == "concept":
            recalls = [
                sum(any(hit(m, [s]) for m in ms) for s in q["spans"]) / min(len(q["spans"]), 10)
                for q, ms in zip(queries, lists, strict=True)
            ]
            result["concept_recall@10"] = float(np.mean(recalls))
    result["absent_auroc"] = float((best["moment"][:, None] > best["absent"][None]).mean())
    return result


def speed(encoder: ImageTextEncoder) -> dict[str, float]:
    """Milliseconds a frame (in batches of 16) and a query (one at a time)."""
    frame = np.random.default_rng(0).integers(0, 256, (192, 341, 3), np.uint8)

    def clock(work: Any, units: int) -> float:
        work()
        times = []
        for _ in range(10):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) / units)
        return round(1e3 * float(np.median(times)), 2)

    text = ["a man with a hat rides a brown horse along the beach"]
    return {
        "ms a frame": clock(lambda: encoder.encode_images([frame] * 16), 16),
        "ms a query": clock(lambda: encoder.encode_texts(text), 1),
    }


def main() -> None:
    """Prints the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="cosine of lite to its trained weights")
    args = parser.parse_args()
    if (Path(args.model) / "lite.json").is_file():
        encoder: ImageTextEncoder = LiteEncoder(args.threads, Path(args.model))
    else:
        encoder = load_encoder(args.model, args.threads)
    report: dict[str, Any] = {"model": args.model, "fingerprint": encoder.fingerprint}
    if args.data:
        report |= picture_scores(encoder, args.data)
    if args.film:
        report["film"] = film_scores(encoder, args.film)
    if args.checkpoint:
        from training.export import exported_cosines

        report["cosine to trained"] = exported_cosines(encoder, args.checkpoint)
    report["speed"] = speed(encoder)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    sys.exit(in_a_line(main))
