"""Files of a downloaded corpus, found by name wherever they lie below its folder."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from datamodules.sources.shared.draft import Draft, SourceError, existing_folder

_SHOWN = 3  # files named in a message


def is_hidden(path: Path, root: Path) -> bool:
    """Whether a file below a folder is hidden, such as the `._` twins that macOS adds to every file."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(root).parts)


@dataclass(frozen=True, kw_only=True)
class Download:
    """All files below a folder in sorted order; hidden ones are left out.

    Args:
        root: The folder, absolute.
        files: What is in it, at any depth.
        hidden: Files that were left out, such as the `._` twins macOS adds to archives.
    """

    root: Path
    files: tuple[Path, ...]
    hidden: tuple[Path, ...]

    @classmethod
    def below(cls, root: str | Path) -> "Download":
        """Walk the folder once, through links to folders too.

        Raises:
            SourceError: It is not there.
        """
        top = existing_folder(root)
        found: list[Path] = []
        hidden: list[Path] = []
        seen: set[str] = set()
        for folder, inner, names in os.walk(top, followlinks=True):
            inner.sort()
            real = os.path.realpath(folder)
            if real in seen:  # a link back up, or a second way to the same files
                inner.clear()
                continue
            seen.add(real)
            for name in names:
                path = Path(folder, name)
                (hidden if is_hidden(path, top) else found).append(path)
        return cls(root=top, files=tuple(sorted(found)), hidden=tuple(sorted(hidden)))

    def matching(self, pattern: re.Pattern[str]) -> dict[str, Path]:
        """Files whose whole name matches, by the group `key` of the match.

        Raises:
            SourceError: Two files have one key: which of them counts is not ours to guess.
        """
        found: dict[str, Path] = {}
        for path in self.files:
            match = pattern.fullmatch(path.name)
            if match is None:
                continue
            key = match.group("key")
            if key in found:
                raise SourceError(f"{path}: '{key}' is also at {found[key]}; keep one of the two files")
            found[key] = path
        return found

    def named(self, name: str) -> Path | None:
        """The one file of this name in any case; None if there is none.

        Raises:
            SourceError: Two files have the name.
        """
        found = self.matching(re.compile(f"(?P<key>{re.escape(name)})", re.IGNORECASE))
        if len(found) > 1:
            where = " and ".join(map(str, found.values()))
            raise SourceError(f"{self.root}: '{name}' is there twice: {where}; keep one")
        return next(iter(found.values()), None)

    def required(self, name: str) -> Path:
        """As `named`, but the file must be there.

        Raises:
            SourceError: There is none, or there are two.
        """
        path = self.named(name)
        if path is None:
            raise SourceError(
                f"{self.root}: no label file '{name}' in it or below; copy it there, or correct root"
            )
        return path

    def report(self, draft: Draft) -> None:
        """List the hidden files among the corrections."""
        if self.hidden:
            shown = ", ".join(path.relative_to(self.root).as_posix() for path in self.hidden[:_SHOWN])
            draft.correct("hidden_files", shown, f"{len(self.hidden)} hidden file(s) left out")
