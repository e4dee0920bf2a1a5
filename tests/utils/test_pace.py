"""A share of the cores, and how long what is left takes."""

from __future__ import annotations

import pytest

from semantic_video.perception.workload import Workload
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


@pytest.mark.parametrize("megapixels", [0.1, 0.9, 2.1, 8.3])
@pytest.mark.parametrize(("share", "key_s"), [(0.02, 2.0), (0.2, 8.3), (0.5, 2.0)])
def test_passes_add_up_to_one_even_measure(megapixels: float, share: float, key_s: float) -> None:
    """In a film that goes on as it begins, the time left is right from the first tenth on."""
    looks = 0.1
    second = 30 * 0.6 * 4.5 * megapixels + 15  # decoding and encoding a second of film
    skim = (8.5 * megapixels + 28) / key_s
    work, clocks = Workload(megapixels, 30.0), Clocks()
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    total_s = 100 * (skim + (share + looks) * second)
    work.expect(share, key_s, looks)

    def check(told: float | None) -> None:
        if clocks.wall_s >= total_s / 10 and told is not None:
            assert told == pytest.approx(total_s - clocks.wall_s, rel=0.1, abs=total_s / 100)

    for done, cost in ((work.skimmed, skim), (work.refined, share), (work.looked, looks)):
        for step in range(101):
            check(left.update(done(step / 100)))
            if step < 100:
                clocks.work(cost if done == work.skimmed else cost * second)
    assert work.looked(1) == 1


def test_what_cannot_be_skipped_after_all_is_counted() -> None:
    work = Workload(0.9, 30.0)
    shares = [work.skimmed(0.1)]
    shares += [work.watched(share) for share in (0.0, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_progress_never_falls_when_more_is_found_to_do() -> None:
    work = Workload(0.9, 30.0)
    shares = [work.skimmed(0.1), work.skimmed(0.5)]
    work.expect(0.9, 5.0, 0.2)
    shares += [work.skimmed(0.5), work.skimmed(1), work.refined(0.5), work.refined(1)]
    shares += [work.looked(0.5), work.looked(1)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
