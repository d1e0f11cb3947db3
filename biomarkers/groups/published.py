"""Published group means of two papers, as constants, with their inconsistencies.

Sources: Parikh, Sadeghi and Eskofier, "Exploring Facial Biomarkers for Depression through Temporal Analysis
of Action Units", arXiv 2407.13753 (2024); Sun, Zhang and Men, IEIE Transactions on Smart Processing and
Computing 12(6), 511 (2023).
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PrintedDifference:
    """A column of Table III of Parikh et al.: means of a standardized action unit, and their difference."""

    depressed: float
    healthy: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class PrintedTest:
    """A column of Table 2 of Sun et al.: mean and standard deviation of both groups, and the p-value."""

    depressed: float
    depressed_sd: float
    healthy: float
    healthy_sd: float
    p_value: float


PARIKH_TABLE_3 = {
    "au01": PrintedDifference(depressed=0.087, healthy=-0.081, difference=0.167),
    "au06": PrintedDifference(depressed=-0.077, healthy=0.071, difference=-0.148),
    "au15": PrintedDifference(depressed=0.100, healthy=-0.092, difference=0.192),
}
PARIKH_TABLE_4 = {  # silhouettes of two clusters, section IV-D3
    "K-means": {"happiness": 0.478, "sadness": 0.417},
    "Agglomerative": {"happiness": 0.446, "sadness": 0.709},
    "Gaussian mixture": {"happiness": 0.437, "sadness": 0.431},
}
PARIKH_CLUSTERS = 2  # section IV-D2
PARIKH_DEPRESSED, PARIKH_SUBCLINICAL, PARIKH_HEALTHY = 46, 9, 43  # persons, Figure 4

SUN_PERSONS = 15  # a group, section 3.1
SUN_AUS = (1, 2, 3, 4, 5, 7, 9, 12, 15, 18, 19, 27)  # section 3.4
SUN_TABLE_2 = {
    "au04": PrintedTest(
        depressed=0.5724, depressed_sd=0.3157, healthy=0.3918, healthy_sd=0.1573, p_value=0.037
    ),
    "au07": PrintedTest(
        depressed=0.6812, depressed_sd=0.4218, healthy=0.2431, healthy_sd=0.0954, p_value=0.024
    ),
    "au09": PrintedTest(
        depressed=0.8107, depressed_sd=0.5034, healthy=0.5301, healthy_sd=0.3451, p_value=0.022
    ),
    "au12": PrintedTest(
        depressed=0.9233, depressed_sd=0.5127, healthy=0.5617, healthy_sd=0.3683, p_value=0.018
    ),
    "au18": PrintedTest(
        depressed=0.7720, depressed_sd=0.4291, healthy=0.6119, healthy_sd=0.4269, p_value=0.043
    ),
    "au27": PrintedTest(
        depressed=0.3712, depressed_sd=0.2167, healthy=0.1109, healthy_sd=0.0726, p_value=0.029
    ),
}
NOT_IN_OPENFACE = frozenset({"au03", "au18", "au19", "au27"})  # of the units of Sun et al.

PARIKH_ISSUES = (
    "The printed means are negative, so the action units are standardized; over what is not stated.",
    "If the units were standardized over all persons, both groups' means times their sizes would cancel: the "
    "printed means then say 0.92 to 0.93 depressed persons for a healthy one, Figure 4 says 55 to 43.",
    "46 depressed and 9 sub-clinical persons are 55; the text says 57.",
    "The difference of AU1 is printed as 0.167; the printed means give 0.168.",
    "The text has AU6 higher in depression and calls it brow lowering; in the table it is lower.",
    "The text compares AU1, AU4 and AU15; table and figures show AU1, AU6 and AU15.",
    "Differences are called significant without a test, a p-value or an interval.",
)
PARIKH_CLUSTER_ISSUES = (
    "What is clustered are emotion intensities whose first 20 components hold 95 % of the variance; "
    "length and smoothing of the series are not stated. Here it is each person's course over the recording.",
    "Whether the silhouettes are those of the components or of the series is not stated; ours are of the "
    "components.",
    "For happiness K-means has the highest printed silhouette, the text names agglomerative clustering best.",
    "The paragraph on Gaussian mixtures calls them agglomerative.",
    "Clusters are said to hold healthy and depressed patients; no agreement with the groups is reported.",
)
SUN_ISSUES = (
    "AU18, AU19 and AU27 are no output of OpenFace, which the paper names as its extractor; AU3 is no action "
    "unit of adults.",
    "Twelve units are compared and six printed; with no correction for twelve tests.",
    "The unit of the tests is not stated. With 15 persons a group the printed means and standard deviations "
    "give other p-values, above 0.05 for AU4, AU9 and AU18: see the column recomputed_p.",
    "Healthy students are said to have a HAMD-17 of at least 7; at most 7 must be meant.",
    "AU4 and AU12 are both higher in depression; Parikh et al. report less happiness (AU6 + AU12).",
)
