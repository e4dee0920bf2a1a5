"""Descriptions of things that a film most likely does not show: what a false alarm looks like.

Made by rule from short lists, so that any encoder can read them and no data set is needed. Some
will be true of some film; the few that are make its calibration a little more careful.
"""

from __future__ import annotations

import random

COUNT = 256

_WHO = """a man|a woman|a little girl|a young boy|two women|two men|three children|an old man|
a teenager|a baby|a couple|a group of friends|a crowd of people|a bride|a waiter|a nurse|a farmer|
a tourist|a student|several people""".replace("\n", "").split("|")
_DRESSED = """in a red jacket|in a blue shirt|with a hat|in a green dress|with sunglasses|
wearing a helmet|with a backpack|in a striped sweater|with long hair|in black|in a uniform|
with a beard""".replace("\n", "").split("|")
_DOING = """riding a horse|reading a newspaper|cutting a cake|playing chess|feeding pigeons|
climbing a ladder|painting a wall|talking on the phone|pushing a cart|carrying groceries|
holding an umbrella|playing the drums|jumping on a trampoline|sitting on a bench|
waiting for a bus|skating on ice|fishing in a river|repairing a car|mowing the lawn|
taking a photograph|blowing out candles|walking a dog|sleeping on a couch|washing dishes|
throwing a frisbee|drinking coffee|dancing|digging a hole|rowing a boat|kicking a ball|
paddling a kayak|juggling|shaking hands|brushing teeth|flying a kite|lifting a box|
playing the trumpet|typing on a laptop|bowling|playing golf""".replace("\n", "").split("|")
_WHERE = """on a beach|in a kitchen|in the snow|on a city street|in a park|in a stadium|
near a waterfall|in a classroom|in a restaurant|on a mountain|in a garden|at night|
in an office|beside a lake|in front of a church|on a bridge|in a forest|at a train station|
in a swimming pool|under a tree|in a supermarket|on a field of grass""".replace("\n", "").split("|")
_THING = """a black dog|a brown cow|a white cat|two zebras|a flock of sheep|an elephant|a parrot|
a red car|an old truck|a yellow bus|a steam train|a sailing boat|a helicopter|a motorcycle|
a bowl of soup|a pizza with olives|a plate of fruit|a birthday cake|a vase of flowers|
a stack of books|a wooden chair|a bed with white pillows|a fire hydrant|a street sign|
a bicycle|a clock tower|a teddy bear|a pair of scissors|a sink and a mirror|
a computer screen|a piano|a snowman|a windmill|a traffic light|a butterfly|
a bear""".replace("\n", "").split("|")
_PLACED = """on a table|in a field|next to a fence|by the sea|in the rain|on the road|
behind a window|in a living room|in a parking lot|at sunset|in the desert|on a shelf|
in front of a brick wall|in shallow water|among tall trees|in an empty room""".replace(
    "\n", ""
).split("|")


def foreign_texts() -> tuple[str, ...]:
    """``COUNT`` descriptions, always the same: half of people, a third of things, some short."""
    draw = random.Random(0).choice
    kinds = (
        lambda: f"{draw(_WHO)} {draw(_DRESSED)} {draw(_DOING)} {draw(_WHERE)}",
        lambda: f"{draw(_WHO)} {draw(_DOING)} {draw(_WHERE)}",
        lambda: f"{draw(_THING)} {draw(_PLACED)}",
        lambda: f"{draw(_THING)} and {draw(_THING)} {draw(_PLACED)}",
        lambda: f"{draw(_WHO)} {draw(_DRESSED)} next to {draw(_THING)} {draw(_WHERE)}",
        lambda: f"{draw(_WHO)} {draw(_DOING)}",
    )
    return tuple(kinds[i % len(kinds)]() for i in range(COUNT))
