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


def test_a_pause_does_not_count() -> None:
    clocks = Clocks()
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    for step in range(51):
        clocks.work(1.0)
        if step == 30:
            clocks.sleep(3600)  # Ctrl-Z, and an hour later fg
        told = left.update(step / 100)
    assert told == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize(("share", "cost"), [(0.02, 4.0), (0.2, 4.0), (0.5, 3.5)])
def test_passes_add_up_to_one_even_measure(share: float, cost: float) -> None:
    """The time of skimming is 1, of decoding all 4 or nearly so; told from the first tenth on."""
    work, clocks = Workload(), Clocks()
    left = TimeLeft(clocks.monotonic, clocks.process_time)
    total_s = 100 * (1 + cost * share)
    work.expect(share)
    for step in range(100):
        told = left.update(work.skimmed(step / 100))
        if clocks.wall_s >= total_s / 10 and told is not None:
            assert told == pytest.approx(total_s - clocks.wall_s, rel=0.2)
        clocks.work(1.0)
    for step in range(100):
        told = left.update(work.refined(step / 100))
        clocks.work(cost * share)
    assert work.refined(1) == 1


def test_progress_never_falls_when_more_is_found_to_do() -> None:
    work = Workload()
    shares = [work.skimmed(0.1), work.skimmed(0.5)]
    work.expect(0.9)
    shares += [work.skimmed(0.5), work.skimmed(1), work.refined(0.5), work.refined(1)]
    assert shares == sorted(shares)
