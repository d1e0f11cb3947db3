"""Emotional states: how depression, anxiety and stress relate, and clusters of persons by them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material, scale_totals
from analysis.steps.cells import estimate
from biomarkers.symptoms.profile_target import ProfileTarget, profile_targets
from biomarkers.symptoms.relations import relations
from biomarkers.symptoms.state_figures import cluster_profiles, total_pairs, treetop
from biomarkers.symptoms.states import AT_MOST, States, cluster_means, cluster_states
from datamodules.manifests.identity import person_keys
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling


@dataclass(frozen=True, kw_only=True)
class EmotionalStates:
    """Relations of the totals of scales, clusters of persons by them, and clusters as a target of each fold.

    Args:
        scales: Names of two or three scales whose items the manifest holds.
        rounds: Pairs of subsamples behind the stability.
        draws: Data sets of each null.
        target: Fitted on the training persons of every fold.
    """

    scales: Sequence[str]
    rounds: int
    draws: int
    target: ProfileTarget

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Describe everybody by relations and clusters; targets are made fold by fold."""
        scored = scale_totals(material, self.scales)
        known = scored[list(self.scales)].notna().all(axis=1).to_numpy()
        totals = scored.loc[known, list(self.scales)].reset_index(drop=True)
        persons = np.array(person_keys(material.manifest.table))[known]
        found = relations(totals, persons.tolist(), resampling)
        means = totals.groupby(persons).mean()
        states = cluster_states(means, rounds=self.rounds, draws=self.draws, seed=resampling.seed)
        profiles = [cluster_means(means, state.labels, resampling) for state in states]
        targets = self._targets(material, scored["recording_id"][known], totals, persons)
        gaps = int((~known).sum())
        sections = [
            _relations(found, means, gaps),
            _clusters(states, profiles, means, seed=resampling.seed),
            _profile_target(targets, self.target),
        ]
        tables = {
            "state_relations": found,
            "state_indices": pd.concat([state.indices.assign(k=state.k) for state in states]),
            "state_profiles": pd.concat(
                [own.assign(k=state.k) for own, state in zip(profiles, states, strict=True)]
            ),
            "profile_targets": targets,
        }
        return Finding(sections, tables)

    def _targets(
        self, material: Material, recordings: "pd.Series[str]", totals: pd.DataFrame, persons: np.ndarray
    ) -> pd.DataFrame:
        """The target of every recording in every fold, with the part that it belongs to."""
        place = {recording: row for row, recording in enumerate(recordings)}
        parts = []
        for split in material.splits:
            rows = {
                part: [place[name] for name in getattr(split, part) if name in place]
                for part in ("train", "val", "test")
            }
            made = profile_targets(self.target, totals, persons, train=rows["train"])
            for part, own in rows.items():
                targets = {"recording_id": recordings.iloc[own], "fold": split.name, "part": part}
                parts.append(pd.DataFrame(targets | {"target": made[own]}))
        return pd.concat(parts, ignore_index=True)


def _relations(found: pd.DataFrame, means: pd.DataFrame, gaps: int) -> Section:
    pairs = dict.fromkeys(zip(found["a"], found["b"], strict=True))
    cells = {(row["measure"], row["a"], row["b"]): row for row in found.to_dict("records")}
    rows = [
        (
            f"{a}, {b}",
            *(
                estimate(*(cells[measure, a, b][key] for key in ("value", "low", "high")))
                for measure in ("pearson", "spearman", "jaccard")
            ),
        )
        for a, b in pairs
    ]
    return Section(
        "state_relations",
        "How do the scales go together?",
        "Correlations of the totals, and Jaccard's index of the labels above the limit of each scale: "
        "positive on both over positive on one or both. Intervals are over resampled persons. The plot "
        "counts persons, each the mean of their recordings.",
        plot=total_pairs(means),
        columns=("Scales", "Pearson", "Spearman", "Jaccard"),
        rows=rows,
        remarks=[f"{gaps} recordings with an unanswered item are left out"] if gaps else [],
        faces=False,
    )


def _clusters(
    states: Sequence[States], profiles: Sequence[pd.DataFrame], means: pd.DataFrame, *, seed: int
) -> Section:
    rows = []
    for state in states:
        for index, own in state.indices.groupby("index", sort=False):
            texts = [
                f"{null['null_mean']:.3g} ({null['null_low']:.3g} to {null['null_high']:.3g}), "
                f"p {null['p']:.3f}"
                for null in own.to_dict("records")
            ]
            first = own.iloc[0]
            name = f"{state.k} clusters, {index}".replace("_", " ")
            rows.append((name, f"{first['value']:.3g}", f"{first['compared']:.3g}", *texts))
    stable = [
        f"{state.k} clusters: stability {state.stability.mean:.2f} ({state.stability.low:.2f} to "
        f"{state.stability.high:.2f}), the adjusted Rand index between subsamples"
        for state in states
    ]
    return Section(
        "states",
        "Do persons fall into emotional states?",
        "Ward's clusters of standardized totals. Any continuum can be cut: beside each index stands what "
        "data without clusters give, Gaussian with the same covariance, and a Gaussian copula with the same "
        "margins, whose pile of persons at zero separates, too; p is the share of such data that separate "
        "as well or better. Where p is not small the clusters are steps of severity, not kinds of persons.",
        plots=[
            *(cluster_profiles(own) for own in profiles),
            treetop(means.to_numpy(), k=states[-1].k, at_most=AT_MOST, seed=seed),
        ],
        columns=("Index", "All persons", "Compared", "Gaussian", "Same margins"),
        rows=rows,
        remarks=[*stable, f"nulls and stability use at most {AT_MOST:,} persons, 'compared' as many"],
        faces=False,
    )


def _profile_target(targets: pd.DataFrame, target: ProfileTarget) -> Section:
    counts = targets.assign(target=targets["target"].map("{:.0f}".format).replace("nan", "left out"))
    classes = sorted(counts["target"].unique())
    table = counts.groupby(["fold", "part", "target"], sort=False).size().unstack(fill_value=0)
    rows = [
        (str(fold), str(part), *(f"{table.loc[(fold, part)].get(name, 0):,}" for name in classes))
        for fold, part in table.index
    ]
    moved = targets.groupby("recording_id")["target"].nunique(dropna=False)
    return Section(
        "profile_target",
        "The profile as a target",
        f"The {target.n_clusters} clusters of the training persons of each fold, from the mildest to the "
        f"most severe; everybody belongs to the nearest. In between: {target.middle}. Recordings by class.",
        columns=("Fold", "Part", *(name if name == "left out" else f"class {name}" for name in classes)),
        rows=rows,
        remarks=[
            f"{int((moved > 1).sum()):,} of {len(moved):,} recordings have another target in another fold: "
            "the borders are made of the training persons"
        ],
        faces=False,
    )
