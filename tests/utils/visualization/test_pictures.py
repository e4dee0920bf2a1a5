"""Contact sheet, map and query, looked at through their pixels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.errors import ConfigError, OutputError
from semantic_video.records import Cluster, Span, Theme
from semantic_video.utils.telling import clock
from semantic_video.utils.visualization import (
    ExpertRow,
    TermRow,
    TierUse,
    experts,
    memory_account,
    query_curve,
    query_terms,
    scene_map,
    sheet,
    theme_tree,
    timeline,
)
from semantic_video.utils.visualization.palette import COLOURS, cluster_colours
from semantic_video.utils.visualization.scene_map import _placed, flatten, frequent_transitions
from semantic_video.utils.visualization.thumbnails import medoid_picture
from semantic_video.utils.visualization.timeline import timeline_rows
from tests.utils.visualization.films import (
    LONG_NAME,
    Film,
    area_of,
    colour_of,
    edges_are_white,
    film,
    jpeg,
    pixels,
)

Draw = Callable[[Film, Path], Path]


def draw_timeline(film: Film, path: Path) -> Path:
    marks = {"speech": [Span(0.0, film.duration_s / 7)], "screen text": []}
    return timeline(
        film.clusters,
        film.duration_s,
        path,
        title="film.mp4",
        thumbnails=film.thumbnails,
        marks=marks,
    )


def draw_sheet(film: Film, path: Path) -> Path:
    return sheet(film.clusters, film.scenes, film.thumbnails, path, title="film.mp4")


def draw_map(film: Film, path: Path) -> Path:
    return scene_map(
        film.scenes, film.clusters, film.vectors, film.thumbnails, path, title="film.mp4"
    )


def draw_query(film: Film, path: Path) -> Path:
    return query_curve(
        "a dog",
        film.candidates(),
        film.duration_s,
        path,
        thumbnails=film.thumbnails,
        threshold=0.3,
        chance=np.linspace(-0.1, 0.2, 50),
        note="Probably there.",
    )


def draw_memory(film: Film, path: Path) -> Path:
    spans = [
        [Span(film.scenes[scene].start_s, film.scenes[scene].end_s) for scene in cluster.scenes]
        for cluster in film.clusters
    ]
    tiers = [TierUse("entry", len(spans), 2 * len(spans), 12_345, 45_678_901)]
    stretch = film.duration_s / 10
    tenths = [Span(place * stretch, (place + 1) * stretch) for place in range(10)]
    given_up = {
        "frame vectors": [(tenth, 1 + place) for place, tenth in enumerate(tenths)],
        "scene boundaries": [(tenths[4], 12_345)],
    }
    return memory_account(
        spans,
        2 * len(spans),
        tiers,
        path,
        title="film.mp4",
        given_up=given_up,
        notes=[LONG_NAME],
    )


def theme_of(level: int, clusters: Sequence[Cluster], children: tuple[Theme, ...] = ()) -> Theme:
    spans = tuple(sorted(span for cluster in clusters for span in cluster.occurrences))
    first, ids = clusters[0], tuple(cluster.id for cluster in clusters)
    seconds = sum(span.duration_s for span in spans)
    shown = (first.id, first.medoid_scene, first.medoid_s)
    return Theme(ids[0], level, first.name, ids, spans, seconds, *shown, children)


def draw_themes(film: Film, path: Path) -> Path:
    halves = [own for own in (film.clusters[::2], film.clusters[1::2]) if own]
    fine = tuple(theme_of(1, half) for half in halves)
    coarse = theme_of(0, film.clusters, fine)
    return theme_tree(
        [coarse], film.clusters, film.duration_s, film.thumbnails, path, title="film.mp4"
    )


def draw_experts(film: Film, path: Path) -> Path:
    shares = [len(cluster.scenes) / len(film.scenes) for cluster in film.clusters]
    rows = [
        ExpertRow(cluster.name, cluster.occurrences, share)
        for cluster, share in zip(film.clusters, shares, strict=True)
    ]
    losses = {"contrast": [3.0, 2.0, 1.5], LONG_NAME: [1.0, 1.0], "of one epoch": [1.0]}
    scores = {"identity": 0.4, "centres": 0.5, LONG_NAME: 0.0}
    return experts(rows, film.duration_s, losses, scores, path, title="film.mp4", notes=[LONG_NAME])


PICTURES: tuple[Draw, ...] = (
    draw_timeline,
    draw_sheet,
    draw_map,
    draw_query,
    draw_memory,
    draw_themes,
    draw_experts,
)


@pytest.mark.parametrize("draw", PICTURES)
@pytest.mark.parametrize(
    ("scenes", "clusters", "duration_s"), [(1, 1, 5.0), (3, 2, 4.0), (30, 9, 300.0)]
)
def test_nothing_is_cut(
    draw: Draw, scenes: int, clusters: int, duration_s: float, tmp_path: Path
) -> None:
    made = film(scenes, clusters, duration_s, name=LONG_NAME)
    picture = pixels(draw(made, tmp_path / "p.png"))
    assert edges_are_white(picture)
    assert picture.shape[1] == 1600


@pytest.mark.slow
@pytest.mark.parametrize("draw", PICTURES)
def test_thousands_of_scenes_make_a_picture_of_sensible_size(draw: Draw, tmp_path: Path) -> None:
    picture = pixels(draw(film(3000, 400, 18_000.0), tmp_path / "p.png"))
    assert edges_are_white(picture)
    assert picture.shape[0] < 7 * picture.shape[1]


@pytest.mark.parametrize("draw", PICTURES)
def test_the_same_film_gives_the_same_bytes_whatever_the_users_style(
    draw: Draw, tmp_path: Path
) -> None:
    made = film(12, 4, 60.0)
    first = draw(made, tmp_path / "a.svg").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 30}):
        assert draw(made, tmp_path / "b.svg").read_bytes() == first


@pytest.mark.parametrize("draw", PICTURES)
def test_a_film_without_small_pictures_is_drawn_all_the_same(draw: Draw, tmp_path: Path) -> None:
    made = replace(film(12, 4, 60.0), thumbnails={})
    assert edges_are_white(pixels(draw(made, tmp_path / "p.png")))


def test_svg_holds_the_small_pictures_as_they_are(tmp_path: Path) -> None:
    svg = draw_sheet(film(8, 8, 60.0), tmp_path / "s.svg").read_text()
    assert svg.count("data:image/jpeg") == 8
    assert "data:image/png" not in svg


def test_each_cluster_shows_its_own_pictures(tmp_path: Path) -> None:
    made = film(20, 5, 60.0)
    beside_names = pixels(draw_timeline(made, tmp_path / "t.png"))
    on_sheet = pixels(draw_sheet(made, tmp_path / "s.png"))
    on_map = pixels(draw_map(made, tmp_path / "m.png"))
    for cluster in made.clusters:
        colour = colour_of(cluster.id)
        assert area_of(beside_names, colour) > 3000
        assert area_of(on_sheet, colour) > 15_000 * min(len(cluster.scenes), 4)
        assert area_of(on_map, colour) > 14_000


def test_the_picture_of_a_cluster_comes_from_its_own_scene(tmp_path: Path) -> None:
    # The medoid's time lies nearer to the picture of the next scene than to its own.
    made = film(2, 2, 20.0)
    near_the_cut = replace(made.clusters[0], medoid_s=9.9)
    thumbnails = {1.0: jpeg(colour_of(0)), 10.1: jpeg(colour_of(1))}
    path = timeline(
        [near_the_cut, made.clusters[1]], 20.0, tmp_path / "t.png", thumbnails=thumbnails
    )
    assert area_of(pixels(path), colour_of(0)) > 3000


def test_the_sheet_says_what_it_leaves_out(tmp_path: Path) -> None:
    made = film(40, 10, 60.0)
    full = pixels(draw_sheet(made, tmp_path / "all.png"))
    few = pixels(
        sheet(made.clusters, made.scenes, made.thumbnails, tmp_path / "few.png", max_clusters=2)
    )
    assert few.shape[0] < full.shape[0] / 2


def test_themes_show_the_pictures_of_their_clusters(tmp_path: Path) -> None:
    made = film(20, 6, 60.0)
    picture = pixels(draw_themes(made, tmp_path / "t.png"))
    for cluster in made.clusters:
        assert area_of(picture, colour_of(cluster.id)) > 9000


def test_frequent_transitions_are_those_seen_twice() -> None:
    made = film(6, 3, 60.0)
    labels = [0, 1, 0, 1, 2, 0]
    scenes = [replace(s, cluster=label) for s, label in zip(made.scenes, labels, strict=True)]
    assert frequent_transitions(scenes) == [(0, 1, 2)]


def test_what_is_alike_lies_together_on_the_map() -> None:
    made = film(60, 3, 60.0)
    labels = np.array([scene.cluster for scene in made.scenes])
    places = flatten(made.vectors)
    assert ((places >= 0) & (places <= 1)).all()
    middles = np.stack([places[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(places[:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_nothing_on_the_map_covers_anything(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    sizes = rng.uniform(0.2, 1.0, (count, 2))
    wanted = rng.uniform(0, 6, (count, 2)) * data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    centres = _placed(wanted, sizes, 8.0, 8.0, np.empty((0, 4)))
    assert centres is not None
    low, high = centres - sizes / 2, centres + sizes / 2
    assert (low > -1e-6).all()
    assert (high < 8 + 1e-6).all()
    apart = (low[:, None] >= high[None]).any(axis=2) | (low[None] >= high[:, None]).any(axis=2)
    assert (apart | np.eye(count, dtype=bool)).all()


def test_a_map_that_has_no_room_says_so() -> None:
    assert _placed(np.zeros((3, 2)), np.ones((3, 2)), 1.2, 1.2, np.empty((0, 4))) is None


def test_answers_are_marked_and_what_fails_the_threshold_is_grey(tmp_path: Path) -> None:
    made = film(10, 3, 100.0)
    picture = pixels(draw_query(made, tmp_path / "q.png"))
    rose = (240, 209, 214)  # of the scheme's rose, over white
    assert area_of(picture, rose) > 3000
    none_passes = query_curve(
        "a dog", made.candidates(), 100.0, tmp_path / "none.png", threshold=0.9
    )
    assert area_of(pixels(none_passes), rose) < 300


def test_terms_stand_in_rows_and_what_is_surer_is_darker(tmp_path: Path) -> None:
    sure = TermRow("a dog", (Span(0, 30),), (1.0,))
    unsure = TermRow(LONG_NAME, (Span(50, 80),), (0.1,))
    both = TermRow("a dog then a cat", (Span(0, 80),), (0.5,))
    picture = pixels(query_terms("q", [sure, unsure], both, 100.0, tmp_path / "q.png"))
    assert edges_are_white(picture)
    assert area_of(picture, (0x33, 0x22, 0x88)) > 5000  # the first row, at full strength
    assert area_of(picture, (0x11, 0x77, 0x33)) < 1000  # the second, faint


def test_where_most_was_given_up_the_bars_are_highest(tmp_path: Path) -> None:
    rows = {"frame vectors": [(Span(0, 50), 1), (Span(50, 100), 4)]}
    drawn = memory_account([[Span(0, 100)]], 1, [], tmp_path / "m.png", given_up=rows)
    picture = pixels(drawn)
    bars = np.all(picture == (0x88, 0x22, 0x55), axis=2).sum(axis=0)
    columns = np.flatnonzero(bars)
    early, late = bars[columns[: len(columns) // 3]], bars[columns[-len(columns) // 3 :]]
    assert late.mean() == pytest.approx(4 * early.mean(), rel=0.1)


def test_a_term_that_is_not_found_says_so(tmp_path: Path) -> None:
    found = TermRow("a dog", (Span(0, 30), Span(40, 50)), (0.9, 0.8))
    nearest = TermRow("a cat", (Span(50, 80),), (0.1,), found=False)
    words = query_terms("q", [found], nearest, 100.0, tmp_path / "q.svg").read_text("utf-8")
    assert ("2×" in words, "not found" in words, "1×" in words) == (True, True, False)
    stretch = query_terms(
        "q", [found], nearest, 100.0, tmp_path / "q.svg", note="Found.", window=Span(35, 90)
    ).read_text("utf-8")
    assert ("2×" in stretch, "1×" in stretch) == (False, True)
    assert "From 0:00:35 to 0:01:30, with what is found there. In the whole film: Found." in stretch


def test_a_theme_that_is_not_divided_is_drawn_once(tmp_path: Path) -> None:
    made = film(12, 4, 60.0)

    def drawn(coarse: Theme) -> str:
        path = tmp_path / "themes.svg"
        theme_tree([coarse], made.clusters, 60.0, made.thumbnails, path)
        return path.read_text("utf-8")

    fine = theme_of(1, made.clusters)
    assert drawn(theme_of(0, made.clusters, (fine,))) == drawn(fine)


def test_experts_beyond_the_busiest_share_a_row(tmp_path: Path) -> None:
    few, many = (
        pixels(draw_experts(film(300, clusters, 600.0), tmp_path / f"{clusters}.png"))
        for clusters in (24, 90)
    )
    assert few.shape == many.shape
    no_training = experts([], 60.0, {}, {}, tmp_path / "none.png", title="film.mp4")
    assert pixels(no_training).shape[0] < 200


def test_a_stretch_shows_what_lies_in_it(tmp_path: Path) -> None:
    made = film(10, 10, 100.0)
    path = timeline(
        made.clusters,
        100.0,
        tmp_path / "t.png",
        window=Span(30.0, 50.0),
        thumbnails=made.thumbnails,
    )
    picture = pixels(path)
    shown = [c.id for c in made.clusters if area_of(picture, colour_of(c.id)) > 3000]
    assert shown == [3, 4]
    with pytest.raises(ConfigError, match="nothing to show from 0:03:20 to 0:05:00"):
        timeline(made.clusters, 100.0, tmp_path / "no.png", window=Span(200.0, 300.0))


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        draw_timeline(film(2, 2, 5.0), tmp_path / "no" / "such" / "t.png")


def test_a_damaged_small_picture_is_an_empty_box(tmp_path: Path) -> None:
    made = film(2, 2, 10.0)
    broken = dict.fromkeys(made.thumbnails, b"no jpeg")
    assert edges_are_white(pixels(draw_sheet(replace(made, thumbnails=broken), tmp_path / "s.png")))


def test_a_cluster_has_one_colour_in_all_pictures_of_a_film(tmp_path: Path) -> None:
    made = replace(film(24, 8, 60.0), thumbnails={})
    colours = cluster_colours(made.clusters)
    longest = max(made.clusters, key=lambda cluster: cluster.total_s)
    assert colours[longest.id] == COLOURS[0]
    assert {
        row.cluster.id: row.colour
        for row in timeline_rows(made.clusters, Span(0, 60))
        if row.cluster
    } == colours
    for draw in (draw_timeline, draw_sheet, draw_map):
        svg = draw(made, tmp_path / "p.svg").read_text("utf-8")
        assert all(colour.lower() in svg for colour in colours.values())
    one = made.clusters[-1]
    alone = [
        sheet([one], made.scenes, {}, tmp_path / "s.svg", whole=made.clusters),
        timeline([one], 60.0, tmp_path / "t.svg", colours=colours),
        scene_map(
            [scene for scene in made.scenes if scene.cluster == one.id],
            [one],
            made.vectors[[scene.id for scene in made.scenes if scene.cluster == one.id]],
            {},
            tmp_path / "m.svg",
            colours=colours,
        ),
    ]
    for path in alone:
        used = {colour for colour in COLOURS if colour.lower() in path.read_text("utf-8")}
        assert used == {colours[one.id]}


def test_a_scene_without_picture_is_no_empty_box(tmp_path: Path) -> None:
    made = film(20, 5, 60.0)
    lost = made.scenes[made.clusters[0].scenes[1]]
    there = {
        at: jpeg for at, jpeg in made.thumbnails.items() if not lost.start_s <= at < lost.end_s
    }
    grey = (0xE4, 0xE4, 0xE4)
    for draw in (draw_map, draw_sheet):
        usual = area_of(pixels(draw(made, tmp_path / "p.png")), grey)
        assert (
            area_of(pixels(draw(replace(made, thumbnails=there), tmp_path / "p.png")), grey)
            < usual + 900
        )
    medoid = made.scenes[made.clusters[0].medoid_scene]
    without = {
        at: jpeg for at, jpeg in made.thumbnails.items() if not medoid.start_s <= at < medoid.end_s
    }
    picture = medoid_picture(without, made.clusters[0])
    assert picture == jpeg(colour_of(0))


def test_the_sheet_counts_scenes_that_it_does_not_show(tmp_path: Path) -> None:
    made = film(3, 1, 30.0)
    apart = replace(made.clusters[0], occurrences=(Span(0, 10), Span(20, 30)), scenes=(0, 2))
    there = {5.0: jpeg(colour_of(0))}
    svg = sheet([apart], made.scenes, there, tmp_path / "s.svg").read_text("utf-8")
    assert "<!-- seen 2×, 30.0 s, 2 scenes -->" in svg
    once = film(2, 2, 20.0)
    svg = sheet(once.clusters, once.scenes, there, tmp_path / "s.svg").read_text("utf-8")
    assert "<!-- no picture -->" in svg


def test_a_sheet_of_a_stretch_speaks_of_the_stretch(tmp_path: Path) -> None:
    made = film(10, 5, 100.0)
    longest = max(made.clusters, key=lambda cluster: len(cluster.occurrences))
    here = replace(longest, occurrences=longest.occurrences[:1], scenes=longest.scenes[:1])
    start_s = longest.occurrences[0].start_s
    window = Span(start_s + 4, start_s + 9)
    svg = sheet(
        [here], made.scenes, {}, tmp_path / "s.svg", window=window, whole=made.clusters
    ).read_text("utf-8")
    assert "<!-- Seen once in this stretch -->" in svg
    assert f"<!-- {len(longest.occurrences)}× in all -->" in svg
    assert f"<!-- {clock(window.start_s)} -->" in svg


def test_the_words_by_chance_cover_no_time(tmp_path: Path) -> None:
    made = film(10, 3, 120.0)
    svg = draw_query(made, tmp_path / "q.svg").read_text("utf-8")
    heights = {
        name: float(y)
        for name, y in re.findall(
            r"<!-- ([^\n]*?) -->\s*<g[^>]*transform=\"translate\([\d.]+ ([\d.]+)\)", svg
        )
    }
    assert heights["0:02:00"] - heights["best by chance"] > 100


def test_a_stretch_is_not_found_because_the_film_is(tmp_path: Path) -> None:
    made = film(10, 3, 100.0)  # the score falls from 0.5 at the start
    for window, says in (
        (Span(70, 100), "From 0:01:10 to 0:01:40: none of 3 moments counts as found. In the whole"),
        (Span(0, 20), "From 0:00:00 to 0:00:20: 2 of 2 moments count as found. In the whole film:"),
    ):
        path = tmp_path / "q.svg"
        query_curve(
            "a dog", made.candidates(), 100.0, path, threshold=0.3, note="Found.", window=window
        )
        assert says in " ".join(re.findall(r"<!-- (.*?) -->", path.read_text("utf-8")))


def test_what_is_not_found_is_outlined_in_full_colour(tmp_path: Path) -> None:
    found = TermRow("a dog", (Span(0, 30),), (0.9,), below=(Span(60, 80),))
    nearest = TermRow("a cat", (Span(40, 60),), (0.01,), found=False)
    result = TermRow("result", (Span(40, 80),), (0.01,), found=False)
    picture = pixels(query_terms("q", [found, nearest], result, 100.0, tmp_path / "q.png"))
    green = (0x11, 0x77, 0x33)
    assert 700 < area_of(picture, green) < 5000
    assert area_of(picture, (0x33, 0x22, 0x88)) > 5000 + 700
    unsure = TermRow("a dog", (Span(0, 50), Span(60, 90)), (0.9, 0.02))
    pale = pixels(query_terms("q", [unsure], result, 100.0, tmp_path / "q.png"))
    seen = np.abs(pale.astype(int).min(axis=2) - 255) > 80
    assert seen.sum() > 1.4 * area_of(pale, (0x33, 0x22, 0x88))


def test_a_theme_does_not_say_the_words_of_one_within_it(tmp_path: Path) -> None:
    made = film(12, 4, 60.0)
    fine = tuple(theme_of(1, made.clusters[half::2]) for half in range(2))
    same = replace(theme_of(0, made.clusters, fine), name=fine[0].name)
    path = tmp_path / "t.svg"
    theme_tree([same], made.clusters, 60.0, {}, path)
    shown = re.findall(r"<!-- (.*?) -->", path.read_text("utf-8"))
    assert shown.count(fine[0].name) == 2  # the theme and its cluster
    assert any(line.endswith(" and more") for line in shown)
    alike = tuple(replace(cluster, name="cluster 0") for cluster in made.clusters)
    theme_tree([same], alike, 60.0, {}, path)
    assert "<!-- 4 clusters -->" in path.read_text("utf-8")


def test_one_of_a_kind_is_said_as_one(tmp_path: Path) -> None:
    path = tmp_path / "m.svg"
    memory_account([[Span(0, 5)]], 10, [], path)
    assert "1 scene in 1 entry of at most 10; 0 were merged" in path.read_text("utf-8")
