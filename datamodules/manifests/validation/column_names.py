"""Validation of column names: warns of those that resemble an item or a trait and would not be read."""

import logging
import re
from collections import defaultdict

import numpy as np
import pandas as pd

from datamodules.manifests.questionnaires import ITEMS, SUBSCALES

_log = logging.getLogger(__name__)

_TRAITS = {
    "o": ("o", "open", "openness", "opennesstoexperience"),
    "c": ("c", "con", "consc", "conscientious", "conscientiousness"),
    "e": ("e", "ext", "extra", "extraversion", "extroversion"),
    "a": ("a", "agr", "agree", "agreeable", "agreeableness"),
    "n": ("n", "neu", "neur", "neurotic", "neuroticism"),
}
_TRAIT_OF = {word: f"trait_{letter.upper()}" for letter, words in _TRAITS.items() for word in words}
_ITEM = re.compile(
    r"(?P<stem>[a-z][a-z0-9]*?(?:[ _-]?(?:ii|d|a|s))?)[ _.-]?(?P<number>\d{1,2})", re.IGNORECASE
)
# How the items of a questionnaire are often called, with what a table may write before their number.
_STEMS = {
    "item": None, "q": None, "question": None, "i": None, "frage": None,
    "bdi": "BDI-II", "bdi2": "BDI-II", "bdiii": "BDI-II", "phq": "PHQ-9", "phq8": "PHQ-8", "phq9": "PHQ-9",
    "hamd": "HAMD-17", "hamd17": "HAMD-17", "hdrs": "HAMD-17", "dass": "DASS-21-D", "dass21": "DASS-21-D",
}  # fmt: skip
_FEWEST = 4  # columns of one stem, our choice: fewer are no questionnaire
_ASKED = 8  # rows with answers, our choice: so many persons do not all have all symptoms


def trait_spellings(table: pd.DataFrame) -> dict[str, str]:
    """Columns that are one of the five traits under another spelling, and its name.

    Examples:
        >>> trait_spellings(pd.DataFrame(columns=["trait_o", "Trait Openness", "trait_C", "trait_interview"]))
        {'trait_o': 'trait_O', 'Trait Openness': 'trait_O'}
    """
    found = {}
    for name in map(str, table):
        bare = re.sub(r"[\W_]", "", name).casefold()
        known = _TRAIT_OF.get(bare.removeprefix("trait")) if bare.startswith("trait") else None
        if known not in (None, name):
            found[name] = known
    return found


def say_unread(table: pd.DataFrame, name: str) -> None:
    """Warn of columns like a trait or like the items of a questionnaire, which nothing reads."""
    for column, known in trait_spellings(table).items():
        _log.warning("%s: '%s' is not read as a trait; did you mean '%s'?", name, column, known)
    for columns in _bare_items(table).values():
        scale, shown = _scale_of(columns[0], table), f"{columns[0]} to {columns[-1]}"
        if scale is None:
            _log.warning(
                "%s: %s are items of no questionnaire that is known; nothing checks them", name, shown
            )
            continue
        items = SUBSCALES[scale].columns
        _log.warning(
            "%s: %s look like the items of %s; call them %s to %s, so that they are checked%s",
            name, shown, scale, items[0], items[-1], _coded(table, columns, scale),
        )  # fmt: skip


def say_no_zero(table: pd.DataFrame, name: str) -> None:
    """Warn of questionnaires in which nobody ever answered 0: they may be coded from 1."""
    for scale in SUBSCALES.values():
        items = [column for column in scale.columns if column in table]
        answers = table[items].to_numpy(dtype=np.float64)
        asked = int(np.isfinite(answers).any(axis=1).sum()) if items else 0
        if len(items) >= _FEWEST and asked >= _ASKED and np.nanmin(answers) == 1:
            _log.warning(
                "%s: no answer of %s to %s is 0 in %d rows; if the items are coded from 1, subtract 1",
                name, items[0], items[-1], asked,
            )  # fmt: skip


def _bare_items(table: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of numbered names by the word before the number, where that is one of items."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in map(str, table):
        match = None if name in ITEMS else _ITEM.fullmatch(re.sub(r"^item_(?=[a-z])", "", name))
        if match is not None and _stem(match["stem"]) in _STEMS:
            found[_stem(match["stem"])].append(name)
    return {stem: names for stem, names in found.items() if len(names) >= _FEWEST}


def _stem(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _scale_of(column: str, table: pd.DataFrame) -> str | None:
    """The questionnaire of such a column: by its name, else the one whose totals the table has."""
    match = _ITEM.fullmatch(re.sub(r"^item_(?=[a-z])", "", column))
    named = _STEMS[_stem(match["stem"])] if match is not None else None
    scales = [scale for scale in set(table.get("scale", ())) if scale in SUBSCALES]
    return named or (scales[0] if len(scales) == 1 else None)


def _coded(table: pd.DataFrame, columns: list[str], scale: str) -> str:
    """A remark that the items are coded from 1, where the totals say so."""
    answers = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    if "score" not in table or "scale" not in table or not len(answers):
        return ""
    known = (
        np.isfinite(answers).all(axis=1)
        & table["score"].notna().to_numpy()
        & (table["scale"] == scale).to_numpy()
    )
    factor = 2 if SUBSCALES[scale].scale.doubled else 1
    from_one = factor * (answers - 1).sum(axis=1) == table["score"].to_numpy(dtype=np.float64)
    coded = known.any() and from_one[known].all() and (answers[known] >= 1).all()
    return "; their totals say that they are coded from 1: subtract 1" if coded else ""
