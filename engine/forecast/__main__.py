"""What can this corpus show? `python -m engine.forecast manifest=<csv>` or `source=<corpus> root=<folder>`.

Before training it prints the interval that a report will show, the smallest difference of two models that a
comparison can tell, the persons that more would take, and the ceiling that label noise allows. It rests on
labels and on assumptions, which it names; no file is opened, and of an official test part no label is read.
The exit status is 1 where the table cannot serve, and 2 for a command line that is not understood.
"""

import sys
from json import dumps
from pathlib import Path

from datamodules.checks.pages import as_text
from datamodules.checks.validate import read_data
from datamodules.command_line import UsageError, run
from datamodules.manifests.manifest import Manifest, ManifestError, read_labels
from datamodules.sources.shared.draft import SourceError
from engine.forecast.corpus import CorpusError, Protocol, corpus
from engine.forecast.made import make
from engine.forecast.page import write
from engine.forecast.words import sections
from evaluation.forecast.design import Assumptions
from evaluation.forecast.forecast import Expectation, Wanted

_FEWEST = 3


def main(
    *,
    manifest: Path | None = None,
    source: str | None = None,
    root: Path | None = None,
    protocol: Protocol | None = None,
    test: float = 0.3,
    persons: int | None = None,
    visits: int | None = None,
    auc: float = 0.75,
    mae: float | None = None,
    icc: float = 0.5,
    icc_labels: float | None = None,
    correlation: float = 0.7,
    reliability: float | None = None,
    difference: float = 0.05,
    width: float = 0.1,
    points: float = 1.0,
    html: Path | None = None,
    json: Path | None = None,
    **options: str | bool,
) -> int:
    """Read the labels, make the forecast, print and write it.

    Args:
        manifest: A CSV or Parquet table of recordings; its files need not be there.
        source: A corpus instead, such as edaic, daic_woz or avec2014.
        root: The folder that the corpus was unpacked to.
        protocol: Who is tested; given where the column split names a test part, else holdout.
        test: Share of the persons in a holdout.
        persons: Forecast for so many persons instead of those tested.
        visits: Let each of them have so many recordings instead.
        auc: Assumed, that a model reaches.
        mae: Assumed too, in points; that which goes with the AUC by default.
        icc: Assumed share of what disturbs a prediction that stays with the person, from 0 to 1.
        icc_labels: Correlation of a person's labels; estimated where several persons have several.
        correlation: Assumed, of what disturbs two models on one recording.
        reliability: Of the questionnaire; from its answers, or published, by default.
        difference: Of two AUC or CCC, that persons are counted for.
        width: Of the interval of AUC or CCC, that persons are counted for.
        points: Difference of two MAE or RMSE, and half the width of theirs, that persons are counted for.
        html: Write the forecast as a page too.
        json: Write it as data too.
        options: Of the source, such as label_rule=published.
    """
    _check(persons=persons, visits=visits, test=test, wanted=(difference, width, points))
    try:
        table = _table(manifest, source, root, options)
        found = make(
            corpus(table, protocol=protocol, share=test, persons=persons, visits=visits),
            expectation=Expectation(auc=auc, mae=mae),
            assumed=Assumptions(icc_predictions=icc, icc_labels=icc_labels, correlation=correlation),
            wanted=Wanted(
                width={"auc": width, "ccc": width, "mae": 2 * points, "rmse": 2 * points},
                difference={"auc": difference, "ccc": difference, "mae": points, "rmse": points},
            ),
            reliability=reliability,
        )
    except (SourceError, ManifestError, CorpusError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except ValueError as fault:  # of a setting
        raise UsageError(str(fault)) from fault
    found["synthetic"] = table.synthetic
    made_up = "SYNTHETIC: " if table.synthetic else ""
    sys.stdout.write(as_text(f"{made_up}What can {table} show?", sections(found)))
    if html is not None:
        write(html, found, title=str(table))
        sys.stdout.write(f"\nPage: {html}\n")
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"Data: {json}\n")
    return 0


def _check(*, persons: int | None, visits: int | None, test: float, wanted: tuple[float, ...]) -> None:
    """Refuse settings that no forecast can be made for.

    Raises:
        UsageError: Names the setting, its value and what it may be.
    """
    if persons is not None and persons < _FEWEST:
        raise UsageError(f"persons={persons}: give {_FEWEST} or more")
    if visits is not None and visits < 1:
        raise UsageError(f"visits={visits}: give 1 or more")
    if not 0 < test < 1:
        raise UsageError(f"test={test:g}: give a share of the persons between 0 and 1")
    if min(wanted) <= 0:
        raise UsageError("difference=, width= and points= are more than 0")


def _table(
    manifest: Path | None, source: str | None, root: Path | None, options: dict[str, str | bool]
) -> Manifest:
    """The table, with no file opened."""
    if manifest is not None and source is None:
        options.pop("probe", None)
        if options or root is not None:
            raise UsageError(f"'{next(iter([*options, 'root']))}=' belongs to source=, not to manifest=")
        return read_labels(manifest)
    given = {"probe": False, **options} | ({"root": str(root)} if root is not None else {})
    return read_data(manifest, source, given)


if __name__ == "__main__":
    raise SystemExit(run(main))
