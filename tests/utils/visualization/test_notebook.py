"""How results look in a notebook: well-formed HTML in which no name is markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from semantic_video import SemanticVideoProcessor
from semantic_video.memory_hierarchy.hierarchy import Clusters
from semantic_video.records import Answer, Sentence
from semantic_video.scene_retrieval import Moments
from semantic_video.utils.visualization.notebook import timeline_html
from tests.media import Shot, render, write_video
from tests.utils.visualization.films import film

BAD = "<script>alert('x')</script> & co"


def parsed(html: str) -> ET.Element:
    return ET.fromstring(html.replace("<br>", "<br/>"))


def text_of(html: str) -> str:
    return "".join(parsed(html).itertext())


def test_moments_are_a_table_best_first() -> None:
    moments = [replace(m, cluster_name=BAD) for m in film(3, 2, 30.0).candidates()]
    shown = Moments(BAD, moments, found=True)._repr_html_()
    assert len(parsed(shown).findall(".//tbody/tr")) == 3
    assert BAD in text_of(shown)
    assert "> 99 %" in text_of(shown)
    assert "probably not in this video" in text_of(
        Moments("a dog", moments, found=False)._repr_html_()
    )
    assert "no moment to list" in text_of(Moments("a dog", [], found=False)._repr_html_())


def test_an_answer_is_a_list_of_sentences_with_their_times() -> None:
    moments = tuple(film(3, 2, 30.0).candidates())
    sentences = (Sentence(BAD, (0, 2)), Sentence("No evidence."))
    shown = Answer(BAD, BAD, moments, sentences, 0.9, "plan")._repr_html_()
    items = ["".join(item.itertext()) for item in parsed(shown).findall(".//li")]
    assert items == [f"{BAD} 0.0–10.0 s, 20.0–30.0 s", "No evidence. "]


def test_a_terminal_shows_clusters_and_answers_in_lines() -> None:
    made = film(6, 2, 60.0, name="a dog")
    assert repr(Clusters(made.clusters)).splitlines() == [
        "Clusters: 2",
        *(
            f"  {cluster.id:4}  {cluster.name}  {len(cluster.occurrences):3}×  "
            f"{cluster.total_s:8.2f} s"
            for cluster in made.clusters
        ),
    ]
    answer = Answer("When?", "At 0:10.", tuple(made.candidates()), (), 0.9, "plan")
    assert repr(answer) == "Answer to 'When?': At 0:10."
    assert repr(Clusters(())) == "Clusters: 0"


@pytest.mark.parametrize("clusters", [1, 200])
def test_a_timeline_has_a_few_rows(clusters: int) -> None:
    made = film(400, clusters, 4000.0, name=BAD)
    shown = timeline_html(made.clusters, 4000.0)
    assert 1 <= len(parsed(shown).findall(".//tbody/tr")) <= 12
    assert BAD in text_of(shown)


def test_processor_and_memory_show_the_film(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", render([Shot(1, 2), Shot(2, 2), Shot(1, 2)]))
    processor = SemanticVideoProcessor(path, num_clusters=2, library=tmp_path / "library")
    assert "no memory built yet" in text_of(processor._repr_html_())
    memory = processor.build_semantic_memory()
    assert "in 2 clusters" in text_of(memory._repr_html_())
    shown = processor._repr_html_()
    assert "film.mp4" in text_of(shown)
    assert len(parsed(shown).findall(".//rect")) >= 3
    assert parsed(memory.clusters()._repr_html_()).findall(".//rect")
