"""Captions of the report's figures: each begins with the question that its figure answers."""

from typing import NamedTuple


class Caption(NamedTuple):
    """The question that a figure answers, its heading, and how to read it."""

    question: str
    heading: str
    text: str


IN_FIGURE = {"constant": " on the dashed line", "threshold": ", the dot the threshold that validation chose"}
"""What a text says only where its figure has it, by the name that stands in the text."""

CAPTIONS = {
    "references": Caption(
        "Is the model better than what can be had without a face, or without a network?",
        "The model beside its reference lines",
        "Points are test results, bars 95 % intervals over persons. Dotted: chance (AUC) and no agreement "
        "(CCC). Overlapping bars do not decide; the paired differences in the table do.",
    ),
    "truth": Caption(
        "How far are predicted scores from the true ones?",
        "Predictions against truth",
        "Each point is a recording. On the black line the prediction equals the truth; a flat cloud"
        "{constant} answers the same for everybody. Faint bars: prediction intervals learned on validation.",
    ),
    "roc": Caption(
        "How many depressed recordings are found, for how many false alarms?",
        "ROC curve",
        "All thresholds. The band is a bootstrap over persons{threshold}.",
    ),
    "calibration": Caption(
        "Can a predicted probability be taken at its word?",
        "Calibration",
        "Points on the diagonal keep their word: of recordings given 30 %, about 30 % are positive. Bars are "
        "95 % Wilson intervals; the lower panel counts recordings.",
    ),
    "training": Caption("Did it learn, and which epoch was chosen?", "Learning curves", ""),
    "trajectories": Caption(
        "Do predictions follow a person from visit to visit?",
        "Persons over their visits",
        "Up to 12 persons with several visits, from the lowest to the highest mean. Useful predictions "
        "follow the direction of the black line, not only its level. Where visit names are long, visits are "
        "numbered in order.",
    ),
    "strips": Caption(
        "Which moments of a clip did the model weigh?",
        "Frames and attention",
        "Frames of a clip in their order, and below them the attention that the relation module gave to the "
        'same stretch of time; bars near the line "uniform" say that it weighs all moments alike. It shows '
        "where the model looked, not why, and not that it was right.",
    ),
}
