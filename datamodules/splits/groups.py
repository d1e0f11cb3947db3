"""Groups that stay together in a split, such as schools: persons are nested in them."""

from collections import defaultdict

from datamodules.manifests.columns import describe_rows
from datamodules.manifests.identity import person_keys
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split, SplitError
from datamodules.wording import first_few, nearest


def unit_keys(manifest: Manifest, group_by: str | None) -> list[str]:
    """One key a row of what goes to one part as a whole: the person, or the group that the person is in.

    Args:
        manifest: The recordings.
        group_by: Column of the groups, such as `school`; None takes persons.

    Raises:
        SplitError: No such column, an empty cell, or a person in two groups.
    """
    persons = person_keys(manifest.table)
    if group_by is None:
        return persons
    groups = groups_of(manifest, group_by)
    own: dict[str, set[str]] = defaultdict(set)
    for person, group in zip(persons, groups, strict=True):
        own[person].add(group)
    if torn := [
        f"{one.split(':', 1)[1]} ({', '.join(sorted(in_))})" for one, in_ in own.items() if len(in_) > 1
    ]:
        raise SplitError(
            f"{manifest}: {len(torn)} person(s) are in several groups of '{group_by}': {first_few(torn)}; "
            "persons must be nested in groups: correct the column, or leave out protocol.group_by"
        )
    return [f"{group_by}:{group}" for group in groups]


def groups_of(manifest: Manifest, column: str) -> list[str]:
    """The group of each row.

    Raises:
        SplitError: No such column, or an empty cell.
    """
    table = manifest.table
    if column not in table:
        raise SplitError(
            f"{manifest}: no column '{column}'{nearest(column, table.columns)} to group persons by; add it, "
            "or leave out protocol.group_by and evaluation.cluster"
        )
    groups = table[column].astype(str)
    if where := describe_rows(table, (groups == "") | (groups == "nan")):
        raise SplitError(
            f"{manifest}: '{column}' is empty in {where}; fill it, as these belong to a group too"
        )
    return groups.tolist()


def group_note(manifest: Manifest, split: Split, group_by: str | None) -> tuple[str, ...]:
    """How many groups each part of a split has, for the readers of its result; nothing for persons."""
    if group_by is None:
        return ()
    groups = dict(zip(manifest.table["recording_id"].tolist(), groups_of(manifest, group_by), strict=True))
    counts = [len({groups[name] for name in ids}) for ids in (split.train, split.val, split.test)]
    return (
        f"whole groups of '{group_by}' stay together: {counts[0]} train, {counts[1]} select, {counts[2]} are "
        "tested",
    )
