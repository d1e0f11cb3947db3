"""A folder laid out as CMDC, with made-up OpenFace tables, diagnoses and questionnaires."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.sources.trees.shared.openface import write_openface


def write(
    root: str | Path, *, persons: int = 12, seed: int = 0, questions: int = 12, workbook: bool = False
) -> None:
    """Write `SubjectInfo` and the tables of all questions.

    The first person has a diagnosis that the questionnaire contradicts, the last one no video.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of persons, at least 3.
        seed: Same seed, same files.
        questions: Questions of each, up to 12.
        workbook: Write `SubjectInfo.xlsx` as published, which needs openpyxl, instead of `SubjectInfo.csv`.
    """
    folder = Path(root)
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(persons):
        depressed = number % 2
        person = f"{'MDD' if depressed else 'HC'}{number // 2 + 1:02d}"
        answers = 1 + rng.integers(1, 3, size=9) if depressed else rng.integers(0, 2, size=9)
        diagnosis = 1 if number == 0 else depressed
        rows.append([person, diagnosis, *answers.tolist()])
        (folder / person).mkdir(parents=True, exist_ok=True)
        for question in range(1, 1 + (questions if number < persons - 1 else 0)):
            write_openface(folder / person / f"Q{question}.csv", rng, rows=20, level=2.0 - depressed)
            (folder / person / f"Q{question}.txt").write_text(f"answer {question}\n", encoding="utf-8")
    table = pd.DataFrame(rows, columns=["ID", "MDD", *(f"PHQ-{item}" for item in range(1, 10))])
    if workbook:
        table.to_excel(folder / "SubjectInfo.xlsx", index=False)
    else:
        table.to_csv(folder / "SubjectInfo.csv", index=False)
