"""Write a made-up corpus: `python -m datamodules.sources.trees avec2014 <folder>`.

It has the layout of the real one, so that everything can be tried without access to it. The exit status is 1
where there is no such corpus or the folder is not empty.
"""

import sys
from pathlib import Path

from datamodules.command_line import run
from datamodules.commands import typed
from datamodules.manifests.made_up import mark
from datamodules.sources import trees
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.registry import corpus


def main(source: str, folder: Path) -> int:
    """Write the tree and return the exit status.

    Args:
        source: The corpus to imitate: adodas, avec2013, avec2014, cmdc, daic_woz, dvlog, edaic,
            first_impressions, folder, lmvd, mpdd, mpdd_avg.
        folder: A new folder.
    """
    try:
        write = corpus(trees, source, "write")
        if folder.is_dir() and any(folder.iterdir()):
            raise SourceError(f"{folder}: not empty; give a new folder, so that no real file is mixed in")
    except SourceError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    write(folder)
    mark(folder)
    command = f"{typed('validate')} source={source} root={folder}"
    sys.stdout.write(f"{folder}: made-up {source}; try {command}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))
