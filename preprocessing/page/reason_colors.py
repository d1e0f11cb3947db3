"""One color for each reason, on sheets and pages alike."""

from collections.abc import Mapping

# Okabe and Ito, "Color Universal Design" (2008), and a brown and two grays of the same order of lightness
USED = "#009E73"
COLORS: Mapping[str, str] = {
    "no face": "#8b949e",
    "small": "#56B4E9",
    "cut off": "#0072B2",
    "blurred": "#CC79A7",
    "dark": "#24292f",
    "bright": "#F0E442",
    "turned": "#E69F00",
    "hidden": "#D55E00",
    "jump": "#8C510A",
}
_OTHER = "#d8dee4"


def color(reason: str) -> str:
    """Color of a reason as `#rrggbb`; light gray for one that an older cache had."""
    return COLORS.get(reason, _OTHER)


def rgb(color: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
