"""How commands are typed, and that no message spells one out by itself."""

import ast
import re

import pytest

from datamodules.commands import COMMANDS, TYPED_AS, typed, typed_module, typed_script
from tests.commands import ROOT

ROOMS = ("analysis", "biomarkers", "datamodules", "engine", "evaluation", "models", "preprocessing")
SPELLED = re.compile(r"python (-m \w|[a-z]+\.py)")
ABOUT = "engine/console.py"  # says what the two ways have to do with each other


def test_a_command_is_typed_as_its_process_was_started(monkeypatch):
    monkeypatch.delenv(TYPED_AS, raising=False)
    assert typed("eval") == "python eval.py"
    assert typed("compare") == typed_module("evaluation.comparison") == "python -m evaluation.comparison"
    assert typed("validate") == "python -m datamodules.checks.validate"
    monkeypatch.setenv(TYPED_AS, "euthymia")
    assert [typed(name) for name in COMMANDS] == [f"euthymia {name}" for name in COMMANDS]
    assert typed_module("evaluation.comparison") == "euthymia compare"
    assert typed_module("studies.claim") == "python -m studies.claim"  # which euthymia does not have
    with pytest.raises(KeyError):
        typed("trian")


@pytest.mark.parametrize(
    ("script", "by_python", "by_euthymia"),
    [
        ("/home/me/code/train.py", "python train.py", "euthymia train"),
        ("preprocess.py", "python preprocess.py", "euthymia preprocess"),
        ("/code/engine/forecast/__main__.py", "python -m engine.forecast", "euthymia forecast"),
        ("/code/studies/claim/__main__.py", "python __main__.py", "python __main__.py"),
    ],
)
def test_a_running_file_is_typed_as_its_command(script, by_python, by_euthymia, monkeypatch):
    monkeypatch.delenv(TYPED_AS, raising=False)
    assert typed_script(script) == by_python
    monkeypatch.setenv(TYPED_AS, "euthymia")
    assert typed_script(script) == by_euthymia


def test_no_text_of_the_program_spells_a_command_by_itself():
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    assert len(files) > 300
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in files
        if file != ROOT / ABOUT
        for line, text in texts(ast.parse(file.read_text(encoding="utf-8")))
        if SPELLED.search(text)
    ]
    assert found == [], "word it by datamodules.commands.typed"


def texts(tree):
    """Line and content of all texts but docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def test_a_help_page_spells_none_either():
    for page in (ROOT / "conf/hydra/help").glob("*.yaml"):
        _, _, template = page.read_text(encoding="utf-8").partition("template:")
        assert "${typed:" in template
        assert not SPELLED.search(template), page.name
