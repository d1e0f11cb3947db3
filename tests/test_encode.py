"""`encode.py` as a process that is killed while it writes."""

import signal
import time

import pytest

from datamodules.manifests.manifest import read_manifest
from engine.training.prepare import material
from tests.commands import Command
from tests.conftest import PIXELS

WORDS = [
    "model.network.depression.trunk.backbone=resnet18",
    "data.module.source.video.height=32",
    "data.module.source.video.width=32",
    "grid.stride=1",
    "grid.hop=3",
    "clips=4",
]


def start(manifest, store):
    words = [f"data.path={manifest}", f"output={store}", *WORDS]
    return Command("encode.py", *words, cwd=store.parent, both=True)


def content(store):
    """All files of a store but the records of its commands."""
    files = [path.relative_to(store) for path in store.rglob("*") if path.is_file()]
    return {name.as_posix(): (store / name).read_bytes() for name in files if name.parts[0] != "logs"}


@pytest.mark.command
def test_a_store_of_a_killed_command_is_finished_as_if_nothing_had_been(compose_run, cohorts, tmp_path):
    videos, _ = material(compose_run(*PIXELS, f"paths.data={cohorts}"))
    manifest, total = videos.root / "manifest.csv", len(videos.table)
    whole, store = tmp_path / "whole", tmp_path / "store"
    said = start(manifest, whole).wait(120).stdout
    assert f"recordings: {total} encoded, 0 refused" in said, said

    job = start(manifest, store)
    while job.poll() is None and len(list(store.glob("entries/[!.]*.json"))) < 2:
        time.sleep(0.005)
    job.kill()
    assert job.wait().returncode == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in store.glob("entries/[!.]*.json")}
    assert 0 < len(kept) < total
    assert not (store / "manifest.csv").exists()

    said = start(manifest, store).wait(120).stdout
    assert f"{len(kept)} of {total} recordings are done already" in said
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert content(store) == content(whole)
    assert len(read_manifest(store / "manifest.csv").table) == total
