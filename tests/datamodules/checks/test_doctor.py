import subprocess
import sys

import pytest

from datamodules.checks import doctor
from datamodules.readers import UnreadableVideo


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_report_covers_the_machine_and_every_reader(capsys):
    assert doctor.main() == 0
    report = capsys.readouterr().out
    for name in (
        *doctor.PACKAGES,
        *doctor.READERS,
        "CPU cores",
        "CUDA",
        "NVDEC",
        "FFmpeg",
        "disk",
        "decode=device",
    ):
        assert name in report
    assert "  pyav                    yes, frames exact" in report
    assert report.endswith("Video can be read here.\n")
    assert max(map(len, report.splitlines())) < 160


def test_a_machine_without_readers_fails(monkeypatch, capsys):
    def refuse(path, *, reader):
        raise UnreadableVideo(f"{path}: {reader} has no library here\nand a long trace")

    monkeypatch.setattr(doctor, "open_video", refuse)
    monkeypatch.setattr(doctor, "_check_device", lambda path, wanted: ("device", False, "no"))
    assert doctor.main() == 1
    report = capsys.readouterr().out
    assert "decord                  no: decord has no library here\n" in report
    assert "No reader works here" in report


def test_a_reader_that_returns_other_frames_is_caught(monkeypatch):
    original = doctor.open_video

    class Late:
        def __init__(self, path, reader):
            self.inner = original(path, reader="pyav")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.inner.close()

        def frames(self, indices):
            return self.inner.frames([max(index - 1, 0) for index in indices])

    monkeypatch.setattr(doctor, "open_video", lambda path, *, reader: Late(path, reader))
    verdicts = {name: (ok, text) for name, ok, text in doctor.check_readers()}
    assert verdicts["pyav"] == (False, "no: it returned other frames than it was asked for")
    assert verdicts["decode=device on cpu"][0] or "cuda" in str(verdicts)


@pytest.mark.slow
def test_it_runs_as_a_command():
    command = [sys.executable, "-m", "datamodules.checks.doctor"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert "Readers, tried on a small video" in result.stdout
