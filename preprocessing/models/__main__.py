"""Get the files of the face networks: `python -m preprocessing.models`.

Three files of Google's MediaPipe (Apache-2.0, 5 MB), checked by SHA-256. They come out of an installed
`mediapipe` that has them, or out of its wheel, which is downloaded and thrown away: it is not installed.
"""

import sys
from pathlib import Path

from datamodules.command_line import run
from preprocessing.models.fetch import fetch
from preprocessing.models.folder import ModelError, default_folder, locate


def main(folder: Path | None = None) -> int:
    """Put the files into a folder; does nothing when they are there.

    Args:
        folder: Where they go; the user's cache by default.
    """
    place = folder or default_folder()
    try:
        locate(place)
        sys.stdout.write(f"The face networks are in {place}\n")
        return 0
    except ModelError:
        pass
    try:
        origin = fetch(place)
    except (ModelError, OSError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    sys.stdout.write(f"The face networks are in {place}, from {origin}\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
