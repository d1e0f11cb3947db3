"""Files of the networks: how they are got, checked and refused."""

import shutil
import subprocess
import sys
import zipfile

import pytest

from datamodules.command_line import run
from preprocessing.faces.litert import LitertFaces
from preprocessing.faces.torch_faces import TorchFaces
from preprocessing.models import fetch
from preprocessing.models.__main__ import main
from preprocessing.models.files import IRIS, MODEL_FILES
from preprocessing.models.folder import ModelError, locate


@pytest.fixture
def offline(monkeypatch):
    """A pip that reaches nothing, and no `mediapipe` beside it; returns what it was asked."""
    asked = []

    def pip(command, **_):
        asked.append(command)
        text = "WARNING: Retrying\nERROR: No matching distribution found for mediapipe==0.10.14\n"
        return subprocess.CompletedProcess(command, 1, "", text)

    monkeypatch.setattr(fetch.subprocess, "run", pip)
    monkeypatch.setattr(fetch, "_installed", lambda: None)
    return asked


@pytest.fixture
def wheel(monkeypatch, face_models):
    """A pip that finds a wheel; `wheel(name=content)` replaces members."""

    def serve(replaced=None):
        def pip(command, **_):
            [folder] = [word.removeprefix("--dest=") for word in command if word.startswith("--dest=")]
            with zipfile.ZipFile(f"{folder}/mediapipe-0.10.14-cp312.whl", "w") as archive:
                for file in MODEL_FILES:
                    content = (face_models / file.name).read_bytes()
                    archive.writestr(file.member, (replaced or {}).get(file.name, content))
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(fetch.subprocess, "run", pip)
        monkeypatch.setattr(fetch, "_installed", lambda: None)

    return serve


def test_without_network_and_files_the_error_names_both_ways(tmp_path, offline, capsys):
    assert run(main, [f"folder={tmp_path}"]) == 1
    said = capsys.readouterr().err
    assert "No matching distribution" in said
    assert "python -m preprocessing.models" in said
    assert "a folder that holds" in said
    assert all(file.name in said for file in MODEL_FILES)
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    assert all("--no-deps" in command and "--only-binary=:all:" in command for command in offline)


def test_a_missing_folder_names_both_ways(tmp_path):
    with pytest.raises(ModelError, match=r"preprocessing\.models.*option `models`") as caught:
        locate(tmp_path / "none")
    assert str(tmp_path / "none") in str(caught.value)


def test_files_come_out_of_the_wheel_once(tmp_path, wheel, capsys, monkeypatch):
    wheel()
    assert run(main, [f"folder={tmp_path}"]) == 0
    assert "mediapipe-0.10.14-cp312.whl" in capsys.readouterr().out
    assert sorted(locate(tmp_path)) == sorted(file.name for file in MODEL_FILES)
    monkeypatch.setattr(fetch.subprocess, "run", lambda *_, **__: pytest.fail("it has all files"))
    assert run(main, [f"folder={tmp_path}"]) == 0


def test_a_wheel_with_another_file_is_refused_and_leaves_none(tmp_path, wheel, capsys):
    wheel({IRIS.name: b"another network"})
    assert run(main, [f"folder={tmp_path}"]) == 1
    assert "SHA-256" in capsys.readouterr().err
    assert not (tmp_path / IRIS.name).exists()


def test_a_file_with_another_digest_is_refused_by_name(tmp_path, face_models):
    for file in MODEL_FILES:
        shutil.copy(face_models / file.name, tmp_path)
    content = bytearray((tmp_path / IRIS.name).read_bytes())
    content[1000] ^= 1
    (tmp_path / IRIS.name).write_bytes(content)
    with pytest.raises(ModelError, match=IRIS.name):
        locate(tmp_path)


def test_an_installed_mediapipe_gives_its_files_and_is_not_imported(tmp_path, face_models, monkeypatch):
    package = tmp_path / "site" / "mediapipe"
    for file in MODEL_FILES:
        target = tmp_path / "site" / file.member
        target.parent.mkdir(parents=True)
        shutil.copy(face_models / file.name, target)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(fetch.subprocess, "run", lambda *_, **__: pytest.fail("no download is needed"))
    assert "site" in fetch.fetch(tmp_path / "got")
    assert len(locate(tmp_path / "got")) == 3
    assert "mediapipe" not in sys.modules


@pytest.mark.parametrize("backend", [LitertFaces, TorchFaces])
def test_a_command_without_files_ends_before_its_first_recording(tmp_path, backend):
    with pytest.raises(ModelError, match=r"two ways.*face\.models="):
        backend(models=tmp_path).provenance()
