"""Remarks: what a person should know of the faces of a recording, a sentence each."""

from preprocessing.tracking.persons import Person

# Our choices.
_FEW = 5  # frames: what is seen in fewer is hardly a person
_RIVAL = 0.5  # of the main person's weight


def remarks(seen: list[Person], n: int, fps: float | None) -> tuple[str, ...]:
    """Say who else was seen, and what is doubtful.

    Args:
        seen: All persons, the main one first.
        n: Frames of the recording.
        fps: Frames per second; without, remarks count frames.
    """
    if not seen:
        return ("no face is found",)
    main, said = seen[0], []
    together = sorted({frame for one in seen[1:] for frame in one.frames} & main.frames)
    if len(together) >= _FEW:
        said.append(
            f"a second face is seen in {len(together)} of {n} frames, from {_moment(together[0], fps)} on"
        )
    alone = sorted({frame for one in seen[1:] for frame in one.frames} - main.frames)
    if len(alone) >= _FEW:
        said.append(
            f"in {len(alone)} of {n} frames, from {_moment(alone[0], fps)} on, only a face is seen that is "
            "not surely the same person: they are left out"
        )
    rivals = [one for one in seen[1:] if one.weight >= _RIVAL * main.weight]
    if rivals:
        said.append(
            f"another person is seen nearly as much as the main one ({len(rivals[0].frames)} and "
            f"{len(main.frames)} frames): look at who was followed"
        )
    return tuple(said)


def _moment(frame: int, fps: float | None) -> str:
    return f"frame {frame}" if not fps else f"{frame / fps:.1f} s"
