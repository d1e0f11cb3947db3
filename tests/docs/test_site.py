"""The site: what its hooks make of a page, and what every page must keep to, without a build."""

import ast
import base64
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import markdown
import pytest

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
pytest.importorskip("latex2mathml", reason="the extra `docs` is not installed")
from mkdocs.config import load_config

ROOT = Path(__file__).parents[2]
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docker/README.md")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")) + list(BESIDE)
RESULTS = [name for name in PAGES if name.startswith("docs/results/") and name != "docs/results/README.md"]


LANGUAGES = {"bash", "text", "python", "csv", "yaml", "toml"}  # commands are looked for in bash


def _hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hook_{name}", ROOT / "docs/hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _prose(name: str) -> str:
    """A page without its blocks and spans of code."""
    return re.sub(
        r"`[^`\n]*`", "", re.sub(r"^( *)```.*?^\1```", "", _text(name), flags=re.DOTALL | re.MULTILINE)
    )


def test_the_config_loads_and_fetches_nothing():
    config = load_config(str(ROOT / "mkdocs.yml"))
    assert config.theme["font"] is False
    assert config.extra["polyfills"] == ["javascripts/iframe-worker.js"]
    addresses = [str(line) for line in (*config.extra_css, *config.extra_javascript) if "//" in str(line)]
    assert addresses == []
    assert not config.use_directory_urls
    levels = {**config.validation.links, **config.validation.nav}
    assert {key for key, level in levels.items() if level < 30} == set(), (
        "30 is a warning, which stops a build"
    )


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        (r"so $x_i^2$ is", ["msubsup", "mi", "mi", "mn"]),
        (r"where $a < b$", ["mi", "mo", "mi"]),
        ("$$\n\\frac{1}{n}\n$$", ["mfrac", "mn", "mi"]),
    ],
)
def test_equations_become_mathml(source, tags):
    page = markdown.markdown(
        source,
        extensions=["pymdownx.arithmatex"],
        extension_configs={"pymdownx.arithmatex": {"generic": True}},
    )
    html = _hook("equations").mathml(page)
    (math,) = re.findall(r"<math.*?</math>", html, flags=re.DOTALL)
    found = [element.tag.split("}")[-1] for element in ElementTree.fromstring(math).iter()]
    assert [tag for tag in found if tag not in {"math", "mrow"}] == tags
    assert ('display="block"' in math) == source.startswith("$$")
    assert "arithmatex" not in html


def test_what_the_converter_reads_otherwise_than_latex_is_told_apart():
    mark = '<div class="arithmatex">\\[\\begin{cases} a \\\\[2pt] \\mathcal M \\end{cases}\\]</div>'
    drawn = _hook("equations").mathml(mark)
    assert "2pt" not in drawn
    assert "mathvariant" not in drawn, "browsers draw the letters of a script, not this attribute"
    assert drawn.count("<mtr>") == 2


def test_pictures_of_a_notebook_are_described(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    v4, dot = nbformat.v4, base64.b64encode(b"\x89PNG").decode()
    drawn = [v4.new_output("display_data", data={"image/png": dot})]
    cells = [
        v4.new_markdown_cell("# Title\n\n## Scores"),
        v4.new_code_cell("1", outputs=drawn),
        v4.new_code_cell("2", outputs=drawn, metadata={"alt": "a line that rises"}),
    ]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
    text, pictures = _hook("notebooks").page_of(tmp_path / "one.ipynb")
    assert re.findall(r"!\[(.*?)\]", text) == ["Scores", "a line that rises"]
    assert set(re.findall(r"\]\((.*?)\)", text)) == set(pictures)
    assert all(data.startswith(b"\x89PNG") for data in pictures.values())


def test_a_price_is_no_equation():
    html = _hook("equations").mathml(markdown.markdown("$5 or `$x$`", extensions=["pymdownx.arithmatex"]))
    assert "<math" not in html


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](data.md#columns)", "[a](data.md#columns)"),
        ("[a](../results/claim/README.md)", "[a](../results/claim/README.md)"),
        ("[a](../../README.md#try-it)", "[a](../overview.md#try-it)"),
        ("[a](../decisions)", "[a](../decisions/README.md)"),
        ("[types](../../models/types.py)", "[types][models.types]"),
        ("[`Output`](../../models/types.py)", "[`Output`][models.types.Output]"),
        ("[zoo](../../models/zoo/__init__.py)", "[zoo][models.zoo]"),
        ("[wandb.yaml](../../conf/logger/wandb.yaml)", "`wandb.yaml`"),
        ("[its settings](../../conf/logger/wandb.yaml)", "its settings"),
        ("[a](../../models/absent.py)", "[a](../../models/absent.py)"),
        ("[a](https://optuna.org)", "[a](https://optuna.org)"),
        ("[a](#here)", "[a](#here)"),
        ("![a](../images/cohort.png)", "![a](../images/cohort.png)"),
    ],
)
def test_links_lead_where_the_site_has_a_page(link, expected):
    modules = frozenset({"models.types", "models.zoo"})
    page = "guide/data.md"
    assert _hook("links").rewrite(f"x {link}, y", f"docs/{page}", page, modules) == f"x {expected}, y"


def test_links_of_the_readme_start_at_the_root():
    rewrite = _hook("links").rewrite
    read = "![a](docs/images/mpdrm.svg) [b](docs/guide/data.md#x) [c](docs/README.md) [d](docker/README.md)"
    expected = "![a](images/mpdrm.svg) [b](guide/data.md#x) [c](README.md) [d](docker.md)"
    assert rewrite(read, "README.md", "overview.md", frozenset()) == expected


