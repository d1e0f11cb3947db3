"""The first page: what it says in every kind of run, and that its numbers are those of `metrics.json`."""

import re

import pytest
from scipy.stats import binomtest


def counts(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def sentence(text, words):
    """The sentence that holds some words."""
    found = [one for one in re.split(r"(?<=[.?]) (?=[A-Z])", text) if words in one]
    assert len(found) == 1, (words, found)
    return found[0]


def constant(mae, low, high):
    gap = {"value": -2.0, "low": low, "high": high}
    own = {"value": mae, "low": mae - 2.5, "high": mae + 3}
    return {"constant": {"mae": own, "difference": {"mae": gap}}}


def test_numbers_in_the_words_are_those_of_the_metrics(run):
    one = run(reference=constant(9.94, -3.0, -1.0))
    test, table = one.metrics["test"], one.predictions[one.predictions["split"] == "test"]
    auc, mae = test["auc"], test["mae"]
    ill, well = (table.loc[table["binary_target"] == side, "binary_prediction"] for side in (1, 0))
    right = sum(a > b for a in ill for b in well)  # counted here, without a metric
    said = sentence(one.text, "the network ranks").replace(",", "")
    expected = [round(100 * auc[key]) for key in ("value", "low", "high")]
    assert counts(said) == [len(ill) * len(well), right, expected[0], 100, 95, *expected[1:], 50]
    said = sentence(one.text, "miss the questionnaire's total")
    points = [float(number) for number in re.findall(r"\d+\.\d", said)]
    assert points == [*(round(mae[key], 1) for key in ("value", "low", "high")), 9.9, 7.4, 12.9, 2, 3, 1]
    assert f"On average over {len(table)} recordings" in said
    assert "the network minus that is \N{MINUS SIGN}2.0 (\N{MINUS SIGN}3.0 to" in said
    assert "closer by more than chance" in one.text


def test_flags_are_counted_as_the_metrics_have_them(run):
    one = run()
    test, table = one.metrics["test"], one.predictions[one.predictions["split"] == "test"]
    flagged = table["binary_prediction"] >= one.threshold["value"]
    right = table.loc[flagged, "binary_target"].mean()  # counted here, without a metric
    assert test["precision"]["value"] == pytest.approx(right)
    said = sentence(one.text, "It flags")
    share, hits = round(100 * table["binary_target"].mean()), int(table.loc[flagged, "binary_target"].sum())
    low, high = (round(100 * test["precision"][key]) for key in ("low", "high"))
    first = [int(flagged.sum()), len(table), hits, round(100 * right), 100, 95, low, high]
    assert counts(said) == [*first, int(table["binary_target"].sum()), len(table), share, 100]
    said = sentence(one.text, "it misses")
    for label, name, words in ((1, "sensitivity", "it misses"), (0, "specificity", "it flags")):
        own = table[table["binary_target"] == label]
        wrong = flagged[own.index] != label
        low, high = (round(100 * (1 - test[name][key])) for key in ("high", "low"))
        part = next(one for one in said.split("; of the") if words in one)
        head = [len(own), own["subject_id"].nunique(), int(wrong.sum())]
        assert counts(part) == [*head, round(100 * wrong.mean()), 100, 95, low, high]


def test_question_input_and_persons(run):
    text = run().text
    assert "how many points a person scores in the questionnaire BDI-II (0 to 63 points)" in text
    assert "whether the total reaches the cut-off of 14 points in the BDI-II?" in text
    # 7 steps of 4 frames and the first one, at 10 frames a second
    assert "in up to 8 pictures of 64 x 64 pixels, spread over at most 3 seconds (up to 3 such pieces" in text
    assert "Learned from 60 180 90 of 180 (50 %) 15.0 (9.0) 18 to 70 f: 32, m: 28" in text
    assert re.search(r"Tested 30 90 \d+ of 90 \(\d+ %\) [\d.]+ \([\d.]+\) 19 to 61 f: 16, m: 14", text)
    assert "Persons by place of recording: north: 20, south: 10." in text


def test_made_up_persons_are_named_in_the_first_sentence_and_real_ones_never_are(run):
    made_up = run(changed={"synthetic": True})
    assert made_up.text.split(". ")[0].strip().startswith("These data are synthetic")
    assert "Synthetic data: nothing here was seen in a patient." in made_up.text
    assert "ynthetic" not in run().text
    assert "made up: they are read as recordings of real persons" in run().text


def test_what_it_must_not_be_used_for_names_its_questionnaire(run):
    text = run().text
    assert "Not for a diagnosis." in text
    assert "Not for a decision about a person" in text
    assert "another questionnaire than the BDI-II, another camera" in text


def test_binary_only(run):
    one = run(heads=("binary",))
    assert "the network ranks" in one.text
    assert "points on average" not in one.text
    assert "miss the questionnaire's total" not in one.text
    assert "tell whether the total reaches the cut-off" in one.text


def test_score_only(run):
    one = run(heads=("score",), changed="no classes")
    assert "miss the questionnaire's total" in one.text
    for absent in ("the network ranks", "flag", "the probabilities that it gives"):
        assert absent not in one.text


def test_labels_without_a_questionnaire(run):
    one = run(heads=("binary",), changed={"questionnaires": []})
    assert "whether the label of a person is positive?" in one.text
    assert "one of somebody with a positive label and one of somebody with a negative one" in one.text
    assert "cut-off" not in one.text


def test_persons_with_a_recording_each_are_persons(run, cohort):
    one = run(cohort(subjects=60, visits=1))
    assert "pairs of one person at or above the cut-off and one below it, the network ranks" in one.text
    assert " persons at or above the cut-off, it misses" in one.text
    assert "Some came more than once" not in one.text
    assert "pairs of recordings" in run().text


def test_cross_validation_tests_everybody_once(run):
    folds = {
        f"fold{n}": {"train": {"persons": 24 + n, "recordings": 72}, "test": {"persons": 6, "sex": {"f": 6}}}
        for n in range(5)
    }
    one = run(changed={"parts": folds})
    assert "Everybody was tested once, in 5 rounds" in one.text
    assert "Learned from, each of 5 rounds 24 to 28 72" in one.text
    assert "f: 30" in one.text


def test_flags_that_were_not_counted_have_their_reason(run):
    one = run()
    for name in ("precision", "sensitivity", "specificity"):
        one.metrics["test"][name] = {"value": None, "low": None, "high": None, "reason": "none"}
    again = type(one)(one.metrics, one.predictions, one.record, {"value": None, "reason": "folds differ"})
    assert "How many would be flagged rightly was not counted: folds differ." in again.text
    assert "it misses" not in again.text


def test_cross_corpus_names_both(run, record):
    parts = {
        "a-to-b": {
            "train": {"persons": 9, "recordings": 9, "corpus": {"a": 9}},
            "test": {"corpus": {"b": 30}},
        }
    }
    protocol = {"_target_": "datamodules.splits.cross_corpus.CrossCorpus"}
    one = run(changed={"parts": parts, "config": record["config"] | {"protocol": protocol}})
    assert (
        "It learned from one collection (a: 9 persons) and was tested on another (b: 30 persons)." in one.text
    )


def test_another_manifest_is_not_what_it_learned_from(run):
    one = run(changed={"checkpoint": "runs/best.ckpt", "parts": {"other": {"test": {"persons": 30}}}})
    assert "The network learned elsewhere, from other data" in one.text


def test_what_taught_the_network_is_no_test(run):
    other = {"checkpoint": "runs/best.ckpt", "parts": {"other": {"test": {"persons": 30}}}}
    known = run(changed=other | {"seen_in_training": {"ids": 2, "files": 51}}).text
    assert "This is no test: 51 of " in known
    assert "its numbers flatter, and no one is a result" in known
    assert "is known to have taught it" not in known
    named = run(changed=other | {"seen_in_training": {"ids": 12}}).text
    assert "but 12 of" in named
    assert "Unless these are others of the same name, this is no test." in named
    assert "flatter" not in named


def test_repeats_test_everybody_so_many_times(run, record):
    folds = {f"r{n}": {"train": {"persons": 24}, "test": {"persons": 15}} for n in range(4)}
    protocol = {"_target_": "datamodules.splits.cross_validation.RepeatedKFold", "repeats": 2}
    one = run(changed={"parts": folds, "config": record["config"] | {"protocol": protocol}})
    assert "Everybody was tested 2 times, in 4 rounds" in one.text


def test_shared_persons_are_a_caution(run):
    overlap = {"persons": {"train": {"train": 9, "test": 3}, "test": {"train": 3, "test": 9}}}
    assert (
        "Caution: persons were tested whom the network had learned from."
        in run(changed={"person_overlap": overlap}).text
    )
    apart = {"persons": {"train": {"test": 0}, "test": {"train": 0, "test": 9}}}
    assert "nobody is in two groups" in run(changed={"person_overlap": apart}).text


def test_hidden_answers_are_no_result(run, cohort):
    test = cohort()
    test[["score_target", "binary_target", "band_target"]] = float("nan")
    one = run(test)
    auc = one.metrics["val"]["auc"]
    assert (
        "No result: the answers of the tested persons are hidden or missing. Their 90 recordings" in one.text
    )
    pairs = one.metrics["val"]["counts"]["positive"] * one.metrics["val"]["counts"]["negative"]
    right = f"ranks {auc['value'] * pairs:,.0f} rightly ({100 * auc['value']:.0f} of 100"
    assert f"of {pairs:,} pairs of recordings" in one.text
    assert right in one.text
    assert "which flatters" in one.text
    assert "<svg" not in one.page
    assert "a coin reaches" not in one.text


def test_a_trial_run_shows_no_number_as_a_result(run, record):
    config = record["config"] | {"trainer": {"max_epochs": 1, "limit_train_batches": 2}}
    one = run(changed={"config": config, "argv": ["train.py", "debug=fast"]})
    assert "No result: this run was cut short on purpose" in one.text
    assert (
        "This was a trial run (debug=fast, trainer.limit_train_batches=2, trainer.max_epochs=1)" in one.text
    )
    assert "the network ranks" not in one.text
    assert "<svg" not in one.page


def test_one_tested_person_has_no_interval(run, cohort):
    one = run(cohort(subjects=1, visits=4))
    assert one.metrics["test"]["mae"]["low"] is None
    assert "points (no interval to rely on)" in one.text
    assert "One person was tested" in one.text


def test_few_persons_are_named(run, cohort):
    assert "Only 8 persons were tested: too few" in run(cohort(subjects=8)).text
    table = cohort(subjects=40, visits=1)
    few = table["binary_target"].eq(0) | table["recording_id"].isin(
        table.loc[table["binary_target"] == 1, "recording_id"][:3]
    )
    assert "only 3 persons of a class" in run(table[few]).text
    assert "unreliable" not in run(cohort(subjects=60, visits=1)).text


def test_ranking_below_chance_is_no_success(run, cohort):
    table = cohort()
    table["binary_prediction"] = 1 - table["binary_prediction"]
    one = run(table)
    assert one.metrics["test"]["auc"]["high"] < 0.5
    assert "it ranks wrongly more often than a coin" in one.text
    assert "more than chance" not in sentence(one.text, "a coin reaches 50")


def test_an_interval_that_holds_chance_says_so(run, cohort):
    table = cohort()
    table["binary_prediction"] = table["binary_prediction"].sample(frac=1, random_state=0).to_numpy()
    one = run(table)
    assert one.metrics["test"]["auc"]["low"] < 0.5 < one.metrics["test"]["auc"]["high"]
    assert "it is not shown to be better than chance" in one.text


def test_nobody_flagged(run, cohort):
    table = cohort()
    table["binary_prediction"] /= 1000
    one = run(table)
    assert "It flags none of the 90 tested recordings." in one.text
    positive = one.metrics["test"]["counts"]["positive"]
    assert f"it misses all {positive} (100 of 100; Wilson 95 % interval" in one.text


def test_answers_to_single_questions(run, cohort):
    tables = []
    for seed, split in ((0, "test"), (1, "val")):
        table = cohort(seed=seed, split=split, first=seed * 500)
        for item in ("item_a", "item_b"):
            table[f"{item}_target"] = (table["score_target"] // 16).clip(0, 3)
            table[f"{item}_prediction"] = (table["score_prediction"] // 16).clip(0, 3)
        tables.append(table)
    one = run(*tables, heads=("score", "binary", "item_a", "item_b"))
    kappa = one.metrics["test"]["item_kappa"]
    assert "and how each of its questions is answered?" in one.text
    assert (
        f"agree by {kappa['value']:.2f} (95 % interval {kappa['low']:.2f} to {kappa['high']:.2f}; kappa)"
        in one.text
    )


def test_scores_of_earlier_visits_are_part_of_the_input(run, record):
    for kind, words in (
        ("CalibratedContext", "together with the person's earlier recordings and their known scores"),
        ("EnrolmentContext", "together with the person's other recordings, whose scores it is not told"),
    ):
        network = {"context": {"_target_": f"models.mpdrm.context.{kind}"}}
        one = run(changed={"config": record["config"] | {"model": {"network": network}}})
        assert words in one.text
    assert "together with" not in run().text


def test_measurements_instead_of_pictures(run, record):
    module = {
        "source": {"fps": None, "channels": None},
        "train_clips": {"length": 9},
        "eval_clips": {"length": 9},
    }
    config = record["config"] | {"data": {"channels": 17, "module": module}}
    assert (
        "It reads no picture, but 17 measurements at up to 9 moments." in run(changed={"config": config}).text
    )


def line(auc, low, high):
    gap = {"value": (low + high) / 2, "low": low, "high": high}
    return {"auc": {"value": auc, "low": auc - 0.1, "high": auc + 0.1}, "difference": {"auc": gap}}


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ((0.1, 0.2), "better by more than chance"),
        ((-0.2, -0.1), "worse by more than chance"),
        ((-0.1, 0.1), "not shown to be better"),
    ],
)
def test_what_can_be_had_without_the_network_is_held_against_it(run, gap, words):
    beaten = line(0.5, 0.3, 0.4)
    reference = {
        "nuisance": line(0.7, *gap),
        "last_score": beaten,
        "mean_score": line(0.8, *gap),
        "statistics": {"raw": line(0.9, *gap)},
        "rocket": {"raw": beaten},
    }
    text = run(reference=reference).text
    for opening, best, of in (
        ("How a recording was made", 70, ""),
        ("What the person scored", 80, ", the best of 2"),
        ("Simple methods on the same measurements", 90, ", the best of 2"),
    ):
        said = sentence(text, opening)
        assert f" {best} of 100 pairs (95 % interval {best - 10} to {best + 10}){of};" in said
        ends = [f"{100 * end:+.0f}".replace("-", "\N{MINUS SIGN}") for end in gap]
        assert f"({ends[0]} to {ends[1]}): {words}." in said
    assert "Simple methods on the same measurements" not in run(reference={"nuisance": beaten}).text
    one_of_two = {"last_score": line(0.8, -0.12, 0.02), "mean_score": line(0.79, -0.07, -0.01)}
    said = sentence(run(reference=one_of_two).text, "What the person scored")
    assert "reaches 80 of 100 pairs" in said
    assert "is \N{MINUS SIGN}5 (" in said  # difference and verdict are those of the number
    assert said.endswith("not shown to be better.")


def test_bars_lie_where_their_numbers_are(run):
    one = run()
    auc = one.metrics["test"]["auc"]
    drawn = re.search(r'<line x1="([\d.]+)" y1="39" x2="([\d.]+)" y2="39" stroke="#777"', one.page)
    dot = re.search(r'<circle cx="([\d.]+)"', one.page)
    places = [float(number) for number in (*drawn.groups(), *dot.groups())]
    assert places == [pytest.approx(8 + 384 * auc[key], abs=0.06) for key in ("low", "high", "value")]
    assert f'aria-label="Pairs ranked rightly, of 100: {100 * auc["value"]:.0f} of 100' in one.page


def test_all_of_two_persons_are_two_of_two_with_wilsons_interval(run, cohort):
    table = cohort(subjects=6, visits=1)
    table["binary_target"] = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    table["binary_prediction"] = [0.99, 0.98, 0.01, 0.02, 0.99, 0.01]
    one = run(table)
    said = sentence(one.text, "it misses")
    expected = round(100 * (1 - binomtest(2, 2).proportion_ci(method="wilson").low))
    interval = f"(0 of 100; Wilson 95 % interval 0 to {expected})"
    assert f"Of the 2 persons at or above the cut-off, it misses none {interval}" in said
    assert (
        "of the 4 persons below the cut-off, it flags 1 wrongly (25 of 100; no interval to rely on)" in said
    )


def test_calibration_is_told_with_both_its_errors_and_no_praise(run):
    own = {"value": 0.24, "low": 0.21, "high": 0.27}
    one = run(reference={"constant": {"brier": own}})
    test = one.metrics["test"]
    said = sentence(one.text, "the probabilities that it gives")
    assert f"and the shares that came true differ by {100 * test['ece']['value']:.0f} of 100" in said
    assert "it has no interval" in said
    brier = "{value:.2f} (95 % interval {low:.2f} to {high:.2f})".format(**test["brier"])
    given = "always giving the share of those it learned from has 0.24 (95 % interval 0.21 to 0.27); 0 is"
    assert f"Their squared error is {brier}; {given}" in one.text
