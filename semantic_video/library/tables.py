"""Lance tables in one directory: read, append, replace, delete, tidy.

The only module that knows Lance. Each change of a table is one commit: a reader sees all of it or
nothing, and keeps reading the version that it opened. Whatever Lance raises becomes a
`LibraryError` that says what to do.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from semantic_video.errors import LibraryError

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

_SUFFIX = ".lance"
# Fixed, so that an upgrade of pylance does not begin to write what an older one cannot read.
_FILE_FORMAT: Final = "2.1"
# A fragment of so many rows is left alone, so that tidying does not rewrite a large library over
# and over; smaller ones are merged once there are several, because each one costs a reader time.
_FULL_FRAGMENT_ROWS = 100_000
_SMALL_FRAGMENTS = 16
_DELETED_SHARE = 0.2

# Linux, macOS and Windows.
_NO_SPACE = re.compile(r"No space left|not enough space|quota exceeded|os error (28|69|112|122)\b")
_NO_PERMISSION = re.compile(r"Permission denied|Read-only|Access is denied|os error (1|5|13|30)\b")


class Tables:
    """The tables of the library in ``directory``, each named by a word."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def names(self) -> list[str]:
        """The tables that hold something, in alphabetical order."""
        # A directory without a version is what a run that was killed while making it left behind.
        return sorted(
            path.stem
            for path in self.directory.glob(f"*{_SUFFIX}")
            if any((path / "_versions").glob("*.manifest"))
        )

    def read(self, name: str, columns: Sequence[str], where: str | None = None) -> pa.Table:
        """Columns of the latest version of a table, all rows or those for which ``where`` holds."""
        with self._reading(name):
            dataset = self._open(name)
            missing = [column for column in columns if column not in dataset.schema.names]
            if missing:  # also how an overwritten manifest shows
                raise ValueError(f"no column {missing[0]}")
            return dataset.to_table(columns=list(columns), filter=where)

    def count(self, name: str, where: str) -> int:
        """How many rows there are for which ``where`` holds; none where there is no table."""
        if name not in self.names():
            return 0
        with self._reading(name):
            return int(self._open(name).count_rows(where))

    def version(self, name: str) -> int:
        """Another one after every change of a table; 0 where there is no table."""
        if name not in self.names():
            return 0
        with self._reading(name):
            return int(self._open(name).version)

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows; the table is made where it does not exist."""
        import lance

        exists = name in self.names()
        with self._writing(name):
            lance.write_dataset(
                rows,
                self._uri(name),
                mode="append" if exists else "create",
                data_storage_version=_FILE_FORMAT,
            )

    def upsert(
        self, name: str, keys: Sequence[str], rows: pa.Table, drop: str | None = None
    ) -> None:
        """Put rows in the place of those that have the same ``keys``; add those that are new.

        In the same change, other rows for which ``drop`` holds are deleted.
        """
        if name not in self.names():
            self.append(name, rows)
            return
        with self._writing(name):
            merge = self._open(name).merge_insert(list(keys))
            merge.when_matched_update_all().when_not_matched_insert_all()
            if drop is not None:
                merge.when_not_matched_by_source_delete(drop)
            merge.execute(rows)

    def delete(self, name: str, where: str) -> None:
        """Delete the rows for which ``where`` holds; their bytes go when the table is tidied."""
        with self._writing(name):
            self._open(name).delete(where)

    def is_scattered(self, name: str) -> bool:
        """Whether a table has so many small fragments or deleted rows that `compact` is due."""
        with self._reading(name):
            small = rows = deleted = 0
            for fragment in self._open(name).get_fragments():
                small += fragment.physical_rows < _FULL_FRAGMENT_ROWS
                rows += fragment.physical_rows
                deleted += fragment.num_deletions
            return small > _SMALL_FRAGMENTS or deleted > _DELETED_SHARE * rows

    def compact(self, name: str) -> None:
        """Merge small fragments and drop deleted rows."""
        with self._writing(name):
            self._open(name).optimize.compact_files(target_rows_per_fragment=_FULL_FRAGMENT_ROWS)

    def discard_old_versions(self, name: str, keep: timedelta) -> None:
        """Delete versions that were replaced longer than ``keep`` ago, and files of no version.

        Only for the one writer: a file of no version may be another writer's next one.
        """
        with self._writing(name):
            dataset = self._open(name)
            cutoff = time.time() - keep.total_seconds()
            # The age of a version says nothing: it was in use until the next one came.
            replaced = [
                old["version"]
                for old, new in pairwise(dataset.versions())
                if cast(datetime, new["timestamp"]).timestamp() <= cutoff
            ]
            if replaced:
                dataset.cleanup_old_versions(versions=replaced, delete_unverified=True)
            else:
                dataset.cleanup_old_versions(timedelta(days=36500), delete_unverified=True)

    def _uri(self, name: str) -> str:
        return f"{self.directory}/{name}{_SUFFIX}"

    def _open(self, name: str) -> lance.LanceDataset:
        import lance

        return lance.dataset(self._uri(name))

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        with self._translated(
            f"the library at {self.directory} is broken (table {name}: {{reason}}): restore a "
            "backup, or delete that directory and index again"
        ):
            yield

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        with self._translated(
            f"cannot write to the library at {self.directory} (table {name}: {{reason}}): run "
            "`semantic-video doctor`; what was in it before is untouched"
        ):
            yield

    @contextlib.contextmanager
    def _translated(self, otherwise: str) -> Iterator[None]:
        try:
            yield
        except LibraryError:
            raise
        except BaseException as error:
            # A panic inside Lance on a damaged file is not an Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            text = str(error)
            if _NO_SPACE.search(text):
                message = (
                    f"the disk of the library at {self.directory} is full: free some space and "
                    "run this again; what was in the library before is untouched"
                )
            elif _NO_PERMISSION.search(text):
                message = (
                    f"no permission for the library at {self.directory}: make it yours to read "
                    "and write, or use --library with another one"
                )
            else:
                message = otherwise.format(reason=_short(error))
            raise LibraryError(message) from error


def _short(error: BaseException) -> str:
    """The first line of what Lance says, without the places in its source."""
    lines = str(error).splitlines() or [type(error).__name__]
    return re.sub(r",? /\S+\.rs:\d+:\d+", "", lines[0])[:200]


def quoted(text: str) -> str:
    """A text as a literal of a condition."""
    return "'" + text.replace("'", "''") + "'"