def test_folders_of_the_navigation_follow_their_index():
    texts = {
        "README.md": "[x](b/x.md)",
        "a/README.md": "[z](z.md) [deep](deep/q.md) [o](deep/o.md) [y](y.md#part)",
        **dict.fromkeys(
            ("a/y.md", "a/z.md", "a/later.md", "a/deep/o.md", "a/deep/q.md", "b/w.md", "b/x.md", "c.md"), ""
        ),
    }
    entries = ["README.md", {"A": "a/"}, {"B": ["b/", "c.md"]}, {"C": "c.md"}, "absent.md", {"D": "d/"}]
    assert _hook("navigation").expand(entries, texts) == [
        "README.md",
        {"A": ["a/README.md", "a/z.md", {"deep": ["a/deep/q.md", "a/deep/o.md"]}, "a/y.md", "a/later.md"]},
        {"B": ["b/x.md", "b/w.md", "c.md"]},
        {"C": "c.md"},
        "absent.md",  # mkdocs says so; an empty folder has no place
    ]


def test_the_reference_has_every_public_module():
    found = _hook("reference").packages(ROOT)
    assert {"models.types", "models.task"} <= set(found["models"])
    names = [name for modules in found.values() for name in modules]
    assert "engine.inference.trained_network" in names
    assert not [name for name in names if name.rsplit(".", 1)[1].startswith("_")]


def test_addresses_that_a_browser_would_fetch_are_found():
    fetched = _hook("offline").fetched
    outside = [
        '<script src="https://a.b/c.js">',
        '<img alt="x" src=//a.b/c.png>',
        "<link href='http://a.b/c'>",
    ]
    assert [len(fetched(html)) for html in outside] == [1, 1, 1]
    inside = '<a href="https://doi.org/1">x</a><img src="../a.png"><script src="assets/b.js"></script>'
    assert fetched(inside) == []


def test_the_search_reads_no_source():
    hook = _hook("search")
    sources = [f'<details class="mkdocstrings-source"><pre>{n}</pre></details>' for n in (1, 2)]
    page = f"<p>a</p>{sources[0]}<p>b</p>{sources[1]}<details><p>c</p></details>"
    shown, held = hook.without_source(page)
    assert held == sources
    assert "<pre>" not in shown
    assert hook.with_source(shown, held) == page


def test_examples_stand_in_a_section_that_the_reference_knows():
    """Google style calls it "Examples:"; a bare `>>>` would become a quotation."""
    rooms = _hook("reference").PACKAGES
    wrong = []
    for path in (path for room in rooms for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                lines = (ast.get_docstring(node) or "").splitlines()
                wrong += [f"{path}: {line}" for line in lines if re.match(r">>> |Example:$", line)]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_read_the_same_on_github_and_on_the_site(page):
    lines = _prose(page).splitlines()
    assert [line for line in lines if line.startswith("# ")][1:] == [], "one title a page"
    for before, line in zip(["", *lines], lines, strict=False):
        item = re.match(r"([-*]|\d+\.) ", line)
        inside = re.match(r"([-*]|\d+\.) |\s|$|#", before)
        assert not (item and not inside), f"a list needs a blank line before it: {line!r} after {before!r}"
        assert not re.match(r" {1,3}([-*]|\d+\.) ", line), f"a list in a list needs four spaces: {line!r}"
        assert not line.startswith("!!!"), "GitHub shows `!!! note` as it is: write `> [!NOTE]`"
    shallow = re.findall(r"^ {1,3}```\w+", _text(page), flags=re.MULTILINE)
    assert shallow == [], "a block in a list needs four spaces"
    fences = re.findall(r"^ *```(.*)$", _text(page), flags=re.MULTILINE)[::2]
    assert {fence.split()[0] if fence else "" for fence in fences} <= LANGUAGES, "what a block holds is told"
    assert re.findall(r"^[ >]*~~~|^ *> *```", _text(page), flags=re.MULTILINE) == [], "blocks begin with ```"
    named = re.findall(r"^ *\[[^\]]+\]: .*|\]\[[^\]]*\]", _prose(page), flags=re.MULTILINE)
    assert named == [], "the address of a link stands beside its text, where tests follow it"


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_alternative_text(page):
    prose = _prose(page)
    assert re.findall(r"!\[\s*\]\([^)]*\)", prose) == []
    assert [tag for tag in re.findall(r"<img[^>]*>", prose) if not re.search(r"alt=\"[^\"]+\"", tag)] == []


def _anchors(name: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    text = re.sub(r"^( *)```.*?^\1```", "", _text(name), flags=re.DOTALL | re.MULTILINE)
    headings = [
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line) for line in re.findall(r"^#+ (.*)", text, flags=re.M)
    ]
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in headings}


@pytest.mark.parametrize("page", PAGES)
def test_anchors_exist(page):
    for target, anchor in re.findall(r"\]\(([^()#\s]*)#([^()\s]+)\)", _prose(page)):
        file = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        if file.suffix == ".md":
            assert anchor in _anchors(file.relative_to(ROOT).as_posix()), f"{page} links to {target}#{anchor}"
        else:
            assert ":" in target, f"{page} links to {target}#{anchor}: lines of a file move, link to the file"


@pytest.mark.parametrize("page", RESULTS)
def test_results_name_the_command_that_makes_them(page):
    commands = re.findall(r"python -m ((?:studies|benchmarks)[a-z_.]*[a-z])", _text(page))
    assert commands, f"{page} names no command"
    for module in commands:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
