"""Many indexed videos in one directory: the only package that touches storage.

- `library`: `Library`, what the rest of the package calls
- `stored`: the records and arrays that go in and come out
- `tables`: Lance tables, their errors in the user's words, compaction
- `lock`: one writer at a time
- `film_files`: how a film is recognised without reading it in full
- `lookup`: which video a text or a file means
- `lines`: what was said and written
- `experts`: trained experts, and what reads codes
- `rows`: between arrays and the rows of tables
- `array_cache`, `packs`: arrays that can be made again; many of them, mapped into memory
- `searches`: saved queries, their marks, and the last search
"""

from semantic_video.library.film_files import fingerprint
from semantic_video.library.library import Library, default_library_path
from semantic_video.library.lines import LineWords
from semantic_video.library.lookup import FileMatch
from semantic_video.library.searches import LastSearch, Mark, SavedQuery
from semantic_video.library.stored import (
    ClusteringRecord,
    Codec,
    Finding,
    StoredMemory,
    VideoRecord,
)

__all__ = [
    "ClusteringRecord",
    "Codec",
    "FileMatch",
    "Finding",
    "LastSearch",
    "Library",
    "LineWords",
    "Mark",
    "SavedQuery",
    "StoredMemory",
    "VideoRecord",
    "default_library_path",
    "fingerprint",
]
