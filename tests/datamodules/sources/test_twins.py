"""Folders copied from a Mac: `._name` beside every file, and hidden folders."""

from pathlib import Path

import pytest

from datamodules.sources import adodas, cmdc, dvlog, first_impressions, folder, lmvd, mpdd, mpdd_avg
from datamodules.sources.shared.download import is_hidden
from datamodules.sources.trees import adodas as adodas_tree
from datamodules.sources.trees import cmdc as cmdc_tree
from datamodules.sources.trees import dvlog as dvlog_tree
from datamodules.sources.trees import first_impressions as first_impressions_tree
from datamodules.sources.trees import folder as folder_tree
from datamodules.sources.trees import lmvd as lmvd_tree
from datamodules.sources.trees import mpdd as mpdd_tree
from datamodules.sources.trees import mpdd_avg as mpdd_avg_tree

TWIN = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(100)
CORPORA = {
    "adodas": (adodas, adodas_tree),
    "cmdc": (cmdc, cmdc_tree),
    "dvlog": (dvlog, dvlog_tree),
    "first_impressions": (first_impressions, first_impressions_tree),
    "folder": (folder, folder_tree),
    "lmvd": (lmvd, lmvd_tree),
    "mpdd": (mpdd, mpdd_tree),
    "mpdd_avg": (mpdd_avg, mpdd_avg_tree),
}


def twins(root: Path) -> None:
    """What macOS leaves: a twin of every file, and copies of all in a hidden folder."""
    for file in [path for path in root.rglob("*") if path.is_file()]:
        file.with_name(f"._{file.name}").write_bytes(TWIN)
        hidden = file.parent / ".Trashes"
        hidden.mkdir(exist_ok=True)
        (hidden / file.name).write_bytes(TWIN)


@pytest.mark.parametrize("name", CORPORA)
def test_twins_change_nothing(tmp_path, name):
    corpus, tree = CORPORA[name]
    root = tmp_path / ("mpdd_young" if name == "mpdd" else name)
    tree.write(root, persons=8 if name == "mpdd_avg" else 4)
    clean = corpus.read(root=root, probe=False)
    twins(root)
    again = corpus.read(root=root, probe=False)
    assert again.table.equals(clean.table)
    assert again.errata == clean.errata


def test_what_is_hidden(tmp_path):
    for name in ("._a.mov", ".cache/a.mov", "b/__MACOSX/a.mov", "b/.c/d/a.mov"):
        assert is_hidden(tmp_path / name, tmp_path)
    below = tmp_path / ".mine"  # the folder that was given may be hidden itself
    assert not is_hidden(below / "b" / "a.mov", below)
