"""What queries find is kept longer."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.semantic_clustering import Clustering, first_appearance
from semantic_video.stored_memory import memory_facts, reinforced
from tests.library_cases import make_record
from tests.test_memory_hierarchy import film


def test_a_scene_that_queries_found_keeps_an_entry_of_its_own() -> None:
    entries = film(scenes=30, subjects=3, seed=5)
    clustering = Clustering("kmeans", 1, 0, first_appearance([0] * 30), "for a test")
    memory = MemoryHierarchy.build(entries, clustering, ["all"])
    small = memory.consolidate(6)
    shared = next(spans for spans in small.entries.entry_spans if len(spans) > 2)
    wanted = shared[1]
    record = replace(make_record(1), memory=memory_facts(memory))
    used = reinforced(record, memory, [(wanted.start_s + wanted.end_s) / 2] * 500)
    assert used.memory["uses"] == {str(wanted.scene): 500}
    again = replace(memory, uses={wanted.scene: 500}).consolidate(6)
    (own,) = [spans for spans in again.entries.entry_spans if wanted in spans]
    assert len(own) < len(shared)
