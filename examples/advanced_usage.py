"""The whole flow: spectral clusters, memory, experts, answers.

    python examples/advanced_usage.py FILM [QUERY ...]

Needs torch for the experts: pip install -r requirements.txt
"""

from __future__ import annotations

import sys

from semantic_video import SemanticVideoError, SemanticVideoProcessor


def main() -> None:
    """Index the film with 15 spectral clusters, train its experts, answer the queries."""
    if len(sys.argv) < 2:
        sys.exit("usage: python examples/advanced_usage.py FILM [QUERY ...]")
    film, *queries = sys.argv[1:]

    processor = SemanticVideoProcessor(
        video_path=film, num_clusters=15, memory_size=2000, clustering_method="spectral"
    )
    memory = processor.build_semantic_memory()
    print(memory)
    for cluster in memory.clusters():
        print(f"  {cluster.id:2}  {cluster.name:30} {len(cluster.occurrences)} times")

    report = processor.train_moe_experts()
    print(f"\n{report}")

    for query in queries or ["person walking"]:
        moments = processor.query_semantic_memory(query)
        print(f"\n{query}: {moments.verdict}")
        for moment in moments[:5]:
            print(f"  {moment.start_s:8.1f} - {moment.end_s:8.1f} s   {moment.score:.3f}")

    question = f"How many times is there {(queries or ['a person walking'])[0]}?"
    answer = processor.reason_across_time(question)
    print(f"\n{question} {answer.text}")
    for moment in answer.evidence[:5]:
        print(f"  {moment.start_s:8.1f} - {moment.end_s:8.1f} s")


if __name__ == "__main__":
    try:
        main()
    except SemanticVideoError as error:
        sys.exit(f"advanced_usage: {error}")
