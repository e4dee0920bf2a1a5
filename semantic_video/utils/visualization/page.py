"""What all pictures share: a page measured in inches, its colours, its type and its formats.

A picture is laid out from the top left corner, x to the right and y down, in inches; its height is
known when everything is placed. Text is measured before it is placed, so that nothing is ever cut.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semantic_video.errors import ConfigError, OutputError
from semantic_video.utils.visualization.lettering import (
    OWN_FONT,
    font_of,
    legible,
    pieces,
    quiet_about_fonts,
)
from semantic_video.utils.visualization.thumbnails import decoded, inside

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle

INK = "#000000"
FAINT_INK = "#555555"
RULE = "#CCCCCC"
SHADE = "#F3F3F3"

WIDTH_IN = 8.0
DPI = 200
FONT_PT = 9.0
SMALL_PT = 7.5
"""At 800 pixels 10 of them: the smallest that is still read with ease."""
LINE_IN = 0.17
"""Height of one line of text at ``FONT_PT``."""
SMALL_LINE_IN = 0.14
_LEAST_PT = 6.5
"""Names are made no smaller than this to fit."""
PAD_IN = 0.12
"""Kept free at every edge."""

FORMATS = (".png", ".svg", ".pdf")
_MAX_HEIGHT_IN = 300.0
"""Agg draws at most 65536 pixels either way."""
HorizontalAlignment = Literal["left", "center", "right"]


class Page:
    """A white sheet of ``width_in`` inches; made by `page`."""

    def __init__(self, width_in: float = WIDTH_IN) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width_in = width_in
        self.height_in = 1.0
        self._figure = Figure(figsize=(width_in, 1.0), dpi=DPI)
        self._renderer: Any = FigureCanvasAgg(self._figure).get_renderer()  # type: ignore[no-untyped-call]
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, width_in)
        self._jpegs: dict[str, bytes] = {}
        self._spelt = False

    def width_of(self, text: str, size: float = FONT_PT, bold: bool = False) -> float:
        """The width of one line as it will be drawn, in inches."""
        from matplotlib.font_manager import FontProperties

        text = self._written(text)  # first: it may add a font
        font = FontProperties(size=size, weight="bold" if bold else "normal")
        width, _, _ = self._renderer.get_text_width_height_descent(text, font, False)
        return float(width) / DPI

    def widest(self, texts: Sequence[str], size: float = FONT_PT) -> float:
        """The width of the widest of these lines, in inches; 0 for none."""
        return max((self.width_of(text, size) for text in texts), default=0.0)

    def wrap(
        self, text: str, width_in: float, size: float = FONT_PT, bold: bool = False
    ) -> list[str]:
        """The text in lines no wider than ``width_in``, broken at spaces and after hyphens.

        A word that is wider than a line ends in dots.
        """
        lines: list[str] = []
        line = ""
        for word in self._written(text).split():
            for number, piece in enumerate(pieces(word)):
                joined = f"{line} {piece}" if line and number == 0 else line + piece
                if self.width_of(joined, size, bold) <= width_in:
                    line = joined
                    continue
                if line:
                    lines.append(line)
                line = self._shortened(piece, width_in, size, bold)
        return [*lines, line] if line or not lines else lines

    def fitted(self, text: str, width_in: float, size: float = FONT_PT) -> tuple[list[str], float]:
        """As `wrap`, and the size to write at: smaller where a word would not fit a line."""
        parts = [piece for word in self._written(text).split() for piece in pieces(word)]
        widest = self.widest(parts, size)
        if widest > width_in:
            size = max(_LEAST_PT, 0.99 * size * width_in / widest)
        return self.wrap(text, width_in, size), size

    def _shortened(self, word: str, width_in: float, size: float, bold: bool) -> str:
        if self.width_of(word, size, bold) <= width_in:
            return word
        fits = len(word) - 1
        while fits > 1 and self.width_of(f"{word[:fits]}…", size, bold) > width_in:
            fits -= 1
        return f"{word[:fits]}…"

    def _written(self, text: str) -> str:
        """What is drawn for a text; its fonts are there from now on."""
        import matplotlib

        if text.isascii():
            return text
        written = legible(text)
        self._spelt = self._spelt or written != text
        fonts = matplotlib.rcParams["font.family"]
        more = {font for letter in written if (font := font_of(letter)) is not None}
        if not more <= set(fonts):
            matplotlib.rcParams["font.family"] = [*fonts, *sorted(more - set(fonts))]
        return written

    def text(
        self,
        x: float,
        y: float,
        lines: str | Sequence[str],
        *,
        size: float = FONT_PT,
        colour: str = INK,
        align: HorizontalAlignment = "left",
        middle: bool = False,
        bold: bool = False,
        behind: bool = False,
    ) -> None:
        """Write lines whose top (or, with ``middle``, whose middle) lies at ``y``."""
        lines = [lines] if isinstance(lines, str) else list(lines)
        step = LINE_IN * size / FONT_PT
        top = y - step * len(lines) / 2 if middle else y
        for number, line in enumerate(lines):
            self._axes.text(
                x,
                top + step * (number + 0.5),
                self._written(line),
                fontsize=size,
                color=colour,
                ha=align,
                va="center_baseline",
                fontweight="bold" if bold else "normal",
                zorder=2 if behind else 6,
            )

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        *,
        edge: str | None = None,
        edge_pt: float = 0.0,
        alpha: float = 1.0,
        layer: float = 3.0,
    ) -> Rectangle:
        """Draw a rectangle; returned so that an arrow can end at its edge."""
        from matplotlib.patches import Rectangle

        patch = Rectangle(
            (x, y),
            width,
            height,
            facecolor=fill or "none",
            edgecolor=edge or "none",
            linewidth=edge_pt if edge else 0,
            alpha=alpha,
            zorder=layer,
        )
        self._axes.add_patch(patch)
        return patch

    def bands(
        self, spans: Sequence[tuple[float, float]], y: float, height: float, fill: str
    ) -> None:
        """Draw many rectangles of one row, given as (x, width)."""
        self._axes.broken_barh(spans, (y, height), facecolor=fill, linewidth=0, zorder=3)

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str = RULE,
        *,
        width_pt: float = 0.6,
        dashed: bool = False,
        layer: float = 1.0,
    ) -> None:
        """Draw a line through points."""
        self._axes.plot(
            xs,
            ys,
            color=colour,
            linewidth=width_pt,
            linestyle=(0, (4, 3)) if dashed else "-",
            zorder=layer,
            solid_joinstyle="round",
        )

    def area(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        base: float,
        fill: str,
        *,
        alpha: float = 1.0,
        layer: float = 2.0,
    ) -> None:
        """Fill between a line through points and the height ``base``."""
        self._axes.fill_between(
            xs, ys, base, facecolor=fill, alpha=alpha, linewidth=0, zorder=layer
        )

    def dots(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colours: Sequence[str],
        *,
        size_pt: float = 4.0,
        layer: float = 2.0,
    ) -> None:
        """Draw round dots with a thin white edge."""
        self._axes.scatter(
            xs,
            ys,
            s=size_pt**2,
            c=list(colours),
            edgecolors="white",
            linewidths=0.4,
            zorder=layer,
        )

    def arrow(
        self,
        points: Sequence[Sequence[float]],
        *,
        width_pt: float,
        both: bool = False,
        colour: str = INK,
    ) -> None:
        """Draw an arrow on top of all, along the parabola of three points, with a light halo.

        With ``both`` it has a head at either end.
        """
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path as Curve
        from matplotlib.patheffects import Normal, Stroke

        length_pt = 72 * math.dist(points[0], points[-1])
        self._axes.add_patch(
            FancyArrowPatch(
                path=Curve(points, [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3]),
                arrowstyle="<|-|>" if both else "-|>",
                mutation_scale=min(8 + 1.5 * width_pt, 0.7 * length_pt),
                linewidth=width_pt,
                color=colour,
                path_effects=[Stroke(linewidth=width_pt + 2.4, foreground="white"), Normal()],
                zorder=7,
            )
        )

    def picture(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        jpeg: bytes | None,
        *,
        edge: str | None = None,
        edge_pt: float = 0.0,
        layer: float = 4.0,
    ) -> None:
        """Place a small picture inside a box, whole, in its own shape; an empty box for None."""
        image = decoded(jpeg) if jpeg is not None else None
        self.rectangle(x, y, width, height, "#E4E4E4", layer=layer - 0.1)
        if image is not None and jpeg is not None:
            shown_w, shown_h = inside(width, height, image.shape[1] / image.shape[0])
            left, top = x + (width - shown_w) / 2, y + (height - shown_h) / 2
            drawn = self._axes.imshow(
                image,
                extent=(left, left + shown_w, top + shown_h, top),
                aspect="auto",
                interpolation="none",
                zorder=layer,
            )
            name = f"picture{len(self._jpegs)}"
            drawn.set_gid(name)
            self._jpegs[name] = jpeg
        if edge is not None:
            self.rectangle(x, y, width, height, edge=edge, edge_pt=edge_pt, layer=layer + 0.1)

    def heading(self, title: str, note: str = "") -> float:
        """Write the title, and what it should be read with in smaller type; return where to go on.

        Both are optional.
        """
        y = PAD_IN
        wide = self.width_in - 2 * PAD_IN
        if title:
            lines = self.wrap(title, wide, bold=True)
            self.text(PAD_IN, y, lines, bold=True)
            y += LINE_IN * len(lines) + 0.04
        if note:
            y = self.note(y, note)
        return y + 0.04 if title or note else y

    def note(self, y: float, text: str) -> float:
        """Write a small line (or some) across the page; return where to go on."""
        lines = self.wrap(text, self.width_in - 2 * PAD_IN, SMALL_PT)
        self.text(PAD_IN, y, lines, size=SMALL_PT, colour=FAINT_INK)
        return y + SMALL_LINE_IN * len(lines)

    def _save(self, path: Path) -> None:
        if self._spelt:
            below = "Letters that no font of this computer has are written as Unicode names them."
            self.height_in = self.note(self.height_in - PAD_IN, below) + PAD_IN
        height = self.height_in
        if height > _MAX_HEIGHT_IN:
            raise ConfigError(
                f"a picture of {height / self.width_in:.0f} times its width cannot be drawn: "
                "ask for fewer clusters, or for a stretch of the video"
            )
        self._figure.set_size_inches(self.width_in, height)
        self._axes.set_xlim(0, self.width_in)
        self._axes.set_ylim(height, 0)
        suffix = path.suffix.lower()
        no_date: dict[str, Any] = {
            ".svg": {"Date": None},
            ".pdf": {"CreationDate": None},
        }.get(suffix, {})
        drawn = io.BytesIO()
        self._figure.savefig(drawn, format=suffix[1:], metadata=no_date)
        data = drawn.getvalue()
        if suffix == ".svg":
            data = _with_jpegs(data.decode(), self._jpegs).encode()
        try:
            path.write_bytes(data)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def page(path: str | Path, width_in: float = WIDTH_IN) -> Iterator[Page]:
    """A page to draw on, written to ``path`` at the end; the suffix chooses the format.

    The same drawing gives the same bytes, whatever the user's matplotlib settings are.

    Raises:
        ConfigError: matplotlib is missing, or the format is unknown.
        OutputError: the file cannot be written.
    """
    try:
        import matplotlib
        import matplotlib.style
    except ImportError:
        raise ConfigError("Pictures need matplotlib: pip install 'semantic-video[viz]'") from None

    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"Cannot draw a picture as {path.name!r}: end it in .png, .svg or .pdf")
    with matplotlib.style.context("default"), quiet_about_fonts():
        matplotlib.rcParams.update(
            {
                "font.size": FONT_PT,
                "font.family": [OWN_FONT],
                "svg.hashsalt": "semantic-video",
                "text.parse_math": False,
            }
        )
        drawing = Page(width_in)
        yield drawing
        drawing._save(path)


def _with_jpegs(svg: str, jpegs: Mapping[str, bytes]) -> str:
    """The drawing with its pictures as the JPEG that they were, a tenth of what PNG takes."""

    def replaced(match: re.Match[str]) -> str:
        jpeg = jpegs.get(match["name"])
        if jpeg is None:
            return match[0]
        data = base64.b64encode(jpeg).decode()
        return match[0].replace(match["data"], f"data:image/jpeg;base64,{data}")

    return re.sub(
        r'<image [^>]*?xlink:href="(?P<data>data:image/png;base64,[^"]*)"[^>]*?'
        r'id="(?P<name>picture\d+)"[^>]*?/>',
        replaced,
        svg,
    )
