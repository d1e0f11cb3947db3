"""Style of all figures, and their conversion to data URIs."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): told apart with every common color vision deficiency
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
PURPLE = "#CC79A7"
INK = "#24292f"
GRAY = "#8b949e"
LIGHT = "#d8dee4"

_STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so a report looks the same everywhere
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRAY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eaeef2",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "euthymia",  # equal data give equal files
}


Form = Callable[[Figure], str]
"""How a figure is written: `svg` or `png`."""


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """A figure of `width` x `height` inches in the house style, without any global plotting state."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def svg(figure: Figure) -> str:
    """The figure as a data URI for `<img src=...>`; drawing must still be inside `canvas`."""
    return _uri(figure, "image/svg+xml", format="svg", metadata={"Date": None})


def png(figure: Figure) -> str:
    """The figure as a raster data URI at twice the screen's resolution, for frames."""
    return _uri(figure, "image/png", format="png", dpi=192)


def _uri(figure: Figure, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return f"data:{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
