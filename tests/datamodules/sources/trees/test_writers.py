"""What all writers promise: the same seed gives the same bytes, and no two recordings are equal."""

from functools import partial

import pytest

from datamodules.sources.trees import (
    adodas,
    cmdc,
    dvlog,
    first_impressions,
    folder,
    lmvd,
    mpdd,
    mpdd_avg,
)

WRITERS = {
    "dvlog": dvlog.write,
    "lmvd": lmvd.write,
    "cmdc": partial(cmdc.write, questions=1),
    "mpdd": partial(mpdd.write, files=1),
    "mpdd_avg": mpdd_avg.write,
    "adodas": adodas.write,
    "first_impressions": partial(first_impressions.write, clips=1),
    "folder": folder.write,
    "folder of series": partial(folder.write, series=True),
}
RECORDINGS = {"Video_feature/*.csv", "**/Q*.csv", "**/*.npy", "**/*.mp4", "**/visit*.csv"}


def content(root):
    return {
        file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_seed_decides_every_byte(tmp_path, write):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        write(tmp_path / name, persons=4, seed=seed)
    first, second, other = (content(tmp_path / name) for name in "abc")
    assert first == second
    assert first != other
    recordings = {file for pattern in RECORDINGS for file in (tmp_path / "a").glob(pattern)}
    assert len(recordings) >= 3
    assert len({file.read_bytes() for file in recordings}) == len(recordings)
