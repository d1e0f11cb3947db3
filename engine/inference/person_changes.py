"""Changes between visits of tested persons, judged by what validation taught; the rule of a checkpoint."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import SUBSCALES, subscale
from datamodules.manifests.scales import SCALES
from evaluation.change.change_rule import ChangeRule
from evaluation.change.change_scores import Learned, change_scores, learn_change, summary, within_scale
from evaluation.change.questionnaire_noise import noise_of_items, noise_of_totals
from evaluation.change.visit_pairs import with_known_scores

UNTAUGHT = "its checkpoint holds no rule: too few validation persons taught one, as its run's report says"


def learned_change(validation: pd.DataFrame, manifest: Manifest) -> Learned:
    """What the validation persons of a manifest teach about changes.

    Args:
        validation: Recording table of the validation part.
        manifest: The recordings; answers to items are read of the validation recordings only.
    """
    own = manifest.table[manifest.table["recording_id"].astype(str).isin(set(validation["recording_id"]))]
    learned = learn_change(with_known_scores(validation, manifest.table), noise=questionnaire_noise(own))
    scales = sorted(set(own["scale"]) - {""}) if "scale" in own else []
    if learned.rule is None or len(scales) != 1:
        return learned
    scale = SCALES[scales[0]]
    return within_scale(learned, (scale.high - scale.low) / 2, words=f"half of the {scales[0]}'s range")


def questionnaire_noise(table: pd.DataFrame) -> float | None:
    """Error variance of one total: of its items where these are known, else of a published reliability."""
    scales = sorted(set(table["scale"]) - {""}) if "scale" in table else []
    if len(scales) != 1:
        return None
    if scales[0] in SUBSCALES:
        form = subscale(scales[0]).within(table)
        if set(form.columns) <= set(table):
            found = noise_of_items(table, form.columns, doubled=form.scale.doubled)
            if found is not None:
                return found
    return noise_of_totals(table["score"], scales[0]) if "score" in table else None


def changes_of(
    recordings: pd.DataFrame, manifest: Manifest, learned: Learned
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of changes, empty where there are none, and the entry `change` of `metrics.json`."""
    if learned.rule is None:
        return pd.DataFrame(), summary(learned, pd.DataFrame())
    table = change_scores(with_known_scores(recordings, manifest.table), learned.rule)
    return table, summary(learned, table)


def plain(learned: Learned) -> dict[str, Any]:
    """What a checkpoint keeps of it: numbers, without persons; empty where there is no rule."""
    if learned.rule is None:
        return {}
    kept = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(learned.rule).items()
    }
    return kept | {"questionnaire_noise": learned.noise}


def restored(kept: Mapping[str, Any]) -> Learned:
    """The same from a checkpoint."""
    if not kept:
        return Learned(reason=UNTAUGHT)
    rule: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()
    }
    noise: float | None = rule.pop("questionnaire_noise")
    return Learned(ChangeRule(**rule), noise=noise)
