"""What the built-in model's scores are judged against, and the curve from score to probability.

    python -m training.calibration --data DIR --cache FILE.npz [--write]

Encodes pictures that the model was not trained on, composes films of half of them at the level of
vectors, asks for what is in them and for what is not, and prints the numbers that
``semantic_video.scene_retrieval.calibration`` holds, with how well they do on other composed films.
``--write`` stores all the pictures' vectors (not the pictures) with those of the foreign texts, for
the encoder to be shipped with. The labelled films of the log play no part in any of this.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.scene_retrieval import References
from semantic_video.scene_retrieval import calibration as product
from semantic_video.scene_retrieval.foreign_texts import foreign_texts
from training.data import decode, load_pictures
from training.prompts import SCORED

FloatArray = NDArray[np.float32]

FILMS = 120
ASKED = 40
"""Queries of a film that are there, and as many that are not, at most."""
MOST_OF_A_SOURCE = 1000


class Pool(NamedTuple):
    """Pictures that were not trained on: vectors [N, D], what each shows, and that as text."""

    pictures: FloatArray
    kind: NDArray[np.str_]  # [N] equal for pictures of which the same is true
    text_of: dict[str, FloatArray]

    def part(self, rows: NDArray[np.int64]) -> Pool:
        return Pool(self.pictures[rows], self.kind[rows], self.text_of)


class Asked(NamedTuple):
    """One query of one film: its evidence by scene and the film's null, less its centre."""

    evidence: FloatArray  # [S] standard scores, best first
    right: NDArray[np.bool_]  # [S]
    null: NDArray[np.float64]  # [T] standard scores of foreign texts, ascending
    is_there: bool


def main() -> None:
    """Fit, check, and with --write store."""
    parser = argparse.ArgumentParser(description="Calibrate the built-in model.")
    parser.add_argument("--data", type=Path, help="the folder of parquet files")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    encoder = load_encoder("lite")
    pool = read_pool(arguments.cache, arguments.data, encoder)
    texts = encoder.encode_texts(foreign_texts())
    if arguments.write:
        shipped = Path(product.__file__).with_name("references")
        References(texts, pool.pictures).save(shipped / f"{encoder.fingerprint}.npz")
    order = np.random.default_rng(0).permutation(len(pool.pictures))
    bank, shown = np.array_split(order, 2)
    references = References(texts, pool.pictures[bank])
    films = [compose(pool.part(shown), references, seed) for seed in range(FILMS)]
    learned = [asked for film in films[::2] for asked in film]
    checked = [asked for film in films[1::2] for asked in film]
    slope, intercept = fit(learned)
    print(
        f"{len(pool.pictures)} pictures, {len(learned)} queries to learn, {len(checked)} to check"
    )
    print(f"SLOPE {slope:.2f} INTERCEPT {intercept:.2f}")
    for caution in (1.0, product.CAUTION):
        for rate in (0.05, 0.1, 0.2, 0.3):
            accepted = [passes(asked, rate, caution) for asked in checked]
            false = np.mean([a for a, q in zip(accepted, checked, strict=True) if not q.is_there])
            true = np.mean([a for a, q in zip(accepted, checked, strict=True) if q.is_there])
            print(f"caution {caution:.2f} asked {rate:.2f}: false {false:.3f} true {true:.3f}")
    print(f"AUROC of the best score, there or not: {auroc(checked):.3f}")
    scores = np.concatenate([asked.evidence[:20] for asked in checked])
    right = np.concatenate([asked.right[:20] for asked in checked])
    probability = 1 / (1 + np.exp(-(product.SLOPE * scores + product.INTERCEPT)))
    for low in np.arange(0, 1, 0.1):
        inside = (probability >= low) & (probability < low + 0.1)
        if inside.any():
            print(
                f"probability {probability[inside].mean():.2f} right {right[inside].mean():.2f} "
                f"of {inside.sum()}"
            )


def read_pool(cache: Path, data: Path | None, encoder: ImageTextEncoder) -> Pool:
    """The pictures' and their texts' vectors, from the cache or encoded and cached."""
    if not cache.exists():
        if data is None:
            raise SystemExit("--data says where the pictures are")
        rng = np.random.default_rng(0)
        held_out = [p for p in load_pictures(data) if p.split != "train"]
        chosen = []
        for source in sorted({p.source for p in held_out}):
            own = [p for p in held_out if p.source == source]
            chosen += [own[i] for i in rng.permutation(len(own))[:MOST_OF_A_SOURCE]]
        kinds = [SCORED[p.source].format(p.label) if p.label else p.captions[0] for p in chosen]
        batches = [chosen[i : i + 64] for i in range(0, len(chosen), 64)]
        pictures = [encoder.encode_images([np.asarray(decode(p.jpeg)) for p in b]) for b in batches]
        names = sorted(set(kinds))
        np.savez(
            cache,
            pictures=np.concatenate(pictures),
            kinds=np.array(kinds),
            names=np.array(names),
            texts=encoder.encode_texts(names),
        )
    with np.load(cache, allow_pickle=False) as stored:
        text_of = dict(zip(stored["names"].tolist(), stored["texts"], strict=True))
        return Pool(stored["pictures"], stored["kinds"], text_of)


def compose(pool: Pool, references: References, seed: int) -> list[Asked]:
    """The queries of a film of some pictures of the pool: for what is in it and what is not."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.unique(pool.kind))
    shown = kinds[: int(rng.choice([15, 40, 80, 150, 250]))]
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(pool.kind == kind))[: rng.integers(1, 8)] for kind in shown]
    )
    noise = rng.normal(size=(len(rows), pool.pictures.shape[1])) * 0.15
    scenes = unit(pool.pictures[rows] + noise / np.sqrt(noise.shape[1]))
    null = np.sort((references.texts @ scenes.T).max(axis=1) - references.level(references.texts))
    centre, spread = null.mean(), null.std()
    answers = []
    for is_there, names in ((True, shown), (False, kinds[len(shown) :])):
        for name in names[:ASKED]:
            query = pool.text_of[str(name)]
            evidence = scenes @ query - references.level(query[None])[0]
            order = np.argsort(-evidence)
            answers.append(
                Asked(
                    (evidence[order] - centre) / spread,
                    (pool.kind[rows] == name)[order],
                    (null - centre) / spread,
                    is_there,
                )
            )
    return answers


def fit(asked: list[Asked]) -> tuple[float, float]:
    """Slope and intercept of the logistic curve over every scene of every query."""
    from sklearn.linear_model import LogisticRegression

    scores = np.concatenate([query.evidence for query in asked])
    right = np.concatenate([query.right for query in asked])
    curve = LogisticRegression(C=100.0).fit(scores[:, None], right)
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def passes(asked: Asked, rate: float, caution: float) -> bool:
    """Whether the best scene passes at a rate of false alarms, as the product decides it."""
    middle = float(np.median(asked.null))
    quantile = product.NullDistribution(asked.null).threshold(rate)
    threshold = middle + caution / product.CAUTION * (quantile - middle)
    return bool(asked.evidence[0] >= threshold)


def auroc(asked: list[Asked]) -> float:
    """Probability that what is there scores above what is not."""
    there, not_there = (
        np.array([query.evidence[0] for query in asked if query.is_there is side])
        for side in (True, False)
    )
    return float(np.mean(there[:, None] > not_there[None]))


def unit(rows: NDArray[np.float64]) -> FloatArray:
    """Rows of unit length."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
