"""What all pictures share: a page measured in inches, its colours, its type and its formats.

A picture is laid out from the top left corner, x to the right and y down, in inches; its height is
known when everything is placed. Text is measured before it is placed, so that nothing is ever cut.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semantic_video.errors import ConfigError, OutputError
from semantic_video.records import Cluster, Span

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle

# Paul Tol's "muted" scheme (SRON/EPS/TN/09-002), made for colour-blind readers; ordered so that
# neighbours differ in lightness too, which survives a black and white print.
COLOURS = (
    "#332288",
    "#CC6677",
    "#117733",
    "#88CCEE",
    "#882255",
    "#DDCC77",
    "#44AA99",
    "#AA4499",
    "#999933",
)
GREY = "#777777"
"""For what has no colour of its own, such as clusters that share a row."""
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
PAD_IN = 0.12
"""Kept free at every edge."""

FORMATS = (".png", ".svg", ".pdf")
_ASPECT = 16 / 9
_MAX_HEIGHT_IN = 300.0
"""Agg draws at most 65536 pixels either way."""
# Fonts for scripts that matplotlib's own lacks, asked in this order, where a system has them.
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)

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

    def width_of(self, text: str, size: float = FONT_PT, bold: bool = False) -> float:
        """The width of one line as it will be drawn, in inches."""
        from matplotlib.font_manager import FontProperties

        font = FontProperties(size=size, weight="bold" if bold else "normal")
        width, _, _ = self._renderer.get_text_width_height_descent(text, font, False)
        return float(width) / DPI

    def widest(self, texts: Sequence[str], size: float = FONT_PT) -> float:
        """The width of the widest of these lines, in inches; 0 for none."""
        return max((self.width_of(text, size) for text in texts), default=0.0)

    def wrap(
        self, text: str, width_in: float, size: float = FONT_PT, bold: bool = False
    ) -> list[str]:
        """The text in lines no wider than ``width_in``: broken at spaces, in words if need be."""
        lines: list[str] = []
        line = ""
        for word in text.split():
            joined = f"{line} {word}" if line else word
            if self.width_of(joined, size, bold) <= width_in:
                line = joined
                continue
            if line:
                lines.append(line)
            while self.width_of(word, size, bold) > width_in and len(word) > 1:
                fits = max(1, int(len(word) * width_in / self.width_of(word, size, bold)))
                while fits > 1 and self.width_of(word[:fits], size, bold) > width_in:
                    fits -= 1
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        return [*lines, line] if line or not lines else lines

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
                line,
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
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        width_pt: float,
        colour: str = FAINT_INK,
        alpha: float = 1.0,
        between: tuple[Rectangle, Rectangle] | None = None,
    ) -> None:
        """Draw a curved arrow, from edge to edge of the rectangles that it goes ``between``."""
        from matplotlib.patches import FancyArrowPatch

        self._axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                patchA=between[0] if between else None,
                patchB=between[1] if between else None,
                arrowstyle="-|>",
                mutation_scale=7 + 1.5 * width_pt,
                connectionstyle="arc3,rad=0.15",
                shrinkA=1,
                shrinkB=1,
                linewidth=width_pt,
                color=colour,
                alpha=alpha,
                zorder=2.5,
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
        image = _decoded(jpeg) if jpeg is not None else None
        self.rectangle(x, y, width, height, "#E4E4E4", layer=layer - 0.1)
        if image is not None and jpeg is not None:
            shown_w, shown_h = _inside(width, height, image.shape[1] / image.shape[0])
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
        height = self.height_in
        if height > _MAX_HEIGHT_IN:
            raise ConfigError(
                f"a picture of {height / self.width_in:.0f} times its width cannot be drawn: "
                "ask for fewer clusters, or for a stretch of the video"
            )
        self._figure.set_size_inches(self.width_in, height)
        self._axes.set_xlim(0, self.width_in)
        self._axes.set_ylim(height, 0)
        no_date: dict[str, Any] = {
            ".svg": {"Date": None},
            ".pdf": {"CreationDate": None},
        }.get(path.suffix, {})
        drawn = io.BytesIO()
        self._figure.savefig(drawn, format=path.suffix[1:], metadata=no_date)
        data = drawn.getvalue()
        if path.suffix == ".svg":
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
    if path.suffix not in FORMATS:
        raise ConfigError(f"Cannot draw a picture as {path.name!r}: end it in .png, .svg or .pdf")
    with matplotlib.style.context("default"), _quiet_about_fonts():
        matplotlib.rcParams.update(
            {
                "font.size": FONT_PT,
                "font.sans-serif": ["DejaVu Sans", *_installed_fonts()],
                "svg.hashsalt": "semantic-video",
                "text.parse_math": False,
            }
        )
        drawing = Page(width_in)
        yield drawing
        drawing._save(path)


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def amount(seconds: float) -> str:
    """How long something lasts: "4.0 s" below a minute, else h:mm:ss."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def shape_of(thumbnails: Mapping[float, bytes]) -> float:
    """Width by height of a video's small pictures."""
    for jpeg in thumbnails.values():
        image = _decoded(jpeg)
        if image is not None:
            return float(image.shape[1] / image.shape[0])
    return _ASPECT


def picture_in(
    thumbnails: Mapping[float, bytes], span: Span, time_s: float | None = None
) -> bytes | None:
    """The small picture taken within a span, nearest to ``time_s`` (default: its middle)."""
    wanted = (span.start_s + span.end_s) / 2 if time_s is None else time_s
    inside = [time for time in thumbnails if span.start_s <= time < span.end_s]
    return thumbnails[min(inside, key=lambda time: (abs(time - wanted), time))] if inside else None


def medoid_picture(thumbnails: Mapping[float, bytes], cluster: Cluster) -> bytes | None:
    """The small picture that shows a cluster best, from the occurrence of its medoid."""
    for span in cluster.occurrences:
        if span.start_s <= cluster.medoid_s < span.end_s:
            return picture_in(thumbnails, span, cluster.medoid_s)
    return None


def _inside(width: float, height: float, aspect: float) -> tuple[float, float]:
    """The largest size of shape ``aspect`` inside a box; what nearly fits fills it."""
    if abs(aspect / (width / height) - 1) < 0.02:
        return width, height
    return (width, width / aspect) if aspect > width / height else (height * aspect, height)


def _decoded(jpeg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """uint8 [H, W, 3], or None where the bytes are no picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError):
        return None


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


@cache
def _installed_fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return tuple(font for font in _MORE_FONTS if font in there)


@contextmanager
def _quiet_about_fonts() -> Iterator[None]:
    """A letter that no font has is drawn as a box; a warning for each helps nobody."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        logger = logging.getLogger("matplotlib.font_manager")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
