"""Of whom a run asked: who trained, chose and was tested, in a small table, and where they came from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]  # content of a run's `manifest.json`
Row = Mapping[str, Any]  # of `sections.data_section.data_rows`

TESTED = ("test", "all")  # how the tested part is called; all, in tables without parts
_PARTS = {"Learned from": ("train",), "Settings chosen on": ("val",), "Tested": TESTED}
_SHOWN = 3  # values of sex, site or corpus that are named
_EMPTY = "–"  # noqa: RUF001 - an empty cell of a table


def people_table(rows: Sequence[Row], record: Record, *, above: str) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the table.

    Args:
        rows: The same that the data section of the report shows.
        record: Content of `manifest.json`.
        above: Heading of the column that counts the positive.
    """
    score = "Mean score (SD) of recordings"
    columns = ["", "Persons", "Recordings", above, score, "Age of persons", "Persons by sex"]
    table = []
    for label, parts in _PARTS.items():
        own = [row for row in rows if str(row["split"]).partition(" ")[0] in parts]
        if own:
            facts = _facts(record, parts[0])
            counts = [_persons(own, facts["unknown"]), _span(row["recordings"] for row in own)]
            one = own[0] if len(own) == 1 else {}
            folds = f", each of {len(own)} rounds" if len(own) > 1 else ""
            table.append(
                [
                    f"{label}{folds}",
                    *counts,
                    _share(one),
                    str(one.get("score", _EMPTY)),
                    _age(facts),
                    _sex(facts, persons=own[0]["persons"]),
                ]
            )
    known = [0, *(n for n in range(1, len(columns)) if any(row[n] != _EMPTY for row in table))]
    return [columns[n] for n in known], [[row[n] for n in known] for row in table]


def origin(record: Record, *, tested: int) -> list[str]:
    """Where the tested persons came from, and what they have to do with those it learned from."""
    config = record.get("config") or {}
    protocol = str((config.get("protocol") or {}).get("_target_"))
    parts = record.get("parts") or {}
    facts = _facts(record, "test")
    name = record.get("data")
    unknown = any(part.get("unknown") for split in parts.values() for part in split.values())
    trained = any((split.get("train") or {}).get("recordings") for split in parts.values())
    if seen := record.get("seen_in_training"):
        text = met_again(seen, tested)
    elif _shared(record):
        text = "Caution: persons were tested whom the network had learned from."
    elif not trained and record.get("checkpoint"):
        text = "The network learned elsewhere, from other data; nothing here is known to have taught it."
    elif protocol.endswith(".CrossCorpus"):
        corpora = {part: listed_counts(_facts(record, part).get("corpus")) for part in ("train", "test")}
        text = (
            f"It learned from one collection ({corpora['train']} persons) and was tested on another "
            f"({corpora['test']} persons)."
        )
    elif len(parts) > 1:
        times = (config.get("protocol") or {}).get("repeats")
        often = f"{times} times" if times else "once"
        text = (
            f"Everybody was tested {often}, in {len(parts)} rounds, by a network that had not learned from "
            f"that person{', as far as it is known whose recordings these are' if unknown else ''}."
        )
    elif unknown:
        text = (
            "The tested persons come from the same collection as the others. Of some recordings nobody knows "
            "whose they are, so that a person may be in two groups."
        )
    else:
        text = "The tested persons come from the same collection as the others, and nobody is in two groups."
    places = listed_counts(facts.get("site"))
    if places and len(facts.get("site") or ()) > 1:
        text += f" Persons by place of recording: {places}."
    return (
        [text + (f" The data are called {name}." if name and not record.get("synthetic") else "")]
        if tested
        else []
    )


def _persons(rows: Sequence[Row], unknown: int) -> str:
    """How many; of recordings of which nobody knows whose they are that this is not known."""
    if not any(row["persons"] for row in rows):
        return "not known"
    return _span(row["persons"] for row in rows) + (" and unknown ones" if unknown else "")


def met_again(seen: Mapping[str, int], tested: int) -> str:
    """What the network knows of the tested recordings, by their files, or by names alone."""
    if seen.get("files"):
        return f"This is no test: {seen['files']} of {tested} recordings taught the network or chose it."
    whose = "persons" if seen.get("persons") else "recordings"
    return (
        f"The network learned from other data, but {max(seen.values())} of {tested} recordings carry names "
        f"of {whose} that taught or chose it. Unless these are others of the same name, this is no test."
    )


def listed_counts(counts: Mapping[str, int] | None) -> str:
    """The most frequent values with their persons, as in `A: 20, B: 7`."""
    if not counts:
        return ""
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    more = f" and {len(most) - _SHOWN} more" if len(most) > _SHOWN else ""
    return ", ".join(f"{name}: {count}" for name, count in most[:_SHOWN]) + more


def _shared(record: Record) -> bool:
    persons = (record.get("person_overlap") or {}).get("persons") or {}
    return any(count for other, count in (persons.get("test") or {}).items() if other == "train")


def _facts(record: Record, part: str) -> dict[str, Any]:
    """Unknown persons' recordings, age, sex, site and corpus of a part; folds test others: counts add up."""
    found: dict[str, Any] = {"unknown": 0}
    for split in (record.get("parts") or {}).values():
        own = split.get(part) or {}
        found["unknown"] += own.get("unknown", 0)
        if "age" in own:
            low, high = own["age"]
            ends = found.get("age", own["age"])
            found["age"] = [min(low, ends[0]), max(high, ends[1])]
        for name in ("sex", "site", "corpus"):
            for value, count in (own.get(name) or {}).items():
                counts = found.setdefault(name, {})
                counts[value] = counts.get(value, 0) + count
    return found


def _share(row: Row) -> str:
    positive, labeled = row.get("positive"), row.get("labeled")
    if positive is None or not labeled:
        return _EMPTY
    return f"{positive} of {labeled} ({100 * positive / labeled:.0f} %)"


def _age(facts: Mapping[str, Any]) -> str:
    return _EMPTY if "age" not in facts else "{:.0f} to {:.0f}".format(*facts["age"])


def _sex(facts: Mapping[str, Any], *, persons: int) -> str:
    """Nothing where folds overlap, so that their counts do not add up to the persons."""
    counts = facts.get("sex")
    return listed_counts(counts) if counts and sum(counts.values()) <= persons else _EMPTY


def _span(values: Iterable[int]) -> str:
    known = sorted(values)
    return str(known[0]) if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
