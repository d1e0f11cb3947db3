"""Draw a flow as an SVG for a narrow screen: boxes below each other, arrows straight down."""

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap

from studies.method_pictures.flows import Box, Flow

_WIDTH, _EDGE, _GAP, _BESIDE, _PAD = 390, 16, 24, 12, 10
_FONT = "-apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
_MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_INK, _SOFT, _FRAME = "#24292f", "#4b5563", "#d8dee4"
_FIRST, _LAST = "#0072B2", "#009E73"
# size of the letters, and the width that one is given, by what it writes
_SIZES = {"title": (15, 9.6), "name": (14, 9.2), "note": (12, 6.7), "shape": (12, 7.4)}
_LEADING = 5


def drawing(flow: Flow, shapes: Mapping[str, str]) -> str:
    """Return the SVG of a flow whose boxes have these shapes by `Box.at`."""
    title = _wrapped(flow.title, "title", _WIDTH - 2 * _EDGE)
    y = float(_EDGE + len(title) * 20 + 6)
    parts = [_text(_EDGE, _EDGE + 14 + 20 * i, line, "title") for i, line in enumerate(title)]
    told: list[str] = []
    for place, row in enumerate(flow.rows):
        color = {0: _FIRST, len(flow.rows) - 1: _LAST}.get(place, _INK)
        drawn, y = _row(row, shapes, y, color)
        parts += drawn
        if place + 1 < len(flow.rows):
            parts += [_arrow(x, y) for x in _middles(min(2, max(len(row), len(flow.rows[place + 1]))))]
            y += _GAP
        told.append(" and ".join(" ".join(filter(None, (b.name, _shape(b, shapes)))) for b in row))
    return _page(flow.title, "; then ".join(told), y + _EDGE, parts)


def _row(row: Sequence[Box], shapes: Mapping[str, str], y: float, color: str) -> tuple[list[str], float]:
    """Boxes beside each other, two to a line, and where they end."""
    parts = []
    for first in range(0, len(row), 2):
        pair = row[first : first + 2]
        y += _BESIDE if first else 0
        width = (_WIDTH - 2 * _EDGE - _BESIDE * (len(pair) - 1)) / len(pair)
        lines = [_lines(box, shapes, width - 2 * _PAD) for box in pair]
        height = max(map(_height, lines))
        for place, box_lines in enumerate(lines):
            x = _EDGE + place * (width + _BESIDE)
            parts.append(_rectangle(x, y, width, height, color) + _written(x, y, box_lines))
        y += height
    return parts, y


def _shape(box: Box, shapes: Mapping[str, str]) -> str:
    if not box.at:
        return box.shape
    if box.at not in shapes:
        raise ValueError(f"no module {box.at!r} has told a shape: take one of {sorted(shapes)}")
    return shapes[box.at]


def _lines(box: Box, shapes: Mapping[str, str], width: float) -> list[tuple[str, str]]:
    found = [("name", line) for line in _wrapped(box.name, "name", width)]
    found += [("shape", line) for line in _wrapped(_shape(box, shapes), "shape", width)]
    return found + [("note", line) for line in _wrapped(box.note, "note", width)]


def _wrapped(text: str, kind: str, width: float) -> list[str]:
    return wrap(text, max(8, int(width / _SIZES[kind][1])), break_long_words=False, break_on_hyphens=False)


def _height(lines: list[tuple[str, str]]) -> float:
    return sum(_SIZES[kind][0] + _LEADING for kind, _ in lines) + 2 * _PAD - _LEADING


def _written(x: float, y: float, lines: list[tuple[str, str]]) -> str:
    parts, baseline = [], y + _PAD - 2
    for kind, line in lines:
        baseline += _SIZES[kind][0]
        parts.append(_text(x + _PAD, baseline, line, kind))
        baseline += _LEADING
    return "".join(parts)


def _text(x: float, y: float, line: str, kind: str) -> str:
    size = _SIZES[kind][0]
    font = f' font-family="{_MONO}"' if kind == "shape" else ""
    weight = ' font-weight="bold"' if kind in ("title", "name") else ""
    color = _SOFT if kind == "note" else _INK
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{color}"{font}{weight}>{escape(line)}</text>\n'
    )


def _rectangle(x: float, y: float, width: float, height: float, color: str) -> str:
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="6" fill="#ffffff" stroke="{color}" stroke-width="1.6"/>\n'


def _middles(count: int) -> list[float]:
    width = (_WIDTH - 2 * _EDGE - _BESIDE * (count - 1)) / count
    return [_EDGE + i * (width + _BESIDE) + width / 2 for i in range(count)]


def _arrow(x: float, y: float) -> str:
    return (
        f'<path d="M{x:g} {y + 3:g} V{y + _GAP - 8:g}" stroke="{_INK}" stroke-width="1.6"/>'
        f'<path d="M{x - 5:g} {y + _GAP - 10:g} h10 l-5 7 z" fill="{_INK}"/>\n'
    )


def _page(title: str, told: str, height: float, parts: list[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d" '
        f'font-family="{_FONT}">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(told)}.</desc>\n'
        f'<rect x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1:g}" rx="10" fill="#ffffff" '
        f'stroke="{_FRAME}"/>\n' + "".join(parts) + "</svg>\n"
    )
