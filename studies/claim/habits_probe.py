"""Linear probe of the personality feature for a person's true habits, on unseen persons."""

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.synthetic import acts, latent

_PENALTIES = np.logspace(-2, 4, 13)  # tried inside the training persons; our choice


def habit_columns(*, movement: bool = False) -> list[str]:
    """Columns of the cohort's truth with the habits that hide severity.

    Args:
        movement: aspects of acts; else means of the channels that severity moves.
    """
    if movement:
        return [f"habit_{act.name}_{aspect}" for act in acts.ACTS for aspect in acts.ASPECTS]
    return [f"habit_{channel.name}_mean" for channel in latent._CHANNELS if channel.effect != 0]


def habit_r2(personality: pd.DataFrame, truth: pd.DataFrame, *, movement: bool = False) -> float:
    """Return the R² of a ridge regression from personality features to true habits on the test persons.

    The features of a person are the mean over the recordings, the habits are those of `habit_columns`, and
    their R² are averaged with their variances as weights. The penalty is chosen inside the training persons.

    Args:
        personality: one row a recording: `recording_id, subject_id, split, f0, f1, ...`.
        truth: the truth of a cohort with the confound on, `recording_id` and `habit_<name>`; without the
            confound nobody has habits there, and there is nothing to explain.
        movement: habits of movement instead of those of level.
    """
    features = [name for name in map(str, personality) if name[0] == "f" and name[1:].isdigit()]
    habits = habit_columns(movement=movement)
    ids = truth["recording_id"].astype(str)
    table = personality.merge(truth[habits].assign(recording_id=ids), on="recording_id", validate="1:1")
    persons = table.groupby(["split", "subject_id"])[[*features, *habits]].mean()
    train, test = persons.loc["train"], persons.loc["test"]
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=_PENALTIES)).fit(train[features], train[habits])
    predicted = model.predict(test[features])
    return float(r2_score(test[habits], predicted, multioutput="variance_weighted"))
