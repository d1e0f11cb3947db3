"""One file for an exported network: a zip that is stored, sealed as a whole, and verified before it is read.

The last 64 bytes of the file are the SHA-256 of all bytes before them, as the comment of the zip. A changed
byte is found by it wherever it lies; the digests in `certificate.json` then say in which member. No digest is
a signature: who rewrites a bundle on purpose can rewrite all of them.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config.compose import ConfigError
from engine.runs.atomic_write import put

CERTIFICATE, CARD, RECORD = "certificate.json", "card.json", "record.json"
NETWORKS = {
    "safetensors": "network.safetensors",
    "torch_export": "network.pt2",
    "onnx": "network.onnx",
}
"""Format -> the member that holds the network."""

_SEAL = 64  # hexadecimal digits of a SHA-256
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest of a zip: the same members make the same file
_DIRECTORY = "its directory"


class ExportError(ConfigError):
    """A network that cannot be exported, or a bundle that is altered, damaged, or none."""


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal digits.

    Examples:
        >>> digest_of(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def json_bytes(content: Any) -> bytes:
    """Plain values as indented JSON."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def write_bundle(path: Path, members: Mapping[str, bytes], certificate: Mapping[str, Any]) -> None:
    """Write a bundle in one step.

    Args:
        path: The file.
        members: Name -> content, all but the certificate.
        certificate: Facts to certify; the digests of the members are added as `sha256`.

    Raises:
        DiskError: It could not be written.
    """
    digests = {name: digest_of(content) for name, content in members.items()}
    whole = {CERTIFICATE: json_bytes({**certificate, "sha256": digests}), **members}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in whole.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content)
        archive.comment = b"0" * _SEAL
    body = buffer.getvalue()[:-_SEAL]
    put(path, body + digest_of(body).encode())


def read_bundle(path: Path) -> dict[str, bytes]:
    """Read and verify a bundle; nothing in it is interpreted but its list of members and their digests.

    Raises:
        ExportError: It is missing or no bundle, or a byte of it was changed; names the member.
    """
    if not path.is_file():
        raise ExportError(f"{path}: no such file. Give a bundle that export.py wrote.")
    content = path.read_bytes()
    body, seal = content[:-_SEAL], content[-_SEAL:]
    if digest_of(body).encode() != seal:
        raise ExportError(
            f"{path}: {_altered(content)} was altered or damaged: its digest does not match. Copy the file "
            "again from where it was exported, or export anew with export.py."
        )
    try:
        members = _members(content)
        listed = json.loads(members[CERTIFICATE])["sha256"]
        known = [set(members) == {CERTIFICATE, CARD, RECORD, name} for name in NETWORKS.values()]
        whole = any(known) and listed == {
            name: digest_of(one) for name, one in members.items() if name != CERTIFICATE
        }
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ExportError(f"{path}: no bundle of this project ({type(error).__name__})") from error
    if not whole:
        raise ExportError(f"{path}: no bundle of this project: its members are not those that it certifies")
    return members


def _members(content: bytes) -> dict[str, bytes]:
    """The members by name.

    Raises:
        ValueError: One is packed, which could grow when it is read, or named twice.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("a member is packed")
        if len({entry.filename for entry in entries}) < len(entries):
            raise ValueError("a member is there twice")
        if sum(entry.file_size for entry in entries) > len(content):
            raise ValueError("its members are larger than the file")
        return {entry.filename: archive.read(entry) for entry in entries}


def _altered(content: bytes) -> str:
    """What of a file that does not match its seal was changed, as far as that can be told."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if (odd := archive.testzip()) is not None:  # by the checksum of each member
                return odd if odd in (CERTIFICATE, CARD, RECORD, *NETWORKS.values()) else _DIRECTORY
    except Exception:  # bytes that are no zip make the reader stumble in any way there is
        return _DIRECTORY
    return _DIRECTORY if CERTIFICATE in names else "the file, which is no bundle of export.py,"
