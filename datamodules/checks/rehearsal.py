"""What a training with a manifest would stop at, found without a network, and the command to try next."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from datamodules.checks.describe import Section
from datamodules.commands import typed
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.columns import FILES, LABELS, feature_columns
from datamodules.manifests.manifest import Manifest
from datamodules.series import UnreadableSeries, offered_channels
from datamodules.split_leakage.near_duplicates import duplicates, hash_fault
from datamodules.split_leakage.split_checks import check_content, check_split
from datamodules.splits.partition import SplitError
from datamodules.splits.protocols import Given, Holdout

_DEFAULT_SCALE = "BDI-II"  # that of `data=manifest`


def obstacles(manifest: Manifest, *, probe: bool = True) -> list[str]:
    """What `train.py` would refuse: no labels, too few persons, persons or contents in two parts.

    Rehearsed is `protocol=given` where the table has parts, else the default, a holdout.

    Args:
        manifest: The table.
        probe: Compare the contents of the files too.
    """
    table = manifest.table
    labels = [name for name in table if name in LABELS or str(name).startswith("trait_")]
    if not table[labels].notna().any(axis=None):
        return ["no recording has a label: fill 'score' and 'scale', 'binary', or trait_* columns"]
    found = []
    if probe and (fault := hash_fault(manifest)):
        found.append(fault)
    pairs = duplicates(manifest) if probe else []
    try:
        (split,) = (Given() if _has_parts(manifest) else Holdout()).splits(manifest)
    except SplitError as impossible:
        return [*found, str(impossible)]
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_split(manifest, split, subject_disjoint=True),
        lambda: check_content(manifest, split, pairs),
    )
    for check in checks:
        try:
            check()
        except LeakageError as leak:
            found.append(str(leak))
    return found


def uncropped(manifest: Manifest) -> str | None:
    """A remark on videos that are not square, as pictures cropped to a face are; None where all are."""
    if not {"width", "height"} <= set(manifest.table):
        return None
    sizes = manifest.table[["width", "height"]].dropna()
    wide = int((sizes["width"] != sizes["height"]).sum())
    if not wide:
        return None
    return (
        f"{wide} of {len(sizes)} videos are not square: a training takes their central square and looks for "
        "no face; crop videos to the face first"
    )


def only_sets(manifest: Manifest) -> bool:
    """Whether the recordings hold feature sets, and neither videos nor series."""
    table = manifest.table
    others = [name for name in FILES if name in table and (table[name] != "").any()]
    return bool(feature_columns(table)) and not others


def next_command(manifest: Manifest, path: Path) -> str:
    """The training to try next: of videos or series, of the questionnaire and the labels that are there."""
    table, words = manifest.table, [f"data=manifest data.path={path}"]
    series = [one.series_path for one in manifest.recordings() if one.series_path is not None]
    if only_sets(manifest):
        words = [f"experiment=feature_sets data=feature_sets data.path={path}"]
    elif not (table["path"] != "").any() and series:
        words = ["experiment=mpdrm_series", *words, f"data/clips=series data.channels={_channels(series[0])}"]
    scales = set(table["scale"]) - {""} if "scale" in table else set()
    if len(scales) == 1 and scales != {_DEFAULT_SCALE}:
        words.append(f"data/scale={min(scales).lower().replace('-', '_')}")
    if "score" not in table or not table["score"].notna().any():
        words.append("model/heads=binary")
    if _has_parts(manifest):
        words.append("protocol=given")
    return " ".join([typed("train"), *words, "debug=fast"])


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what is logged as a warning meanwhile, once each, instead of showing it."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if (message := record.getMessage()) not in found:
                found.append(message)

    logger, collector = logging.getLogger("datamodules"), Collector(logging.WARNING)
    before = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(collector)
        logger.propagate = before


def as_section(title: str, lines: list[str], *, urgency: int) -> Section:
    """Lines as a section of a report."""
    return Section(title=title, header=("",), rows=[(line,) for line in lines], urgency=urgency)


def _has_parts(manifest: Manifest) -> bool:
    return "split" in manifest.table and bool((manifest.table["split"] != "").any())


def _channels(file: Path) -> str:
    try:
        return str(len(offered_channels(file)))
    except UnreadableSeries:
        return "<how many a file holds>"
