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
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]
    wanted = ["make install", "make -j2 --output-sync lint docs", "make test"]
    assert [line.partition(" #")[0].strip() for line in ci if line.startswith("make ")] == wanted
    makefile = (ROOT / "Makefile").read_text()
    for target in ("test", "test-commands", "test-slow"):  # both say the same time
        (line,) = re.findall(rf"^make {target} .*\D(\d+ minutes)", readme, flags=re.MULTILINE)
        (own,) = re.findall(rf"^{target}: .*\D(\d+ minutes)", makefile, flags=re.MULTILINE)
        assert line == own, target
    shown = [text for text, _ in in_text(readme)]
    assert {"make test", "make test-commands", "make test-slow"} <= set(shown)
    assert not [command for command in shown if "pytest" in command]


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    folder = (
        ROOT / "docs" / "results" if page.is_relative_to(ROOT / "studies") else page.parent
    )  # a page's text
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (folder / link).exists(), f"{page} links to {link}"


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


def _linked(index: Path) -> set[Path]:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", index.read_text(encoding="utf-8"))
    return {(index.parent / target).resolve() for target in targets}


def test_every_page_stands_in_the_index_of_its_folder():
    """The nearest README.md above a page links to it, and the one above that to this README.md."""
    docs = ROOT / "docs"
    pages = [page for pattern in ("*.md", "*.ipynb") for page in docs.rglob(pattern)]
    missing = []
    for page in pages:
        above = page.parent.parents if page.name == "README.md" else (page.parent, *page.parent.parents)
        index = next(folder / "README.md" for folder in above if (folder / "README.md").is_file())
        if page != docs / "README.md" and page.resolve() not in _linked(index):
            missing.append(f"{page.relative_to(ROOT)} is not in {index.relative_to(ROOT)}")
    assert pages
    assert missing == []
    assert (docs / "README.md").resolve() in _linked(ROOT / "README.md")
