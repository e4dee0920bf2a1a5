"""Faults put into the evaluator on purpose: which of them do its tests notice?

Each fault is one change of its text, in the memory of a process of its own. The tests that hold the
evaluator to its oracle, one shape of query after another, run there; the first that fails is named.

    python -m experiments.query_mutants [--only OPERATOR]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from hypothesis import Phase, settings

from semantic_video.query_language import evaluator, intervals

# A fault is noticed or not: the smallest example of it does not matter. Before the tests are read.
settings.register_profile("mutants", phases=[Phase.generate], database=None)
settings.load_profile("mutants")

from tests.query_language import test_evaluator as tests  # noqa: E402

_FORK = multiprocessing.get_context("fork")


class Fault(NamedTuple):
    """``old`` becomes ``new``, once, in a file of the package."""

    operator: str
    what: str
    file: str
    old: str
    new: str


LATER = "bisect_left(others, own.end_s - tolerance_s, key=_start)"
EARLIER = "bisect_right(others, own.start_s + tolerance_s, key=_end)"
TOGETHER = "shared > min(tolerance_s, 0.999999 * shorter)"
IN, EV = "intervals.py", "evaluator.py"
FAULTS = [
    Fault("then", "no tolerance", IN, LATER, "bisect_left(others, own.end_s, key=_start)"),
    Fault("then", "tolerance itself is outside", IN, LATER, LATER.replace("left", "right", 1)),
    Fault("then", "twice the tolerance", IN, LATER, LATER.replace("- ", "- 2 * ")),
    Fault("then", "b may start with a", IN, "bisect_right(others, own.start_s, key=_start),\n", ""),
    Fault(
        "then", "b may end with a", IN, "        bisect_right(others, own.end_s, key=_end),\n", ""
    ),
    Fault("then", "a nearer a is forgotten", IN, "if following and", "if False and"),
    Fault(
        "then",
        "a nearer a needs no tolerance",
        IN,
        "_follows(following[0], other, tolerance_s)",
        "_follows(following[0], other, 0.0)",
    ),
    Fault("then", "last b, not the next", IN, "right[later[0]]", "right[later[-1]]"),
    Fault(
        "within",
        "the end itself is outside",
        IN,
        "bisect_right(others, own.end_s + within_s",
        "bisect_left(others, own.end_s + within_s",
    ),
    Fault("within", "from the start of a", IN, "own.end_s + within_s", "own.start_s + within_s"),
    Fault(
        "within", "with tolerance", IN, "own.end_s + within_s", "own.end_s + tolerance_s + within_s"
    ),
    Fault(
        "within",
        "forgotten by then",
        EV,
        "sequences(left, right, node.within_s",
        "sequences(left, right, math.inf",
    ),
    Fault(
        "before",
        "within is forgotten",
        EV,
        "before(left, right, node.within_s",
        "before(left, right, math.inf",
    ),
    Fault("before", "not the surest b", IN, "best(among)", "right[among[0]]"),
    Fault("after", "no tolerance", IN, EARLIER, "bisect_right(others, own.start_s, key=_end)"),
    Fault("after", "tolerance itself is outside", IN, EARLIER, EARLIER.replace("right", "left", 1)),
    Fault(
        "after",
        "b may start with a",
        IN,
        "        bisect_left(others, own.start_s, key=_start),\n",
        "",
    ),
    Fault(
        "after",
        "within: the end itself is outside",
        IN,
        "bisect_left(others, own.start_s - within_s",
        "bisect_right(others, own.start_s - within_s",
    ),
    Fault(
        "during",
        "no tolerance at the end",
        IN,
        "own.end_s - tolerance_s),\n            bisect_right",
        "own.end_s),\n            bisect_right",
    ),
    Fault(
        "during",
        "no tolerance at the start",
        IN,
        "bisect_right(starts, own.start_s + tolerance_s)",
        "bisect_right(starts, own.start_s)",
    ),
    Fault(
        "during",
        "tolerance itself is outside",
        IN,
        "bisect_right(starts, own.start_s + tolerance_s)",
        "bisect_left(starts, own.start_s + tolerance_s)",
    ),
    Fault("and", "no tolerance", IN, TOGETHER, "shared > 0"),
    Fault("and", "tolerance itself is enough", IN, TOGETHER, TOGETHER.replace(">", ">=")),
    Fault("and", "inside does not do", IN, TOGETHER, "shared > tolerance_s"),
    Fault(
        "and",
        "pieces are not joined",
        EV,
        "occurrences(shared(left, right, tolerance_s), apart_s)",
        "shared(left, right, tolerance_s)",
    ),
    Fault(
        "and",
        "as sure as the left",
        IN,
        "min(left.probability, right.probability)",
        "left.probability",
    ),
    Fault(
        "or",
        "no tolerance",
        EV,
        "occurrences([*left[video], *right[video]], apart_s)",
        "occurrences([*left[video], *right[video]], 0.0)",
    ),
    Fault(
        "or",
        "as sure as the first",
        IN,
        "interval if interval.probability > last.probability else last",
        "last",
    ),
    Fault(
        "or", "an end inside is forgotten", IN, "max(last.end_s, interval.end_s)", "interval.end_s"
    ),
    Fault(
        "phrase",
        "tolerance itself is apart",
        IN,
        "interval.start_s <= last.end_s + apart_s",
        "interval.start_s < last.end_s + apart_s",
    ),
    Fault(
        "phrase",
        "the level itself is below",
        EV,
        "(moment.probability or 0.0) >= level",
        "(moment.probability or 0.0) > level",
    ),
    Fault(
        "phrase",
        "occurrences at lower levels too",
        EV,
        "tolerance_s if share >= 1 else None",
        "tolerance_s",
    ),
    Fault(
        "phrase",
        "touching is sharing",
        IN,
        "interval.start_s < last.end_s\n",
        "interval.start_s <= last.end_s\n",
    ),
    Fault(
        "without",
        "no tolerance",
        IN,
        "if any(_together(own, other, tolerance_s)",
        "if any(_together(own, other, 0.0)",
    ),
    Fault(
        "without", "doubt is forgotten", IN, "min(own.probability, 1 - doubt)", "own.probability"
    ),
    Fault(
        "without",
        "doubt has no tolerance",
        IN,
        "                if _together(own, other, tolerance_s)\n",
        "",
    ),
    Fault(
        "without",
        "the level goes down",
        EV,
        "there = self.value(node.right, 1.0, some)",
        "there = self.value(node.right, share, some)",
    ),
    Fault(
        "not",
        "no tolerance",
        IN,
        "interval.start_s - reached > tolerance_s",
        "interval.start_s > reached",
    ),
    Fault(
        "not",
        "tolerance itself is a gap",
        IN,
        "interval.start_s - reached > tolerance_s",
        "interval.start_s - reached >= max(tolerance_s, 1e-9)",
    ),
    Fault(
        "not",
        "doubt is forgotten",
        IN,
        "                    for own in perhaps[\n                        bisect_right(ends, gap",
        "                    for own in there[\n                        bisect_right(ends, gap",
    ),
    Fault(
        "not",
        "the level goes down",
        EV,
        "there = self.value(node.of, 1.0, videos)",
        "there = self.value(node.of, share, videos)",
    ),
    Fault(
        "not",
        "the end of the film is forgotten",
        IN,
        "[*there, Interval(film.end_s, film.end_s, 0.0)]",
        "there",
    ),
    Fault("not", "the start is that of the clock", IN, "reached = film.start_s", "reached = 0.0"),
    Fault(
        "not",
        "of `and` is `and`",
        EV,
        "return Or(_inward(Not(left)), _inward(Not(right)))",
        "return And(_inward(Not(left)), _inward(Not(right)))",
    ),
    Fault(
        "not",
        "of `or` is left alone",
        EV,
        "            case Or(left, right):\n",
        "            case Or(left, right) if False:\n",
    ),
    Fault(
        "not",
        "twice is left alone",
        EV,
        "case Not(of=inner) | Every(of=Not(of=inner)):",
        "case Not(of=inner) | Every(of=Not(of=inner)) if False:",
    ),
    Fault(
        "nth",
        "one too far",
        IN,
        "intervals[number - 1], prob",
        "intervals[min(number, len(intervals) - 1)], prob",
    ),
    Fault(
        "nth",
        "too few give the last",
        IN,
        "    if len(intervals) < number:\n        return ()\n",
        "    number = min(number, len(intervals))\n    if not number:\n        return ()\n",
    ),
    Fault(
        "nth",
        "as sure as itself",
        IN,
        "for own in intervals[:number])",
        "for own in intervals[number - 1 : number])",
    ),
    Fault("last", "is the first", IN, "return intervals[-1:]", "return intervals[:1]"),
    Fault(
        "every",
        "no more than k",
        EV,
        "wanted = len(results) if everything and share == 1 else",
        "wanted = len(results) if value is not None and share == 1 else",
    ),
    Fault(
        "every", "others too", EV, "(everything and found) or", "(value is not None and found) or"
    ),
    Fault("count", "is k at most", EV, "number = len(held)", "number = min(len(held), 2)"),
    Fault("count", "what is not there counts", EV, "moments if found else ()", "moments"),
    Fault(
        "how long",
        "is the whole stretch",
        EV,
        "math.fsum(moment.end_s - moment.start_s for moment in held)",
        "max((m.end_s for m in held), default=0) - min((m.start_s for m in held), default=0)",
    ),
    Fault("clock", "no tolerance", IN, "if high - low > tolerance_s or", "if high > low or"),
    Fault(
        "clock",
        "tolerance itself is enough",
        IN,
        "if high - low > tolerance_s or",
        "if high - low >= tolerance_s > 0 or high - low > tolerance_s or",
    ),
    Fault("clock", "short ones fall away", IN, " or (low, high) == (own.start_s, own.end_s):", ":"),
    Fault("clock", "is not cut", IN, "replace(own, start_s=low, end_s=high))", "own)"),
    Fault(
        "clock",
        "what holds another stays",
        IN,
        "        while kept and own.end_s <= kept[-1].end_s and own.start_s > kept[-1].start_s:\n"
        "            kept.pop()\n",
        "",
    ),
    Fault(
        "answer",
        "results may overlap",
        EV,
        "interval.end_s <= after_starts:",
        "interval.end_s <= math.inf:",
    ),
    Fault(
        "answer",
        "found at any level",
        EV,
        "found or (share == 1 and bool(taken.results))",
        "found or bool(taken.results)",
    ),
]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="faults of this operator alone")
    only = parser.parse_args().only
    faults = [fault for fault in FAULTS if only in fault.operator]
    unnoticed = _noticed_by(None)
    if unnoticed:
        sys.exit(f"{unnoticed} fails without a fault")
    noticed = 0
    for fault in faults:
        shape = _noticed_by(fault)
        noticed += bool(shape)
        print(f"{fault.operator:9} {fault.what:36} {shape or 'NOT NOTICED'}", flush=True)
    print(f"{noticed} of {len(faults)} faults are noticed")


def _noticed_by(fault: Fault | None) -> str:
    """The first shape of query whose test fails with the fault, in a process of its own."""
    receiver, sender = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_try, args=(fault, sender))
    child.start()
    sender.close()
    shape: str = receiver.recv()
    child.join()
    return shape


def _try(fault: Fault | None, sender: Connection) -> None:
    """Send the name of the first shape that fails; empty if none does."""
    for module in (intervals, evaluator):  # the second takes names from the first
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        if fault is not None and fault.file == Path(str(module.__file__)).name:
            assert fault.old in text, fault
            text = text.replace(fault.old, fault.new, 1)
        exec(compile(text, str(module.__file__), "exec"), module.__dict__)
    tests.evaluate = evaluator.evaluate  # type: ignore[attr-defined]
    own = fault.operator.split()[0] if fault is not None else ""
    for shape in sorted(tests.SHAPES, key=lambda name: own not in name):
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                tests.test_each_operator_at_the_edge_of_the_tolerance(shape)
        except Exception as error:
            # An assertion says that the answers differ; anything else, how the evaluator broke.
            broke = "" if isinstance(error, AssertionError) else f" ({type(error).__name__})"
            sender.send(shape + broke)
            return
    try:
        tests.test_every_lists_nothing_that_is_less_sure()
    except AssertionError:
        sender.send("every, one film")
        return
    sender.send("")


if __name__ == "__main__":
    main()
