"""Every command that a page shows names things that exist, with settings that exist."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

from datamodules.command_line import UsageError, read
from engine.config.source_code import ROOT
from engine.sweeping.command_line import apart
from tests.docs.composing import check, leaves_read_once, tree
from tests.docs.shown_commands import HYDRA, PROGRAMS, TARGETS, in_text, kind_of, pages, shown

COMMANDS = shown()
OTHERS = {
    ".venv/bin/python",
    "cp",
    "euthymia",
    "apt-get",
    "createdb",
    "docker",
    "hadolint",
    "jupyter",
    "pip",
    ".venv/bin/pre-commit",
}  # not of this project


def module(name):
    """The module that `python -m name` runs."""
    file = ROOT / name.replace(".", "/")
    return importlib.import_module(f"{name}.__main__" if (file / "__main__.py").is_file() else name)


@pytest.fixture(scope="module", autouse=True)
def _read_once():
    with leaves_read_once():
        yield


@pytest.mark.parametrize("command", COMMANDS, ids=[command.text for command in COMMANDS])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of what a module imports
def test_a_shown_command_composes(command):
    kind, name, words = command.kind()
    first = next(word for word in command.words() if not re.match(r"[A-Z_]+=", word))
    assert first in {*PROGRAMS, *OTHERS}, f"{command.pages}: {first} is no program that is known here"
    words = [word for word in words if command.whole or "..." not in word]
    if kind == "hydra":
        if command.whole:
            check(name, words)
        else:
            tree(name, apart(words)[0] if name == "sweep" else words)
    elif kind == "module":
        try:
            read(module(name).main, words)
        except UsageError as fault:
            if command.whole or "is missing" not in str(fault):
                raise
    elif kind == "make":
        targets = {word for word in command.words()[1:] if "=" not in word}
        assert targets <= TARGETS, f"{command.pages}: the Makefile has no {targets - TARGETS}"
    else:
        assert name in OTHERS, f"{command.pages}: {name} is no command that is known here"
        if name == "euthymia" and words and "<command>" not in command.text:
            assert words[0].startswith("-"), f"{command.pages}: euthymia has no command {words[0]!r}"


def test_commands_of_all_kinds_are_found():
    kinds = [command.kind()[0] for command in COMMANDS]
    assert {kind: kinds.count(kind) > 5 for kind in ("hydra", "module", "make", "other")} == dict.fromkeys(
        ("hydra", "module", "make", "other"), True
    )
    found = {page for command in COMMANDS for page in command.pages}
    assert {"README.md", "CONTRIBUTING.md", "docker/README.md", "docs/guide/faces.md"} <= found
    assert "docs/results/winner.md" in found  # from a sentence
    assert "docs/results/kills.md" in found  # from an indented line


def test_what_is_collected_of_a_page():
    page = """
Some `python train.py lr=1  seed=2`, `.venv/bin/python eval.py audit=true`,
`make test`, `python` and `train.py`.

```bash
pip install x && python eval.py ckpt_path=<a  ckpt> \\
  audit=true   # why
# only a comment
euthymia train debug=fast
```

```python
python = "no command"
```

    python -m studies.kills kills=2

- in a list:

  ```bash
  python -m a.b
  ```
"""
    assert in_text(page) == [
        ("python train.py lr=1 seed=2", False),
        (".venv/bin/python eval.py audit=true", False),
        ("make test", False),
        ("pip install x", True),
        ("python eval.py ckpt_path=<a ckpt> audit=true", True),
        ("euthymia train debug=fast", True),
        ("python -m studies.kills kills=2", True),
        ("python -m a.b", True),
    ]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("euthymia train lr=1", ("hydra", "train", ["lr=1"])),
        ("euthymia compare a b", ("module", "evaluation.comparison", ["a", "b"])),
        ("euthymia --help", ("other", "euthymia", ["--help"])),
        ("docker run x euthymia train.py", ("hydra", "train", [])),
        ("torchrun --nnodes 2 train.py a=b", ("hydra", "train", ["a=b"])),
        ("python other.py", ("other", "python", ["other.py"])),
    ],
)
def test_programs_that_start_a_command_are_looked_through(words, kind):
    assert kind_of(words.split()) == kind


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("train", ["data.modul.subjects=2"], "data.modul"),
        ("train", ["selection.monitor=test/auc"], "test/auc"),
        ("eval", ["ckpt_path=x", "audits=true"], "audits"),
        ("predict", ["ckpt_path=x"], "input"),
        ("train", ["--hlep"], "--hlep"),
        ("train", ["trust=[euthymia_templat]"], "euthymia_templat"),
        ("sweep", ["widht=1,2"], "widht"),
    ],
)
def test_a_wrong_command_does_not_compose(name, words, says):
    with pytest.raises(Exception, match=says):
        check(name, words)


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_scripts_and_modules_of_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    for script in re.findall(r"\bpython ([a-z]+\.py)", text):
        assert (ROOT / script).is_file(), f"{page} names {script}"
    for name in re.findall(r"\bpython -m ([a-z._]+[a-z])", text):
        file = ROOT / name.replace(".", "/")
        exists = file.with_suffix(".py").is_file() or (file / "__main__.py").is_file()
        assert exists or name in {"pytest", "pip"}, f"{page} names {name}"


def test_the_commands_are_the_scripts():
    scripts = {
        Path(name).stem
        for name in subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()
        if "/" not in name
    }
    assert set(HYDRA) == scripts
