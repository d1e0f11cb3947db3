import pandas as pd

from datamodules.manifests.columns import check_columns


def test_a_missing_column_is_told_with_twelve_names_at_most():
    table = pd.DataFrame(columns=[f"feature{number}" for number in range(60)] + ["subject", "file_path"])
    said = check_columns(table)
    assert len(said) == 4
    for line in said:
        assert line.endswith(" and 50 more)")
        assert line.count("feature") <= 12
    assert "(found: subject, " in said[1]
    assert "(found: file_path, " in said[3]
