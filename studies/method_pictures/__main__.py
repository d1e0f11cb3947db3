"""Draw the pictures of the method pages again: `python -m studies.method_pictures [<name> ...]`."""

import sys
from pathlib import Path

from studies.method_pictures.drawing import drawing
from studies.method_pictures.flows import flows
from studies.method_pictures.measured_shapes import measured_shapes

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "methods"


def picture(name: str) -> str:
    """Return the SVG of a flow, its shapes measured."""
    flow = flows()[name]
    return drawing(flow, measured_shapes(flow.of, values=flow.values) if flow.of else {})


def main(names: list[str]) -> None:
    """Write the pictures of these names, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or flows():
        (FOLDER / f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
