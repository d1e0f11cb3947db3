"""Reference lines of a split that need more than manifest rows: earlier scores, and series of recordings."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from datamodules.manifests.identity import person_keys
from datamodules.manifests.known_visits import known_visits, with_scores
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import place_of_visits
from datamodules.splits.partition import Split
from engine.inference.recordings import cluster_of, targets
from engine.inference.series_features import SeriesFeatures, check_families, series_source
from evaluation.baselines.earlier_scores import last_score, mean_score
from evaluation.baselines.line_names import FAMILIES
from evaluation.baselines.reference import Line
from evaluation.baselines.series_lines import looked_up, series_lines


@dataclass(frozen=True)
class SplitLines:
    """Lines of one split in the form that `reference_lines` takes."""

    further: tuple[Line, ...] = ()
    families: Mapping[str, Mapping[str, Line] | str] = field(default_factory=dict)


class Lines:
    """The lines of a manifest, for one split or for the folds of several.

    Args:
        config: Resolved config of the run: `evaluation.lines` names the families on series, by default all,
            and the source of the clips says what the network reads.
        manifest: The recordings.

    Raises:
        ConfigError: `evaluation.lines` names no family.
    """

    def __init__(self, config: Mapping[str, Any], manifest: Manifest) -> None:
        self._manifest, self._table = manifest, targets(manifest, cluster_of(config))
        # a run of an earlier version has no such key
        asked = config["evaluation"].get("lines", tuple(FAMILIES))
        check_families(asked)
        source = series_source(config, manifest) if asked else ""
        off = "it is not among evaluation.lines"
        self._reasons = {name: str(source) if name in asked else off for name in FAMILIES}
        self._features = None
        if asked and not isinstance(source, str):
            self._features = SeriesFeatures(manifest=manifest, source=source, families=tuple(asked))

    def of(self, split: Split, asked: Collection[str], *, heads: Sequence[str]) -> SplitLines:
        """The lines of a split.

        Args:
            split: Whose training recordings they learn from.
            asked: Recordings to predict.
            heads: Targets to predict.
        """
        table = with_visits(self._table, split)
        further = (partial(last_score, table), partial(mean_score, table))
        families: dict[str, Mapping[str, Line] | str] = dict(self._reasons)
        features = {} if self._features is None else self._features.of(split.train)
        for name, found in features.items():
            if lacking := sorted(set(asked) - set(found.index)):
                families[name] = f"{len(lacking)} recordings have no readable series, e.g. {lacking[0]}"
                continue
            if not found.reindex(split.train).notna().any(axis=None):
                families[name] = "none of its features could be measured in a training recording"
                continue
            lines = series_lines(
                name,
                found,
                table,
                split.train,
                sorted(asked),
                heads=heads,
                earlier=split.known is not None,
                reader="ridge" if name == "rocket" else "logistic",
            )
            families[name] = {reading: looked_up(line) for reading, line in lines.items()}
        return SplitLines(further, families)


def with_visits(table: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Manifest rows with the columns of `evaluation.baselines.other_visits`.

    Known are the visits that the protocol makes known; where it makes none, those that train.
    """
    if split.known is not None:
        visits = known_visits(table, split.known)
    else:
        place = place_of_visits(table.assign(subject_id=person_keys(table)))
        known = table["recording_id"].isin(set(split.train)).to_numpy()
        visits = with_scores(table, place=place, known=known)
    return table.assign(
        person=visits.person,
        visit=visits.visit,
        place=visits.place,
        known=visits.known,
        visit_score=visits.score,
    )
