"""README and .ci/run agree, links lead to files, and the Python of the README runs.

Its commands: tests/docs.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.docs.shown_commands import in_text, pages

ROOT = Path(__file__).parents[1]


def test_readme_and_ci_run_the_same_tests():
    ci = [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]
    wanted = ["make install", "make lint", "make docs", "make test", "make test-commands"]
    assert [line for line in ci if line.startswith("make ")] == wanted
    shown = [text for text, _ in in_text((ROOT / "README.md").read_text(encoding="utf-8"))]
    assert {"make test", "make test-commands", "make test-slow"} <= set(shown)
    assert not [command for command in shown if "pytest" in command]


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page} links to {link}"


def test_the_python_of_the_readme_runs(pixel_run):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    shown: dict[str, Any] = {}
    exec(block.replace("outputs/mpdrm/<time>", str(pixel_run.folder)), shown)
    assert {"binary", "score"} <= set(shown["predicted"])
    assert shown["predicted"]["binary"].shape == (2,)
    assert not shown["predicted"]["context_available"].any()
    assert set(shown["table"]["split"]) == {"val", "test"}
    visits = {"subject": torch.tensor([0, 0]), "row": torch.tensor([0, 1])}  # as the text below it says
    assert shown["network"](shown["batch"] | visits)["context_available"].all()


def test_the_index_names_every_page():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    folders = ("docs", "docs/guide", "docs/results")
    paths = [path for folder in folders for path in (ROOT / folder).glob("*.md")]
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in paths} - {"README.md"}
    assert {name for name in pages if f"({name})" not in index} == set()
    assert not re.findall(r"\(docs/", index)
