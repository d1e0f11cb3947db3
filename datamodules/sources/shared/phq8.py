"""PHQ-8 answers and totals from the label files of several corpora, completed and compared."""

from collections.abc import Mapping, Sequence

from datamodules.sources.shared.draft import Draft, SourceError

# Order of the questionnaire (Kroenke et al. 2009), which is the order of the columns in the label files too.
_SYMPTOMS = ("NoInterest", "Depressed", "Sleep", "Tired", "Appetite", "Failure", "Concentrating", "Moving")
ITEMS: Mapping[str, Sequence[str]] = {
    f"item_phq8_{number}": (f"PHQ8_{symptom}", f"PHQ_8{symptom}")  # DAIC-WOZ; E-DAIC
    for number, symptom in enumerate(_SYMPTOMS, start=1)
}
_ANSWERS = (0, 1, 2, 3)

Items = dict[str, float | None]


def complete_items(items: Items, score: float | None, *, number: str, draft: Draft) -> Items:
    """The eight answers; a single empty one follows from the total. What does not add up is listed.

    Args:
        items: Answers by the names of `ITEMS`, None where the file has an empty cell.
        score: Total of the questionnaire, None if unknown.
        number: Participant, for the errata.
        draft: Where corrections are listed.

    Raises:
        SourceError: An answer is not 0, 1, 2 or 3.
    """
    for name, answer in items.items():
        if answer is not None and answer not in _ANSWERS:
            raise SourceError(
                f"participant {number}: {ITEMS[name][0]} is {answer:g}, an answer is 0, 1, 2 or 3; correct it"
            )
    empty = [name for name, answer in items.items() if answer is None]
    total = sum(answer for answer in items.values() if answer is not None)
    where = f"participant {number}"
    if score is None or len(empty) == len(items):
        return items
    if len(empty) == 1 and score - total in _ANSWERS:
        change = f"{ITEMS[empty[0]][0]} empty -> {score - total:g} (total {score:g} minus the rest)"
        draft.correct("item_from_total", where, change)
        return items | {empty[0]: score - total}
    if empty:
        draft.correct("missing_items", where, f"{len(empty)} items empty and left so")
    elif total != score:
        draft.correct(
            "items_contradict_score", where, f"items add up to {total:g}, score {score:g}; both kept"
        )
    return items
