"""Rules of the house: arrows between rooms, sizes, names, docstrings, versions."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
ROOMS = ("analysis", "benchmarks", "biomarkers", "datamodules", "engine", "evaluation", "models", "studies")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _files(folder: str, pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(pattern))


SCRIPTS = _files(".", "*.py")
SOURCES = [name for room in ROOMS for name in _files(room, "**/*.py")] + SCRIPTS
TESTS = _files("tests", "**/*.py")
LEAVES = _files("conf", "*/**/*.yaml")  # the roots are not leaves


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_rooms_import_along_the_arrows():
    result = _lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_imports_against_the_arrows_are_found(tmp_path):
    planted = {
        "models/network.py": "import datamodules\nimport numpy\nimport pytorch_lightning\n",
        "datamodules/clips/samplers.py": "import hydra\nimport engine\n",
        "evaluation/report/report.py": "import datamodules.readers\nimport timm\n",
        "engine/decode.py": "import av\n",
        "datamodules/readers/pyav.py": "",
        "studies/claim/__main__.py": "",
        "biomarkers/groups.py": "import engine\n",
    }
    for name, text in planted.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    result = _lint_imports(tmp_path)
    assert result.returncode == 1, result.stderr
    for arrow in (
        "models.network -> datamodules",
        "models.network -> numpy",
        "models.network -> pytorch_lightning",
        "datamodules.clips.samplers -> hydra",
        "datamodules.clips.samplers -> engine",
        "evaluation.report.report -> datamodules.readers",
        "evaluation.report.report -> timm",
        "engine.decode -> av",
        "biomarkers.groups -> engine",
    ):
        assert arrow in result.stdout, f"{arrow} was not found:\n{result.stdout}"


@pytest.mark.parametrize("name", [*SOURCES, *TESTS])
def test_files_are_short(name):
    lines = len(_text(name).splitlines())
    assert lines <= 400, f"{name} has {lines} lines: split it by what it does"


@pytest.mark.parametrize("name", SCRIPTS)
def test_entry_scripts_are_thin(name):
    lines = len(_text(name).splitlines())
    assert lines < 100, f"{name} has {lines} lines: what it does belongs in engine/"


@pytest.mark.parametrize("name", LEAVES)
def test_config_files_are_short(name):
    text = _text(name)
    yaml.safe_load(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= 25, f"{name} has {len(lines)} lines: compose it from smaller groups"


def _public(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """The module, its public classes and functions, and their public methods."""
    found: list[tuple[str, ast.AST]] = [("the module", tree)]

    def visit(nodes: list[ast.stmt], prefix: str) -> None:
        for node in nodes:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            decorators = {ast.unparse(line) for line in node.decorator_list}
            if node.name.startswith("_") or decorators & {"override", "overload"}:
                continue
            found.append((prefix + node.name, node))
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{node.name}.")

    visit(tree.body, "")
    return found


def test_public_names_are_documented():
    total, missing = 0, []
    for file in SOURCES:
        for name, node in _public(ast.parse(_text(file))):
            total += 1
            if ast.get_docstring(node) is None:
                missing.append(f"{file}: {name}")
    share = 1 - len(missing) / total
    assert share >= 0.95, f"{share:.1%} of {total} public names have a docstring; missing:\n" + "\n".join(
        missing
    )


@pytest.mark.parametrize("name", SOURCES)
def test_module_names_say_what_they_hold(name):
    assert Path(name).stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


def _constraints() -> dict[str, Version]:
    lines = [line.strip() for line in _text("constraints.txt").splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    for line in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), f"not just name==version: {line!r}"
    named = {canonicalize_name(line.split("==")[0]): Version(line.split("==")[1]) for line in pins}
    assert len(named) == len(pins), "a name appears twice"
    return named


def _requirements() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return [Requirement(line) for line in (*project["dependencies"], *extras)]


@pytest.mark.parametrize("requirement", _requirements(), ids=str)
def test_the_tested_version_satisfies_the_bound(requirement):
    pinned = _constraints().get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} is missing from constraints.txt"
    assert pinned in requirement.specifier, f"{requirement.name}=={pinned} is outside {requirement.specifier}"


def test_malicious_lightning_releases_are_excluded():
    bounds = [line for line in _requirements() if canonicalize_name(line.name) == "pytorch-lightning"]
    assert len(bounds) == 1
    for version in ("2.6.2", "2.6.3"):  # GHSA-w37p-236h-pfx3
        assert version not in bounds[0].specifier
    assert "lightning" not in _constraints()


def test_constraints_hold_no_address():
    text = _text("constraints.txt")
    assert not re.search(r"://|--|@|\+", text)
