"""Method pages: one form, numbers of the results pages, pictures of built networks, nothing left out."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from latex2mathml.converter import convert

from studies.method_pictures.__main__ import FOLDER, picture
from studies.method_pictures.drawing import drawing
from studies.method_pictures.flows import Box, Flow, flows
from studies.method_pictures.measured_shapes import measured_shapes, written

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "docs" / "methods"
PAGES = sorted(path.relative_to(METHODS).as_posix() for path in METHODS.glob("*/*.md"))
INDEX = (METHODS / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d*\.?\d+)(?![\w]|\.\d)")
SOURCES = ("docs/results/", "docs/guide/")


def _text(page: str) -> str:
    return (METHODS / page).read_text(encoding="utf-8")


def _section(text: str, name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    return found.group(1).strip() if found else ""


def _numbers(text: str) -> list[str]:
    """Numbers in a text as they are written, without plus, thousands' commas and leading zero."""
    prose = re.sub(r"\]\([^)]*\)|`[^`]*`", " ", text)
    found = (number.replace(",", "").lstrip("+") for number in NUMBER.findall(prose))
    return [re.sub(r"^(-?)0\.", r"\1.", number) for number in found]


def _intervals(text: str) -> list[tuple[str, ...]]:
    """Value, low and high wherever an interval stands behind a value, be it in the next column."""
    plain = re.sub(r"\*\*|\s*\|\s*|\s+", lambda found: "" if found[0] == "**" else " ", text)
    one = NUMBER.pattern
    return [tuple(_numbers(" ".join(found))) for found in re.findall(rf"({one}) \[({one}), ({one})\]", plain)]


def _links(page: str, text: str) -> list[str]:
    """Files that a text links to, from the root of the repository."""
    inside = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
    return [((METHODS / page).parent / link).resolve().relative_to(ROOT).as_posix() for link in inside]


