"""Facts of persons in our own words: traits, age, sex and diseases by ID."""

from pathlib import Path
from typing import Any

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.label_table import coded, numbers, read_labels
from datamodules.wording import first_few

_NUMBERS = ("trait_O", "trait_C", "trait_E", "trait_A", "trait_N", "age")
_SEX = {"f": "F", "m": "M", "": ""}
COLUMNS = ("ID", *_NUMBERS, "sex", "diseases")


def read_people(path: Path) -> dict[str, dict[str, Any]]:
    """Columns of everybody by ID, as a manifest has them; traits stay in the units of the table.

    Raises:
        SourceError: No such table, a column with another name than `COLUMNS`, an ID that comes twice, a
            number that is none, or another sex than F and M.
    """
    table = read_labels(path, {"ID": ["ID"]})
    if strange := [str(name) for name in table if name not in COLUMNS]:
        raise SourceError(
            f"{path}: nothing is known of the columns {first_few(strange)}; name them as here "
            f"({', '.join(COLUMNS)}), or give a copy without them"
        )
    columns: dict[str, list[Any]] = {
        name: numbers(table, name, path, empty=True) for name in _NUMBERS if name in table
    }
    if "sex" in table:
        columns["sex"] = coded(table, "sex", _SEX, path)
    if "diseases" in table:
        columns["diseases"] = table["diseases"].tolist()
    found: dict[str, dict[str, Any]] = {}
    for row, number in enumerate(table["ID"].tolist()):
        if not number or number in found:
            raise SourceError(f"{path}: ID {number!r} in line {row + 2} is empty or comes twice; correct it")
        found[number] = {name: values[row] for name, values in columns.items()}
    return found
