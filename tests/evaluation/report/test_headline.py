import pytest

from evaluation.report.headline import judge, number


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def result(auc=(0.8, 0.7, 0.9), gap=(0.2, 0.1, 0.3), error=(-2.0, -3.0, -1.0), **reference):
    return {
        "test": {"auc": estimate(*auc), "mae": estimate(6, 5, 7)},
        "reference": {
            "constant": {"mae": estimate(8, 7, 9), "difference": {"mae": estimate(*error)}},
            "nuisance": {"auc": estimate(0.6, 0.5, 0.7), "difference": {"auc": estimate(*gap)}},
            **reference,
        },
    }


def test_all_lines_cleared():
    verdict = judge(result())
    assert verdict.tone == "good"
    assert (
        verdict.headline
        == "Better than chance, the nuisance line and the constant guess: AUC 0.80 [0.70, 0.90]"
    )
    assert len(verdict.sentences) == 3


@pytest.mark.parametrize(
    ("change", "tone", "sentence"),
    [
        ({"auc": (0.6, 0.45, 0.7)}, "mixed", "includes chance"),
        ({"auc": (0.3, 0.2, 0.4)}, "mixed", "below chance"),
        ({"auc": (0.8, None, None)}, "mixed", "chance cannot be ruled out"),
        ({"gap": (0.1, -0.01, 0.2)}, "mixed", "not shown to use more than how the videos were made"),
        ({"error": (-0.5, -1.0, 0.1)}, "mixed", "not shown to be smaller"),
        ({"auc": (0.5, 0.4, 0.6), "gap": (0, -1, 1), "error": (1, 0, 2)}, "poor", "includes chance"),
    ],
)
def test_every_line_can_fail(change, tone, sentence):
    verdict = judge(result(**change))
    assert verdict.tone == tone
    assert any(sentence in s for s in verdict.sentences)
    assert not verdict.headline.startswith("Better")


def test_shared_persons_and_oracles_are_mentioned():
    identity = {"auc": estimate(0.9, 0.8, 1.0), "note": "3 of 9 recordings"}
    oracle = {"raw": {"auc": estimate(0.8)}, "relative": {"auc": estimate(0.96)}}
    sentences = judge(result(identity=identity, oracle=oracle)).sentences
    assert any(s.startswith("Caution") and "3 of 9" in s for s in sentences)
    assert any("0.80 from the raw statistics and 0.96 relative" in s for s in sentences)


def test_what_is_beaten_and_what_is_not_is_named():
    verdict = judge(result(error=(-0.5, -1.0, 0.1)))
    start = "Only better than chance and the nuisance line; not shown to be better than the constant guess"
    assert verdict.headline.startswith(f"{start}: AUC 0.80")


def test_what_is_reliably_better_is_named_as_such():
    last = {"auc": estimate(0.9), "difference": {"auc": estimate(-0.43, -0.65, -0.21)}}
    verdict = judge(result(last_score=last, error=(2.0, 1.0, 3.0)))
    end = "; worse than the constant guess and the last earlier score: AUC 0.80"
    assert verdict.headline.startswith(f"Only better than chance and the nuisance line{end}")
    assert any(s.endswith("worse than the last earlier score.") for s in verdict.sentences)
    assert any("larger than the constant guess" in s for s in verdict.sentences)


def test_lines_of_several_kinds_are_one_list():
    line = {"raw": {"auc": estimate(0.8), "difference": {"auc": estimate(0.0, -0.1, 0.1)}}}
    verdict = judge(result(error=(-0.5, -1.0, 0.1), statistics=line, rocket=line))
    end = "not shown to be better than the constant guess, the statistics line and the ROCKET line: AUC 0.80"
    assert f"; {end}" in verdict.headline


def test_a_line_below_chance_is_explained_and_chance_stands_beside_it():
    low = {"auc": estimate(0.42, 0.35, 0.48), "difference": {"auc": estimate(0.38, 0.27, 0.49)}}
    sentences = " ".join(judge(result(nuisance=low)).sentences)
    assert "0.38 [0.27, 0.49] (and 0.30 [0.20, 0.40] against chance)" in sentences
    assert "reliably wrong" in sentences
    assert "reliably wrong" not in " ".join(judge(result()).sentences)


def test_a_trial_run_has_no_verdict():
    verdict = judge(result(), trial=True)
    assert (verdict.tone, verdict.headline) == ("trial", "A trial run, no result: AUC 0.80 [0.70, 0.90]")


def test_nothing_defined():
    verdict = judge({"test": {"auc": {"value": None, "low": None, "high": None, "reason": "one class"}}})
    assert verdict.tone == "poor"
    assert "cannot decide" in verdict.headline


def test_number_has_no_negative_zero():
    assert number(estimate(-0.001, -0.2, 0.1)) == "0.00 [\N{MINUS SIGN}0.20, 0.10]"
    assert number(estimate(None)) == "not defined"


def reader(auc, low, high):
    return {"both": {"auc": estimate(auc), "difference": {"auc": estimate((low + high) / 2, low, high)}}}


def test_simple_readers_of_the_same_series_and_earlier_scores_must_be_beaten_one_and_all():
    lines = {"statistics": reader(0.7, 0.05, 0.15), "rocket": reader(0.78, -0.02, 0.06)}
    verdict = judge(result(**lines))
    assert verdict.headline.startswith("Only better than")
    assert "not shown to be better than the ROCKET line: AUC" in verdict.headline
    told = next(one for one in verdict.sentences if one.startswith("Simple readers"))
    assert "0.70 (statistics; the model minus that 0.10 [0.05, 0.15])" in told
    assert told.endswith("not shown to be better than the ROCKET line.")
    lines["rocket"] = reader(0.7, 0.01, 0.2)
    assert "simple readers of its series" in judge(result(**lines)).headline
    last = {"auc": estimate(0.9), "difference": {"auc": estimate(-0.1, -0.2, 0.0)}}
    verdict = judge(result(last_score=last))
    assert "not shown to be better than the last earlier score" in verdict.headline
    alone = {"raw": {"auc": estimate(0.7), "difference": {"auc": estimate(0.1, 0.05, 0.15)}}}
    assert judge(result(statistics=alone)).headline.startswith("Better than")
