"""What a batch holds, and what in it is neither true nor false."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from semantic_video.encoders.lite import WEIGHTS
from training.batches import NEIGHBOURS, Batches, unseen
from training.data import Picture
from training.model import CLASSES, TextTower
from training.options import Options, Plan
from training.texts import FrozenTexts

THINGS = ("dog", "boat", "child", "horse", "tractor", "violin", "bridge", "cake")
GROUP = NEIGHBOURS + 1
PLAN = Plan(steps=1, captioned=40, captions=2, labelled=6, classes=0, rate_heads=0.0)


def pictures() -> list[Picture]:
    captioned = [
        Picture(
            b"", (f"{thing} {thing} {thing} number {n}", f"{thing} {n}"), "", "flickr8k", "train"
        )
        for thing in THINGS
        for n in range(GROUP)
    ]
    labels = [Picture(b"", (), "yoga", "sports", "train") for _ in range(6)]
    return captioned + labels


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenTexts:
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()
    return FrozenTexts(TextTower().eval(), tokenizer, tmp_path_factory.mktemp("texts") / "t.npz")


def batches(frozen: FrozenTexts, **options: float) -> Batches:
    how = Options(**options)  # type: ignore[arg-type]
    chance = torch.full((len(pictures()), CLASSES), 1 / CLASSES)
    return Batches(pictures(), 3, frozen, chance, how)


def shared_things(rows: np.ndarray) -> float:
    """Share of pairs of captioned pictures that show the same thing."""
    things = rows[rows < len(THINGS) * GROUP] // GROUP
    same = things[:, None] == things[None]
    return float((same.sum() - len(things)) / (len(things) * (len(things) - 1)))


def test_mined_batches_hold_pictures_of_near_captions(frozen: FrozenTexts) -> None:
    plain, mined = batches(frozen), batches(frozen, mined=0.5)
    near = {0.0: [], 0.5: []}  # type: dict[float, list[float]]
    for _ in range(20):
        for share, maker in ((0.0, plain), (0.5, mined)):
            rows = maker.draw(PLAN).rows
            assert len(set(rows.tolist())) == PLAN.captioned + PLAN.labelled
            near[share].append(shared_things(rows))
    assert np.mean(near[0.5]) > np.mean(near[0.0]) + 0.03


def test_as_many_as_asked_for_where_all_are_mined(frozen: FrozenTexts) -> None:
    rows = batches(frozen, mined=0.9).draw(PLAN).rows
    assert len(set(rows.tolist())) == PLAN.captioned + PLAN.labelled


def test_equal_labels_are_no_negatives(frozen: FrozenTexts) -> None:
    batch = batches(frozen).draw(PLAN)
    labelled = batch.owner >= PLAN.captioned
    assert bool(batch.ignored[labelled][:, PLAN.captioned :].all())


def test_seeds_draw_other_batches_and_equal_seeds_the_same(frozen: FrozenTexts) -> None:
    first, again, other = (batches(frozen, seed=s).draw(PLAN) for s in (0, 0, 1))
    assert first.texts == again.texts
    assert first.texts != other.texts


def test_a_fifth_of_the_labels_is_held_out() -> None:
    labels = [f"scenes/place {n}" for n in range(100)]
    assert 10 <= sum(map(unseen, labels)) <= 30
    assert not unseen("")
    assert not unseen("imagenet_sample/tench")