def _unbacked(measured: str, sources: str) -> list[str]:
    """Numbers of a measured section that no source has."""
    known, whole = set(_numbers(sources)), set(_intervals(sources))
    intervals = [" ".join(found) for found in _intervals(measured) if found not in whole]
    return [number for number in _numbers(measured) if number not in known] + intervals


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_parts(page):
    text = _text(page)
    assert text.startswith("# ")
    assert f"({page})" in INDEX
    ((words, image),) = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)
    assert len(words) > 20
    assert ((METHODS / page).parent / image).is_file()
    assert _section(text, "Equations").count("$$") >= 2
    assert text.count("$$") % 2 == 0
    assert re.search(r"```bash\npython ", _section(text, "(?:Train|Run) it"))
    parts = ("In and out", "As published, and as built", "Measured", "Source", "Code")
    assert [name for name in parts if not _section(text, name)] == []
    assert [link for link in _links(page, text) if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_measured_numbers_stand_on_the_pages_that_are_linked(page):
    measured = _section(_text(page), "Measured")
    sources = [link for link in _links(page, measured) if link.startswith(SOURCES)]
    if not sources:
        assert measured.startswith("Not measured")
        assert _numbers(measured) == []
    assert _unbacked(measured, "\n".join((ROOT / link).read_text(encoding="utf-8") for link in sources)) == []


def test_a_number_that_no_source_has_is_seen():
    source = "| lstm | 0.616 [0.543, 0.685] |, over 11,000 persons, +.20, -0.104"
    assert _unbacked("AUC .616 [0.543, 0.685], 11000 persons, 0.20 and -.104", source) == []
    assert _unbacked("AUC 0.617 [0.543, 0.685] of 12 persons, 0.104", source) == [
        ".617",
        "12",
        ".104",
        ".617 .543 .685",
    ]
    assert _unbacked("AUC .616 [-0.104, 0.685]", source) == [".616 -.104 .685"]
    assert _intervals("| a | **-0.02** | [-0.06, 0.018] |") == [("-.02", "-.06", ".018")]
    assert _unbacked("see [7](x9.md) and `mdn_50`", source) == ["7"]


@pytest.mark.parametrize("page", PAGES)
def test_every_equation_becomes_mathml(page):
    for equation in re.findall(r"\$\$\n(.*?)\n\$\$", _text(page), flags=re.DOTALL):
        mathml = convert(equation, display="block")
        ElementTree.fromstring(mathml)
        left = [text for text in ElementTree.fromstring(mathml).itertext() if "\\" in text]
        assert left == [], f"{equation}: {left} is shown as it is written"


def _modules(leaf: Path) -> set[str]:
    """Files of the classes below models/ that a leaf names."""
    targets = re.findall(r"_target_: (models\.[\w.]+)\.\w+", leaf.read_text(encoding="utf-8"))
    return {target.replace(".", "/") + ".py" for target in targets}


def test_every_network_and_analysis_has_a_page():
    linked = {link for page in PAGES for link in _links(page, _section(_text(page), "Code"))}
    groups = ("trunk", "fusion", "context", "rarm", "contrast", "mmp")
    leaves = [leaf for group in groups for leaf in (ROOT / "conf/model" / group).glob("*.yaml")]
    leaves += (ROOT / "conf/model/heads").glob("items*.yaml")
    wanted = set().union(*map(_modules, leaves))
    trunks = [
        path
        for path in (ROOT / "models/zoo").glob("*/*.py")
        if re.search(r"class \w+Trunk\b", path.read_text())
    ]
    assert len(trunks) >= 12
    wanted |= {path.relative_to(ROOT).as_posix() for path in trunks}
    wanted |= {f"conf/analysis/{path.name}" for path in (ROOT / "conf/analysis").glob("*.yaml")}
    assert wanted - linked == set(), "write a page in docs/methods, and link these under Code"


def test_every_picture_is_drawn_from_a_flow_and_shown():
    shown = {match for page in PAGES for match in re.findall(r"images/methods/(\w+)\.svg", _text(page))}
    assert set(flows()) == shown == {path.stem for path in FOLDER.glob("*.svg")}


# built in seconds each
LARGE = {"dep_mgnn", "li_fpn", "lmtformer", "mdn", "msn", "pra_net", "sta_drn"}
LARGE |= {"timm_frames", "tuning", "video_network", "vit_video"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in flows()]
)
def test_a_picture_is_what_the_built_network_says(name):
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == picture(name), (
        f"draw it again: python -m studies.method_pictures only={name}"
    )


def test_shapes_are_those_of_the_network():
    shapes = measured_shapes(("experiment=mpdrm_series", "model.network.depression.trunk.pool=8", "width=32"))
    assert shapes["input"] == "(B, 216, 17)"
    assert shapes["depression"] == "(B, 27, 32)"
    assert shapes["depression#1"] == "(B, 27)"
    with pytest.raises(ValueError, match="no multiple"):
        written((3, 5))


def test_words_stay_inside_of_their_boxes():
    flow = Flow("A title " * 12, ((Box("word " * 30, "note " * 40), Box("x", shape="(B, 1)")), (Box("y"),)))
    svg = drawing(flow, {})
    root = ElementTree.fromstring(svg)
    space = {"s": "http://www.w3.org/2000/svg"}
    width = float(root.attrib["width"])
    lines = root.findall(".//s:text", space)
    assert all(float(line.attrib["x"]) + 6 * len(line.text or "") < width for line in lines)
    assert max(float(line.attrib["y"]) for line in lines) < float(root.attrib["height"])
    with pytest.raises(ValueError, match="no module 'gone'"):
        drawing(Flow("t", ((Box("x", at="gone"),),)), {})


def test_tables_of_flows_are_whole():
    for table in (ROOT / "studies/method_pictures/tables").glob("*.yaml"):
        for entry in yaml.safe_load(table.read_text(encoding="utf-8")).values():
            assert set(entry) <= {"title", "of", "values", "rows"}
