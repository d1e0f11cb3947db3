"""Every command that a page shows names things that exist, and the Python of the README runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from engine.config.selection import check_run
from engine.config.targets import check_targets

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "docker/README.md",
    "docs/README.md",
    "docs/decisions/README.md",
    "docs/results/claim/README.md",
    *(f"docs/guide/{name}.md" for name in ("ablations", "analyses", "corpora", "data", "evaluation")),
    *(f"docs/guide/{name}.md" for name in ("export", "faces", "protocols")),
)


def _commands(page: str) -> list[str]:
    """Lines of the page's bash blocks without comments, with continued lines joined."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in (line.split(" #")[0].strip() for line in lines) if line]


COMMANDS = [(page, command) for page in PAGES for command in _commands(page)]
RUNS = list(  # once each, however many pages show it
    dict.fromkeys(
        " ".join(command.split())
        for _, command in COMMANDS
        if re.search(r"\b(train|eval|predict|preprocess|export|analyze)\.py\b", command)
    )
)


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
    shown = [command for page, command in COMMANDS if page == "README.md"]
    assert {"make test", "make test-commands", "make test-slow"} <= set(shown)
    assert not [command for command in shown if "pytest" in command]


@pytest.mark.parametrize("command", RUNS)
def test_runs_compose(command, compose_run):
    match = re.search(r"\b(train|eval|predict|preprocess|export|analyze)\.py\b(.*)", command)
    assert match
    words = [re.sub(r"<[^>]*>", "x", word) for word in re.findall(r"(?:<[^>]*>|\S)+", match.group(2))]
    overrides = [word.strip("'") for word in words if not word.startswith("-")]
    if "--multirun" in words:  # its first job
        overrides = [word.partition(",")[0] for word in overrides]
    if match.group(1) == "train":
        config = compose_run(*overrides)
        check_run(config)
        check_targets(config)
    else:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            compose(match.group(1), overrides)


@pytest.mark.parametrize("page", PAGES)
def test_targets_scripts_modules_and_links_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(_commands(page))))
    assert named <= targets, f"{page} names targets that the Makefile lacks: {named - targets}"
    for script in re.findall(r"\bpython ([a-z]+\.py)", text):
        assert (ROOT / script).is_file(), f"{page} names {script}"
    for module in re.findall(r"\bpython -m ([a-z._]+)", text):
        file = ROOT / module.replace(".", "/")
        exists = file.with_suffix(".py").is_file() or (file / "__main__.py").is_file()
        assert exists or module in {"pytest", "pip"}, f"{page} names {module}"
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text):
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
