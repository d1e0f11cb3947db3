"""Reading of label tables in `.xlsx` workbooks, for which an extra must be installed."""

import zipfile
from pathlib import Path

import pandas as pd


class UnreadableWorkbook(ValueError):
    """A workbook that is damaged, or the package that is missing; the message names file and remedy."""


def first_sheet(path: Path) -> list[list[str]]:
    """Cells of the first sheet as stripped text, row by row, without rows that are empty.

    Raises:
        UnreadableWorkbook: It is damaged, or openpyxl is not installed.
    """
    try:
        sheet = pd.read_excel(path, header=None, dtype=str, engine="openpyxl").fillna("")
    except ImportError as fault:
        raise UnreadableWorkbook(
            f"{path}: workbooks need openpyxl; pip install 'euthymia[corpora]', or save it as "
            f"{path.with_suffix('.csv').name} beside it"
        ) from fault
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as fault:
        raise UnreadableWorkbook(f"{path}: not a readable workbook ({fault}); download it again") from fault
    rows = [[str(cell).strip() for cell in row] for row in sheet.to_numpy().tolist()]
    return [row for row in rows if any(row)]
