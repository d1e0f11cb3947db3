"""Errors of video readers, raised instead of returning a wrong frame."""


class UnreadableVideo(ValueError):
    """A video is missing, empty, truncated or corrupt; the message names the file and a remedy.

    Attributes:
        reason: what is wrong, without either; may be empty.
    """

    reason: str = ""


class UnsupportedVideo(UnreadableVideo):
    """The file may be fine, but this reader would return wrong frames for its material."""


def unreadable(name: str, reason: object) -> UnreadableVideo:
    """Build the one error message for damaged material."""
    error = UnreadableVideo(
        f"{name}: cannot be read as a video ({reason}). Copy the file again from its source, or re-encode "
        "what is left of it (ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4), or remove its row from "
        "the manifest, or the file from the folder."
    )
    error.reason = str(reason)
    return error
