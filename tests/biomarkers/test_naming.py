from biomarkers.naming import label


def test_action_units_are_named_as_in_papers():
    names = ["au01", "au12_mean", "au45_event_rate", "gaze_x_std", "auction"]
    assert [label(n) for n in names] == ["AU1", "AU12 mean", "AU45 event rate", "gaze x std", "auction"]


def test_every_unit_of_a_pair_is_named():
    assert label("au06_au12_corr") == "AU6 AU12 correlation"
    assert label("au06_au12_lagcorr") == "AU6 AU12 correlation at best lag"
