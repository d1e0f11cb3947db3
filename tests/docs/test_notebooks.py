"""Notebooks of the docs: whole, with their outputs and without traces of the machine; and they run."""

import os
import re
import shutil
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from engine.config.source_code import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 300_000  # bytes
_TRACES = re.compile(r"/(?:home|root|tmp|work|Users|var)/|[A-Z]:\\\\|Warning\b|Traceback")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["look_at_a_run", "train_a_fold_by_hand"]


def test_a_notebook_is_whole_and_names_no_machine(notebook):
    text = notebook.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert _TRACES.findall(re.sub(r'"image/png": "[^"]*"', "", text)) == []
    read = nbformat.reads(text, as_version=4)
    nbformat.validate(read)
    assert read.metadata.kernelspec.name == "python3"
    assert read.cells[0].cell_type == "markdown"
    assert read.cells[0].source.startswith("# ")
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run it from the top"
    assert not [out for cell in code for out in cell.outputs if out.get("name") == "stderr"]
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 2


def test_a_picture_is_announced_and_has_alternative_text(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    for before, cell in pairwise(cells):
        if any("image/png" in out.get("data", {}) for out in cell.get("outputs", [])):
            assert len(cell.metadata["alt"]) > 30
            assert before.cell_type == "markdown"
            assert len(before.source) > 100


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_notebook_runs_and_says_the_same(notebook, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    copy = Path(shutil.copy(notebook, tmp_path))
    read = nbformat.read(copy, as_version=4)
    shown = [_text(cell) for cell in read.cells]
    done = NotebookClient(read, timeout=400, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert not [out for cell in done.cells for out in cell.get("outputs", []) if out.get("name") == "stderr"]
    numbers = re.compile(r"\d+\.\d+")
    for cell, before in zip(done.cells, shown, strict=True):  # numbers differ in a digit between machines
        assert numbers.sub("0", _text(cell)) == numbers.sub("0", before)


def _text(cell):
    """What a cell printed and returned as text."""
    found = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.get("outputs", [])]
    return re.sub(r"\s+", " ", " ".join(found))
