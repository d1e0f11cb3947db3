import pickle

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.index.recordings import columns_read
from datamodules.manifests.manifest import Manifest, Recording, read_manifest
from datamodules.manifests.scales import SCALES


def by_pandas(table, root, row):
    """A record made of single cells, as the words of `Recording` have it."""
    cell = table.iloc[row]
    file = lambda name: root / cell[name] if cell.get(name) else None  # noqa: E731
    number = lambda name: float(cell[name]) if name in table and cell[name] == cell[name] else None  # noqa: E731
    score, scale, binary = number("score"), cell.get("scale") or None, number("binary")
    return Recording(
        recording_id=cell["recording_id"], subject_id=cell["subject_id"], session_id=cell["session_id"],
        task=cell.get("task", ""), path=file("path"), series_path=file("series_path"),
        landmark_path=file("landmark_path"), tokens_path=file("tokens_path"), fps=number("fps") or 0.0,
        n_frames=int(number("n_frames") or 0), scale=scale, score=score,
        binary=None if binary is None else int(binary),
        band=None if score is None or scale is None else SCALES[scale].band(score), traits=(0.5,) * 5,
    )  # fmt: skip


@pytest.fixture
def manifest(cohort):
    path = cohort(4, 3, task="reading", **{f"trait_{one}": 0.5 for one in "OCEAN"})
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[[1, 5], ["score", "scale"]] = ""
    table.to_csv(path, index=False)
    return read_manifest(path)


def test_records_are_those_of_single_cells_whatever_is_asked(manifest):
    wanted = [by_pandas(manifest.table, manifest.root, row) for row in range(12)]
    found = manifest.recordings()
    assert list(found) == [found[row] for row in range(12)] == wanted
    assert (len(found), found[-1], list(found[2:9:3])) == (12, wanted[-1], wanted[2:9:3])
    ids = [one.recording_id for one in wanted]
    assert list(manifest.recordings(ids[::-1])) == wanted[::-1]
    assert manifest.recordings(ids[::-1])[1:3][1] == wanted[9]
    assert manifest.rows([ids[7], ids[2]]) == [7, 2]
    with pytest.raises(IndexError):
        found[12]


def test_hidden_labels_are_missing_in_records_and_the_rest_is_shared(manifest):
    hidden = manifest.without_labels(["p00_v0"])
    assert hidden.recordings()[0].score is None
    assert np.isnan(hidden.recordings()[0].traits).all()
    assert list(hidden.recordings())[1:] == list(manifest.recordings())[1:]
    assert manifest.recordings()[0].score == 5
    assert np.shares_memory(hidden.table["fps"].to_numpy(), manifest.table["fps"].to_numpy())


def test_records_of_many_rows_are_sent_as_a_file_name(tmp_path):
    count = 20_000
    ids = [f"r{row}" for row in range(count)]
    table = pd.DataFrame(
        {"recording_id": ids, "subject_id": ids, "session_id": "1", "path": ids, "fps": 25.0}
    )
    found = Manifest(table=table, root=tmp_path, name="m", truth=None).recordings()
    assert len(pickle.dumps(found)) < 1000
    assert pickle.loads(pickle.dumps(found))[-1] == found[-1]
    assert set(columns_read(table)) == set(table)
