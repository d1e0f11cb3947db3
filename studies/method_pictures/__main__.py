"""Draw the pictures of the method pages again: `python -m studies.method_pictures only=mdn,lstm`."""

import sys
from pathlib import Path

from datamodules.command_line import run
from studies.method_pictures.drawing import drawing
from studies.method_pictures.flows import flows
from studies.method_pictures.measured_shapes import measured_shapes

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "methods"


def picture(name: str) -> str:
    """Return the SVG of a flow, its shapes measured."""
    flow = flows()[name]
    return drawing(flow, measured_shapes(flow.of, values=flow.values) if flow.of else {})


def main(folder: Path = FOLDER, *, only: tuple[str, ...] = ()) -> None:
    """Draw the pictures of the method pages.

    Args:
        folder: Where they are written.
        only: Names of pictures; all by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in only or flows():
        (folder / f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))
