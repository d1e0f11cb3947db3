"""What a file is that FFmpeg does not take for a video, in plain words."""

import codecs
from pathlib import Path

_HEAD = 4096  # bytes that are looked at
_SIGNATURES = {  # of the formats' own definitions
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x00\x05\x16\x07": "what macOS notes of a file (AppleDouble), not the file",
    b"ID3": "an MP3 sound file",
}


def plain_reason(path: Path) -> str:
    """Say why a file that could not be opened is no video, as far as its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for signature, what in _SIGNATURES.items():
        if head.startswith(signature):
            return f"it is {what}"
    if head[4:8] in (b"ftyp", b"mdat", b"wide"):
        return (
            "its table of contents (moov) is missing: the copy was cut off, or the recording never finished"
        )
    if not head.strip(b"\x00"):
        return "it begins with nothing but zeros: it was never written, or lost"
    return "it is text" if _is_text(head) else "it is no kind of video that FFmpeg knows"


def _is_text(head: bytes) -> bool:
    """Whether these are words in UTF-8; the last letter may be cut."""
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(head)
    return all(letter.isprintable() or letter in "\t\r\n\f" for letter in text) and "\ufffd" not in text
