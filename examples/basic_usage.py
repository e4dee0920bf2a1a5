"""Give a video a memory and find moments in it: python examples/basic_usage.py FILM [QUERY ...]"""

from __future__ import annotations

import sys

from semantic_video import SemanticVideoError, SemanticVideoProcessor


def main() -> None:
    """Index the film (once; the library remembers), show its clusters, answer the queries."""
    if len(sys.argv) < 2:
        sys.exit("usage: python examples/basic_usage.py FILM [QUERY ...]")
    film, *queries = sys.argv[1:]

    processor = SemanticVideoProcessor(
        video_path=film, num_clusters=10, memory_size=1000, clustering_method="kmeans"
    )
    memory = processor.build_semantic_memory()
    print(memory)
    for cluster in memory.clusters():
        print(f"  {cluster.id:2}  {cluster.name:24} {len(cluster.occurrences)} times")

    for query in queries or ["person walking"]:
        moments = processor.query_semantic_memory(query)
        print(f"\n{query}: {moments.verdict}")
        for moment in moments[:5]:
            print(f"  {moment.start_s:8.1f} - {moment.end_s:8.1f} s   {moment.score:.3f}")


if __name__ == "__main__":
    try:
        main()
    except SemanticVideoError as error:
        sys.exit(f"basic_usage: {error}")
