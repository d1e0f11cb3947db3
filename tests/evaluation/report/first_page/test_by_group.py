"""Groups of persons on the first page."""


def test_groups_where_they_were_measured(run):
    assert "was not measured in this run" in run().text
    apart = {"auc": {"value": -0.2, "low": -0.3, "high": -0.1}}
    sex = [
        {"group": "f", "persons": 16, "auc": {"value": 0.6, "low": 0.5, "high": 0.7}, "difference": apart},
        {"group": "m", "persons": 14, "auc": {"value": 0.8, "low": 0.7, "high": 0.9}, "difference": {}},
    ]
    text = run(groups={"sex": {"groups": sex}, "age": {"reason": "not in the manifest"}}).text
    assert "by sex: f 60 (50 to 70; 16)*, m 80 (70 to 90; 14)." in text
    assert "Of 100 pairs within a group, ranked rightly (95 % interval; persons), by sex" in text
    assert "A star: differs from the others by more than chance." in text
    mae = {"value": 8.25, "low": 7.0, "high": 9.5}
    points = [{"group": name, "persons": 12, "mae": mae} for name in "abcdef"]
    text = run(groups={"site": {"groups": points}}).text
    assert "Points missed on average within a group (95 % interval; persons), by site: a 8.2" in text
    assert "d 8.2 (7.0 to 9.5; 12), 2 more in audit.html." in text
    assert "could not be compared" in run(groups={"sex": {"reason": "not in the manifest"}}).text
