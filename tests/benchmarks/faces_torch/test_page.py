import json

from benchmarks.faces_torch.page import add

ORIGIN = {"command": "python -m benchmarks.faces_torch", "versions": "torch 2"}
APART = {"median": 0.0123, "p95": 0.1, "worst_frame": 0.2}
AGREEMENT = {
    "material": "photograph",
    "frames": 8,
    "found_litert": 8,
    "found_torch": 7,
    "found_by_both": 7,
    "same_regions": APART,
    "whole": APART,
}


def row(device, batch, speed, memory=None):
    return ORIGIN | {"device": device, "batch": batch, "frames_per_s": speed, "memory_gib": memory}


def test_rows_of_other_devices_stay(tmp_path):
    add("agreement", AGREEMENT | ORIGIN | {"device": "CPU a"}, tmp_path)
    add("speed", row("CPU a", 16, 20.0), tmp_path)
    add("speed", row("CPU a", 2, 18.0), tmp_path)
    page = (tmp_path / "faces_torch.md").read_text()
    assert "Not measured on a GPU yet" in page
    assert "| CPU a | photograph | 8 | 8, 7, 7 | 0.012 / 0.100 / 0.200 |" in page
    add("speed", row("GPU b", 16, 2000.0, 1.5), tmp_path)
    add("speed", row("CPU a", 16, 25.0), tmp_path)  # measured again
    page = (tmp_path / "faces_torch.md").read_text()
    assert "Not measured on a GPU yet" not in page
    speeds = [line for line in page.splitlines() if line.startswith("|") and line.count("|") == 5][2:]
    assert speeds == ["| CPU a | 2 | 18.0 |  |", "| CPU a | 16 | 25.0 |  |", "| GPU b | 16 | 2000.0 | 1.50 |"]
    held = json.loads((tmp_path / "faces_torch.json").read_text())
    assert len(held["agreement"]) == 1
