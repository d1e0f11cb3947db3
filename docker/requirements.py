"""Write the requirements of the project and of the extras named on the command line, without building it.

An image installs them in a layer of their own, which a change of the sources does not invalidate.
"""

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """Return the dependencies in `pyproject`, then those of each extra, in the order of the file."""
    project = tomllib.loads(pyproject.read_text())["project"]
    lines: list[str] = project["dependencies"]
    for extra in extras:
        lines = lines + project["optional-dependencies"][extra]
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path("pyproject.toml"), sys.argv[1:])) + "\n")
