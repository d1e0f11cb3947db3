from datamodules.manifests.identity import natural_key as of_datamodules
from evaluation.tables.identity import natural_key


def test_visits_are_in_natural_order():
    for key in (natural_key, of_datamodules):  # the two rooms cannot share it, but must agree
        assert sorted(["v10", "v9", "v1"], key=key) == ["v1", "v9", "v10"]
        assert sorted(["2024-01-02", "2023-11-30"], key=key)[0] == "2023-11-30"
        assert sorted(["1", "baseline", "2"], key=key) == ["1", "2", "baseline"]
