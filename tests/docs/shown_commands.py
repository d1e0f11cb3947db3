"""The commands that pages show, in order of the pages, each with the pages that show it.

Shown are lines of bash blocks, indented lines that begin with `python`, and commands within a sentence. Of
the latter some only name a command or leave settings out (`...`); these are no whole commands.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datamodules.commands import COMMANDS as EUTHYMIA
from engine.config.source_code import ROOT

Kind = Literal["hydra", "module", "make", "other"]

HYDRA = tuple(
    sorted(path.stem for path in ROOT.glob("*.py") if (ROOT / "conf" / f"{path.stem}.yaml").is_file())
)
PROGRAMS = ("python", "make", "euthymia", "docker", "torchrun", "srun", "sbatch", "pip")
NAMED = (
    "datamodules.checks.validate",
    "engine.forecast",
    "evaluation.comparison",
)  # they need to be told of what
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))

MEANT = {"experiment=<name>": "experiment=mpdrm", "<its settings>": "seed=0"}
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", flags=re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^ {4,}(python .+)$", flags=re.MULTILINE)
_WITHIN = re.compile(rf"`((?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)}) [^`]+)`")
_PLACEHOLDER = re.compile(r"(?:experiment=)?<[^<>]*>")


@dataclass(frozen=True)
class Command:
    """A command as it is shown.

    Attributes:
        text: On one line, without its comment.
        pages: Names of the pages that show it, relative to the repository.
        whole: Whether it can be typed as it stands; a sentence may leave settings out.
    """

    text: str
    pages: tuple[str, ...]
    whole: bool

    def words(self, fill: Mapping[str, str] = MEANT) -> list[str]:
        """The words that a shell would hand over, placeholders such as `<ckpt>` filled in, or x."""
        return shlex.split(_PLACEHOLDER.sub(lambda found: fill.get(found[0], "x"), self.text))

    def kind(self) -> tuple[Kind, str, list[str]]:
        """What kind of command it is, the script, module or target that it names, and what follows."""
        return kind_of(self.words())


def kind_of(words: list[str]) -> tuple[Kind, str, list[str]]:
    """Kind, name and settings of a command; programs that start another one are looked through.

    >>> kind_of(["srun", "python", "train.py", "lr=1"])
    ('hydra', 'train', ['lr=1'])
    >>> kind_of(["python", "-m", "studies.claim", "out=x"])
    ('module', 'studies.claim', ['out=x'])
    """
    if words[0] == "make":
        return "make", words[-1], []
    if words[0] == "euthymia" and words[1:2] and words[1] in EUTHYMIA:
        file = Path(EUTHYMIA[words[1]]).with_suffix("")
        name = ".".join(part for part in file.parts if part != "__main__")
        return ("hydra" if name in HYDRA else "module"), name, words[2:]
    for place, word in enumerate(words):
        name = word.removesuffix(".py")
        if word.endswith(".py") and name in HYDRA:
            return "hydra", name, words[place + 1 :]
        if word == "-m" and words[place - 1].endswith("python") and words[place + 1] not in ("pip", "pytest"):
            return "module", words[place + 1], words[place + 2 :]
    return "other", words[0], words[1:]


def pages() -> list[Path]:
    """Every page that may show commands."""
    fixed = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docker/README.md")]
    folders = ("docs", "models", "benchmarks", "studies", "datamodules")
    return [*fixed, *(path for folder in folders for path in sorted((ROOT / folder).rglob("*.md")))]


def in_text(text: str) -> list[tuple[str, bool]]:
    """The commands that a page shows, in its order, and whether each stands on a line of its own."""
    found = [(block.start(), line, True) for block in _FENCE.finditer(text) for line in _lines(block)]
    blank = _FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)  # places stay the same
    found += [(line.start(), line[1], True) for line in _INDENTED.finditer(blank)]
    found += [(span.start(), span[1], False) for span in _WITHIN.finditer(blank)]
    ordered = sorted(found, key=lambda one: one[0])  # stable: lines of a block stay in order
    return [(cut, line) for _, text, line in ordered for cut in _commands(text)]


def shown() -> list[Command]:
    """Each distinct command once, where it is shown first."""
    seen: dict[str, tuple[list[str], bool]] = {}
    for path in pages():
        page = path.relative_to(ROOT).as_posix()
        if page == "docs/not_run.md":  # it lists commands of other pages
            continue
        for text, line in in_text(path.read_text(encoding="utf-8")):
            where, whole = seen.setdefault(text, ([], False))
            where.extend([page] if page not in where else [])
            seen[text] = where, whole or _is_whole(text, line=line)
    return [Command(text, tuple(where), whole) for text, (where, whole) in seen.items()]


def _lines(block: re.Match[str]) -> list[str]:
    """Lines of a block for the shell, with continued lines joined."""
    return block[3].replace("\\\n", " ").splitlines() if block[2] in {"bash", "sh", "console"} else []


def _commands(line: str) -> list[str]:
    """The commands of a line without its comment, each with single blanks."""
    code = re.split(r"(?:^|\s)#", line)[0]
    return [" ".join(part.split()) for part in code.split("&&") if part.strip()]


def _is_whole(text: str, *, line: bool) -> bool:
    """Whether a command stands as one types it: in a sentence `python -m x` may only name a module."""
    if "..." in text or line:
        return "..." not in text
    if text.startswith("euthymia <"):
        return False
    kind, name, words = kind_of(Command(text, (), whole=True).words())
    return bool(words) or (kind != "hydra" and name not in NAMED)
