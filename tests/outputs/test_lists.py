"""What other programs read, read by other programs."""

from __future__ import annotations

import csv
import io

import opentimelineio as reference
import pytest

from semantic_video.cli.outputs import print_answers
from semantic_video.cli.terminal import Reporter
from semantic_video.errors import QueryError
from semantic_video.library import VideoRecord
from semantic_video.outputs import Rate, csv_table, edl, otio, path_lines, srt
from semantic_video.records import Moment
from semantic_video.scene_retrieval import Moments


def moment(video: str, start_s: float, end_s: float) -> Moment:
    return Moment(video, start_s, end_s, 0.5, 0.75, 3, "dogs, cats", (start_s + end_s) / 2)


FILM, OTHER = "/films/a holiday “1”.mp4", "/films/b.mov"
MOMENTS = [moment(FILM, 60.0, 62.5), moment(FILM, 10.0, 12.0), moment(OTHER, 1.0, 3.0)]
RATES = {FILM: Rate.of(29.97), OTHER: Rate.of(25.0)}
DURATIONS = {FILM: 100.0, OTHER: 3.0}


def test_edl() -> None:
    lines = edl(MOMENTS, RATES, "a dog").splitlines()
    assert lines[0] == "TITLE: a dog"
    assert lines[1] == "FCM: DROP FRAME"
    assert (
        lines[2] == "001  AX       V     C        00:00:59;28 00:01:02;15 00:00:00;00 00:00:02;15"
    )
    assert lines[3] == "* FROM CLIP NAME: a holiday “1”.mp4"
    assert lines[5].startswith("002  AX       V     C        00:00:10;00 00:00:12;00 00:00:02;15")
    assert lines[8] == "FCM: NON-DROP FRAME"
    # The source runs at 25 frames a second, the record side at 29.97.
    assert (
        lines[9] == "003  AX       V     C        00:00:01:00 00:00:03:00 00:00:04;15 00:00:06;15"
    )


def test_events_follow_one_another_and_never_pass_the_format() -> None:
    many = [moment(OTHER, 0.0, 0.01)] * 1200
    events = [line for line in edl(many, RATES, "x").splitlines() if line[:1].isdigit()]
    assert len(events) == 999
    assert [line.split()[6] for line in events[1:]] == [line.split()[7] for line in events[:-1]]
    assert events[0].split()[4:6] == ["00:00:00:00", "00:00:00:01"]  # at least a frame


def test_moments_that_an_edl_has_no_room_for_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = Moments("x", [moment(OTHER, 0.0, 1.0)] * 1200, found=True)
    shelf = {
        OTHER: VideoRecord(
            path=OTHER, name="b.mov", size=1, mtime_ns=1, fingerprint="", average_fps=25.0
        )
    }
    print_answers([answer], "edl", shelf, Reporter(quiet=False, verbose=False))
    printed = capsys.readouterr()
    assert "\n999  AX" in printed.out
    assert "201 moments left out" in printed.err


def test_otio_is_what_the_library_reads() -> None:
    timeline = reference.adapters.read_from_string(otio(MOMENTS, RATES, DURATIONS, "a dog"))
    assert timeline.name == "a dog"
    (track,) = timeline.video_tracks()
    clips = list(track.find_clips())
    assert len(clips) == 3
    for clip, own in zip(clips, MOMENTS, strict=True):
        span = clip.source_range
        assert span.start_time.to_seconds() == pytest.approx(own.start_s, abs=0.02)
        assert span.duration.to_seconds() == pytest.approx(own.end_s - own.start_s, abs=0.04)
        assert span.start_time.rate == pytest.approx(float(RATES[own.video].fps))
        media = clip.media_reference
        assert media.available_range.start_time <= span.start_time
        assert media.available_range.end_time_exclusive() >= span.end_time_exclusive()
        assert reference.url_utils.filepath_from_url(media.target_url) == own.video
        assert clip.metadata["semantic_video"]["probability"] == 0.75
    assert timeline.duration().to_seconds() == pytest.approx(6.5, abs=0.1)
    assert reference.adapters.write_to_string(timeline)


def test_srt_is_in_order_of_time() -> None:
    text = srt(MOMENTS[:2], "a  dog\n")
    assert text == (
        "1\n00:00:10,000 --> 00:00:12,000\na dog (75%)\n\n"
        "2\n00:01:00,000 --> 00:01:02,500\na dog (75%)\n"
    )
    with pytest.raises(QueryError, match="--video"):
        srt(MOMENTS, "a dog")


def test_csv_survives_commas_and_quotes() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table([('"a", b', MOMENTS)]))))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["query"] == '"a", b'
    assert rows[0]["cluster_name"] == "dogs, cats"
    assert float(rows[0]["start_s"]) == 60.0


def test_paths() -> None:
    assert path_lines(MOMENTS[:1]) == f"{FILM}\t60.000\t62.500\n"
