"""Rules of the house: arrows between rooms, sizes, names, docstrings, versions."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
ROOMS = (
    *("analysis", "benchmarks", "biomarkers", "datamodules", "engine"),
    *("evaluation", "models", "preprocessing", "studies"),
)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


_TO_PROCESSES = {"ProcessPoolExecutor", "submit", "map"}


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
        "models.mpdrm.rarm": ("datamodules", "numpy", "pytorch_lightning"),
        "models.masking": ("models.mpdrm.rarm",),
        "datamodules.clips.samplers": ("hydra", "engine"),
        "datamodules.manifests.manifest": ("datamodules.splits.protocols",),
        "evaluation.tables.aggregate": ("datamodules.readers", "timm", "evaluation.report.report"),
        "engine.config.build": ("av", "engine.training.fit", "analysis"),
        "biomarkers.groups.subject_means": ("engine",),
    }
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for module, imports in planted.items():
        file = (tmp_path / module.replace(".", "/")).with_suffix(".py")
        with file.open("a", encoding="utf-8") as out:
            out.writelines(f"import {name}\n" for name in imports)
    result = _lint_imports(tmp_path)
    assert result.returncode == 1, result.stderr
    told = re.sub(r"\s+", " ", result.stdout)
    for module, imports in planted.items():
        for name in imports:
            assert f"{module} -> {name}" in told, f"{module} -> {name} was not found:\n{result.stdout}"


def _long(names: list[str], most: int) -> dict[str, int]:
    lengths = {name: len(_text(name).splitlines()) for name in names}
    return {name: lines for name, lines in lengths.items() if lines > most}


def test_files_are_short():
    assert _long([*SOURCES, *TESTS], 400) == {}, "split these by what they do"


def test_folders_are_short():
    counts = Counter(Path(name).parent for name in SOURCES if Path(name).name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > 16} == {}, (
        "too many side by side"
    )


def test_entry_scripts_are_thin():
    assert _long(SCRIPTS, 99) == {}, "what they do belongs in engine/ or analysis/"


def test_config_files_are_short():
    long = {}
    whole = set(_files("conf", "analysis/*.yaml"))  # the steps of a paper are read together
    for name in LEAVES:
        text = _text(name)
        yaml.safe_load(text)
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if len(lines) > 25 and name not in whole:
            long[name] = len(lines)
    assert long == {}, "compose these from smaller groups"


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


def test_module_names_say_what_they_hold():
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [name for name in SOURCES if Path(name).stem in vague] == []


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


def test_the_tested_versions_satisfy_the_bounds():
    pins = _constraints()
    for requirement in _requirements():
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is missing from constraints.txt"
        assert pinned in requirement.specifier, (
            f"{requirement.name}=={pinned} is outside {requirement.specifier}"
        )


def test_what_workers_do_does_not_stand_in_main():
    """A spawned process does not run the `__main__.py` of a package, so it finds nothing of it."""
    seen = 0
    for path in (ROOT / name for name in SOURCES if name.endswith("__main__.py")):
        text = path.read_text(encoding="utf-8")
        if "ProcessPoolExecutor(" not in text:
            continue
        seen += 1
        tree = ast.parse(text)
        own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        pools = [call for call in calls if ast.unparse(call.func).split(".")[-1] in _TO_PROCESSES]
        given = {name.id for call in pools for name in ast.walk(call) if isinstance(name, ast.Name)}
        assert not own & given, f"{path}: move {sorted(own & given)} to a module"
    assert seen


def test_malicious_lightning_releases_are_excluded():
    bounds = [line for line in _requirements() if canonicalize_name(line.name) == "pytorch-lightning"]
    assert len(bounds) == 1
    for version in ("2.6.2", "2.6.3"):  # GHSA-w37p-236h-pfx3
        assert version not in bounds[0].specifier
    assert "lightning" not in _constraints()


def test_constraints_hold_no_address():
    text = _text("constraints.txt")
    assert not re.search(r"://|--|@|\+", text)
