"""What a newcomer's own table and a stopped run meet: each mistake is told with a remedy that works."""

import re
from pathlib import Path

import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest, ManifestError, read_manifest
from datamodules.splits.partition import Split, SplitError
from datamodules.splits.protocols import Holdout, KFold
from datamodules.synthetic import cohort
from engine.checkpoints.checkpoint import CheckpointError, load_checkpoint
from engine.cohort.network_needs import check_content, check_heads
from engine.config.compose import ConfigError
from engine.training.resuming.earlier_run import earlier_run
from engine.training.transfer import start_from
from evaluation.audit.depression_probe import probe_depression

EXAMPLE = Path(__file__).parents[1] / "docs" / "guide" / "example_manifest.csv"
HEAD, *LINES = EXAMPLE.read_text().splitlines()
GOOD = "\n".join([HEAD, *LINES]) + "\n"
SOURCE = {"PixelClips": "video", "SeriesClips": "series"}


def own(tmp_path, text=GOOD):
    """A table of one's own beside its videos."""
    (tmp_path / "videos").mkdir(exist_ok=True)
    for line in LINES:
        (tmp_path / line.split(",")[3]).write_bytes(line.encode())
    path = tmp_path / "own.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


TABLES = {
    "no session": (
        GOOD.replace("session_id", "visit"),
        r"'session_id' is missing: which visit .*1 everywhere",
    ),
    "blanks for commas": (
        GOOD.replace(",", " "),
        r"the first line is one column.*separate columns by commas",
    ),
    "a line in quotes": (re.sub("(?m)^(.+)$", r'"\1"', GOOD), r"no quotes around a whole line"),
    "a workbook named csv": (
        b"PK\x03\x04\x14",
        r"an Excel workbook by its content.*save it again as 'CSV UTF-8'",
    ),
    "a drive of Windows": (
        GOOD.replace("videos/a", "C:\\videos\\a"),
        r"a path of Windows: write it as it is",
    ),
    "backslashes": (GOOD.replace("videos/a", "videos\\a"), r"write / instead of"),
    "a home folder": (GOOD.replace("videos/a", "~/a"), r"write the home folder out"),
}


@pytest.mark.parametrize("row", TABLES)
def test_a_mistake_in_a_table_is_named_with_its_remedy(row, tmp_path):
    text, said = TABLES[row]
    with pytest.raises(ManifestError, match=rf"(?s)own\.csv: .*{said}"):
        read_manifest(own(tmp_path, text), probe=False)


def test_the_example_of_the_docs_is_a_manifest_that_can_be_split(tmp_path):
    manifest = read_manifest(own(tmp_path), probe=False)
    (split,) = Holdout().splits(manifest)
    assert all((split.train, split.val, split.test))


def test_folds_that_leave_a_part_without_a_class_name_a_number_that_works(tmp_path):
    manifest = read_manifest(own(tmp_path), probe=False)
    with pytest.raises(SplitError, match=r"own\.csv: part .*protocol\.folds=\d") as caught:
        KFold(folds=5).splits(manifest)
    folds = int(re.search(r"folds=(\d+)", str(caught.value))[1])
    assert len(KFold(folds=folds).splits(manifest)) == folds


def with_heads(*heads):
    return {"model": {"network": {"heads": {name: {"_target_": "models.heads"} for name in heads}}}}


def table(**columns):
    rows = {"recording_id": ["a", "b"], "subject_id": ["A", "B"], "session_id": "1", "path": "x"} | columns
    return Manifest(table=pd.DataFrame(rows), root=Path(), name="own", truth=None, file=Path("own.csv"))


def test_only_binary_is_told_with_the_heads_that_work():
    manifest = table(binary=[0.0, 1.0])
    with pytest.raises(ConfigError, match=r"own\.csv: .*'score'.*Train with model/heads=binary, or fill"):
        check_heads(manifest, with_heads("score", "binary"))
    check_heads(manifest, with_heads("binary"))


def test_no_label_at_all_proposes_no_heads():
    with pytest.raises(ConfigError, match=r"learns\. Fill 'scale' and 'score'") as caught:
        check_heads(table(), with_heads("score", "binary"))
    assert "model/heads" not in str(caught.value)


def test_a_training_part_without_labels_names_the_split():
    split = Split(name="given", train=("a",), val=("b",), test=())
    with pytest.raises(ConfigError, match="no training recording of split 'given' has a 'score'"):
        check_heads(table(score=[float("nan"), 3.0]), with_heads("score"), split)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("source", SOURCE)
def test_files_of_the_other_kind_are_told_with_the_table(source, trained):
    config = {"data": {"module": {"source": {"_target_": f"x.{source}"}}}}
    has = {"path": "", "series_path": "s.npz"} if source == "PixelClips" else {}
    said = "checkpoint of a run on" if trained else "experiment=mpdrm"
    with pytest.raises(ConfigError, match=rf"own\.csv: no recording has a {SOURCE[source]}.*{said}"):
        check_content(table(**has), config, trained=trained)


def test_a_longer_run_is_refused_with_the_reason(series_run, tmp_path):
    config = load_checkpoint(series_run.best).config
    model = config["model"] | {"scheduler": config["model"]["scheduler"] | {"T_max": 9}}
    last = series_run.folder / "checkpoints" / "last.ckpt"
    asked = series_run.config | {"ckpt_path": str(last), "resume": None, "find_lr": False}
    assert earlier_run(asked, tmp_path) is None
    with pytest.raises(CheckpointError, match=r"T_max: 2 there, 9 here.*Train anew with the larger"):
        earlier_run(asked | {"model": model}, tmp_path)


def test_a_trunk_of_series_is_no_trunk_for_pixels(series_run):
    config = {"data": {"module": {"source": {"_target_": "datamodules.clips.dataset.PixelClips"}}}}
    with pytest.raises(CheckpointError, match=r"model of series, this training is one of pixels") as caught:
        start_from(None, series_run.best, config=config, manifest=None, split=None)
    assert "channels" not in str(caught.value)


def test_a_probe_of_two_training_persons_has_a_reason_and_no_number():
    persons = pd.DataFrame(
        {"subject_id": ["A", "A", "B", "B"], "recording_id": list("abcd"), "session_id": "1"}
    )
    rows = persons.assign(binary_target=[0.0, 0.0, 1.0, 1.0])
    x = {"embedding": rows[["binary_target"]].to_numpy()}
    found = probe_depression(x, rows, x, rows)["embedding"]
    assert found["binary"]["reason"] == "too few training persons for a linear model of binary"


def test_a_cohort_that_lies_elsewhere_is_named(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(cohort, "_REPOSITORY", tmp_path / "repo")
    here = tmp_path / "data" / "synthetic" / "abc"
    cohort._say_place(here, 4)
    assert f"paths.data={tmp_path}/data shares it" in caplog.text
    made = tmp_path / "repo" / "data" / "synthetic" / "abc" / "manifest.csv"
    made.parent.mkdir(parents=True)
    made.touch()
    cohort._say_place(here, 4)
    assert f"paths.data={tmp_path}/repo/data reads it" in caplog.text
