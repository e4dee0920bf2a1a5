"""A share of the cores, and how long what is left takes."""

from __future__ import annotations

import pytest

from semantic_video.perception.workload import Portion, Workload
from semantic_video.utils import pace
from semantic_video.utils.pace import Pace, TimeLeft


class Clocks:
    """A wall clock and a processor clock that tests move."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def monotonic(self) -> float:
        return self.wall_s

    def process_time(self) -> float:
        return self.cpu_s

    def sleep(self, seconds: float) -> None:
        self.wall_s += seconds

    def work(self, cpu_s: float, cores: float = 1.0) -> None:
        self.cpu_s += cpu_s
        self.wall_s += cpu_s / cores


@pytest.mark.parametrize(("share", "cores"), [(0.5, 1), (0.25, 2), (1.0, 4)])
def test_the_share_is_kept_over_time(
    monkeypatch: pytest.MonkeyPatch, share: float, cores: int
) -> None:
    clocks = Clocks()
    monkeypatch.setattr(pace, "time", clocks)
    keeper = Pace(share, cores)
    for _ in range(200):
        clocks.work(0.1, cores)
        keeper.wait()
    assert clocks.cpu_s / (clocks.wall_s * cores) == pytest.approx(share, rel=0.02)


def estimates(shares: list[float], clocks: Clocks, cpu_s: list[float]) -> list[float | None]:
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    found = []
    for share, step_s in zip(shares, cpu_s, strict=True):
        clocks.work(step_s)
        found.append(left.update(share))
    return found


def test_an_even_pace_is_told_exactly() -> None:
    shares = [step / 100 for step in range(101)]
    found = estimates(shares, Clocks(), [0.5] * 101)
    for share, left_s in zip(shares[10:], found[10:], strict=True):
        assert left_s == pytest.approx(50 * (1 - share), abs=1e-6)


def test_another_piece_of_work_is_estimated_by_itself() -> None:
    shares = [step / 10 for step in range(11)] * 2
    found = estimates(shares, Clocks(), [5.0] * 11 + [1.0] * 11)
    assert found[11] is None
    assert found[12:] == [pytest.approx(10 - step, abs=1e-6) for step in range(1, 11)]


def test_a_pause_does_not_count() -> None:
    clocks = Clocks()
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    for step in range(51):
        clocks.work(1.0)
        if step == 30:
            clocks.sleep(3600)  # Ctrl-Z, and an hour later fg
        told = left.update(step / 100)
    assert told == pytest.approx(50, rel=0.05)


def test_what_goes_by_before_the_share_moves_does_not_count() -> None:
    shares = [0.0] * 10 + [step / 100 for step in range(101)]
    found = estimates(shares, Clocks(), [9.0] * 10 + [0.5] * 101)
    assert found[:11] == [None] * 11
    assert found[20:] == [pytest.approx(50 - step / 2, abs=1e-6) for step in range(10, 101)]


# Milliseconds of a machine half as fast as the one the workload was measured on.
SLOW_MPX, SLOW_FRAME, SLOW_KILOBYTE, SLOW_TAKEN, SLOW_ENCODED = 1.8, 0.7, 0.24, 8.0, 28.0
SLOW_PASSED, PACKETS = 0.01, 18_000
FILM_S, GROUPING_S = 600.0, 0.1


def workload(megapixels: float, keys: Portion, film: Portion) -> Workload:
    return Workload(FILM_S, megapixels, PACKETS, keys, film, listed=True)


@pytest.mark.parametrize("megapixels", [0.1, 0.9, 2.1, 8.3])
@pytest.mark.parametrize("doubted", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("pictures_a_key", [0.1, 1.0])
def test_passes_add_up_to_one_even_measure(
    megapixels: float, doubted: float, pictures_a_key: float
) -> None:
    """In a film that goes on as it begins, the time left is right from the first tenth on."""
    film = Portion(10_000, 40e6 * megapixels, 240)
    keys = Portion(200, 6e6 * megapixels, 200)
    passes = [Portion(200, 6e6 * megapixels, 200 * pictures_a_key), film * doubted, film * 0.05]
    work, clocks = workload(megapixels, keys, film), Clocks()
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    work.expect(*passes[1:])

    def cost_s(portion: Portion) -> float:
        return (
            (SLOW_FRAME + SLOW_MPX * megapixels) * portion.frames
            + SLOW_KILOBYTE * portion.bytes / 1000
            + (SLOW_TAKEN + SLOW_ENCODED) * portion.pictures
        ) / 1000

    costs_s = [cost_s(portion) for portion in passes]
    costs_s[0] += SLOW_PASSED * PACKETS / 1000
    total_s = sum(costs_s) + GROUPING_S
    done, loading_s = Portion(0, 0, 1), 20.0
    clocks.work(loading_s)
    work.count(done, 0)
    assert left.update(work.skimmed(0.0)) is None
    told_by = (work.skimmed, work.refined, work.looked)
    for told, portion, pass_s in zip(told_by, passes, costs_s, strict=True):
        for step in range(1, 101):
            clocks.work(pass_s / 100)
            done += portion * 0.01
            work.count(done, done.pictures)
            left_s = left.update(told(step / 100))
            if left_s is not None and clocks.wall_s - loading_s >= total_s / 10:
                really_s = total_s - (clocks.wall_s - loading_s)
                assert left_s == pytest.approx(really_s, rel=0.1, abs=total_s / 100)
    assert 1 - work.looked(1) == pytest.approx(GROUPING_S / total_s, rel=0.2)


def test_nothing_is_done_until_the_encoder_is_loaded() -> None:
    film = Portion(10_000, 20e6, 240)
    work = workload(0.9, Portion(200, 3e6, 200), film)
    work.count(film * 0.1, 0.5)
    assert work.watched(0.1) == 0
    work.count(film * 0.1, 1)
    loaded = work.watched(0.1)
    work.count(film * 0.2, 20)
    assert 0 < loaded < work.watched(0.2) < 0.25


def test_a_film_whose_vectors_are_known_has_nothing_to_load() -> None:
    film = Portion(10_000, 20e6, 0)
    work = workload(0.9, Portion(200, 3e6, 200), film)
    work.count(film * 0.5, 0)
    assert work.watched(0.5) == pytest.approx(0.5, abs=0.05)
    work.count(film * 0.6 + Portion(0, 0, 1), 0)  # the first one that is not known
    work.watched(0.6)
    work.count(film * 0.75 + Portion(0, 0, 1), 1)
    assert work.watched(0.75) == pytest.approx(0.75, abs=0.05)


def test_what_cannot_be_skipped_after_all_is_counted() -> None:
    film, keys = Portion(10_000, 20e6, 240), Portion(200, 3e6, 200)
    work = workload(0.9, keys, film)
    work.count(keys * 0.1, 20)
    shares = [work.skimmed(0.1)]
    for share in (0.0, 0.5, 1.0):
        work.count(keys * 0.1 + film * share, 20 + 240 * share)
        shares.append(work.watched(share))
    assert shares == sorted(shares)
    assert shares[-1] > 0.95


def test_progress_never_falls_when_more_is_found_to_do() -> None:
    film, keys = Portion(10_000, 20e6, 240), Portion(200, 3e6, 200)
    work = workload(0.9, keys, film)
    work.expect(film * 0.1, Portion())
    shares = []
    for share in (0.1, 0.5):
        work.count(keys * share, 200 * share)
        shares.append(work.skimmed(share))
    work.expect(film * 0.9, film * 0.2)
    for share in (0.5, 1.0):
        work.count(keys * share, 200 * share)
        shares.append(work.skimmed(share))
    for share in (0.5, 1.0):
        work.count(keys + film * (0.9 * share), 200 + 216 * share)
        shares.append(work.refined(share))
    assert shares == sorted(shares)
    assert shares[-1] < 0.9  # looks are left
