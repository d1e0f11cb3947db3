import platform
from pathlib import Path

from engine.runs import processor as module
from engine.runs.processor import processor


def test_the_model_is_that_of_linux_and_else_the_architecture(tmp_path, monkeypatch):
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(module, "Path", lambda name: told if name == "/proc/cpuinfo" else Path(name))
    assert processor() == platform.machine()
    told.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    assert processor() == f"Some CPU @ 2 GHz ({platform.machine()})"
