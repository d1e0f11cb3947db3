"""Write a made-up corpus: `python -m datamodules.sources.trees <source> <folder>`."""

import sys
from pathlib import Path

from datamodules.manifests.made_up import mark
from datamodules.sources import trees
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.registry import corpora, corpus


def main(arguments: list[str]) -> int:
    """Write the tree and return the exit status."""
    if len(arguments) != 2:
        known = ", ".join(corpora(trees, "write"))
        sys.stderr.write(f"usage: python -m datamodules.sources.trees <source> <folder>\nsources: {known}\n")
        return 2
    name, folder = arguments[0], Path(arguments[1])
    try:
        write = corpus(trees, name, "write")
        if folder.is_dir() and any(folder.iterdir()):
            raise SourceError(f"{folder}: not empty; give a new folder, so that no real file is mixed in")
    except SourceError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    write(folder)
    mark(folder)
    command = f"python -m datamodules.checks.validate source={name} root={folder}"
    sys.stdout.write(f"{folder}: made-up {name}; try {command}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
