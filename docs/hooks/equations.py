"""Equations: LaTeX between dollars becomes MathML, which browsers draw without a script."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_MATH = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', flags=re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Replace what `pymdownx.arithmatex` marked."""
    return mathml(content)


def mathml(content: str) -> str:
    """Return HTML with every marked equation as MathML; displayed ones scroll in a box of their own."""

    def replaced(match: re.Match[str]) -> str:
        tag, bracket, latex = match.groups()
        display = "block" if bracket == "[" else "inline"
        return f'<{tag} class="equation">{convert(_readable(html.unescape(latex)), display=display)}</{tag}>'

    return _MATH.sub(replaced, content)


def _readable(latex: str) -> str:
    r"""Return LaTeX as the converter reads it: no `[2pt]` after a line, braces around what a font is for."""
    latex = re.sub(r"\\\\\[[^\]]*\]", r"\\\\", latex.strip())
    return re.sub(r"\\(math\w+) (\w)", r"\\\1{\2}", latex)
