"""A small material that the tests of steps share."""

import pytest

from engine.material import read_material
from engine.provenance import RunManifest
from tests.engine.test_analysis import composed

SMALL = [
    "data.manifest.n_subjects=16",
    "data.manifest.workers=1",
    "data.manifest.fps=10",
    "data.manifest.duration_s=3",
    "protocol.folds=2",
    "protocol.val=0.4",
]


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Sixteen persons with one visit, in two folds; do not write to its folder."""
    folder = tmp_path_factory.mktemp("analysis")
    config = composed("analysis=parikh2024", *SMALL, output=folder)
    with RunManifest(folder=folder, config=config) as record:
        return read_material(config, record)
