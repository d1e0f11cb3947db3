"""Files are what was made: held against the digests of their caches, and of their rows."""

from pathlib import Path

from datamodules.manifests.manifest import Manifest, ManifestError, Recording
from datamodules.split_leakage.file_content import content_of
from datamodules.split_leakage.near_duplicates import hash_fault
from datamodules.synthetic.files import intact
from datamodules.wording import first_few
from preprocessing.cache.entry import entry_beside, kept_digest


def check_files(manifest: Manifest) -> None:
    """Stop where a clip, a series with its mask, or a file of tokens was changed after it was made.

    Held against are the entries of the cache that a file lies in, and the column `content_hash`. Digests are
    kept by place, size and time, see `content_of` for what cannot be seen.

    Raises:
        ManifestError: Names the files, and the command that makes them again.
    """
    if manifest.root is None or "path" not in manifest.table:
        return
    _check_owners(manifest)
    fault = hash_fault(manifest)  # reads files side by side, so that the digests below are there
    changed = [
        (file, one.tokens_path == file)
        for one in manifest.recordings()
        for file in _files(one)
        if file.is_file() and kept_digest(file) not in (None, content_of(file, one.fps).sha256)
    ]
    if changed:
        files = [str(file.relative_to(file.parents[2])) for file, _ in changed]
        tokens = any(of_store for _, of_store in changed)
        raise ManifestError(f"{manifest}: {first_few(files)}: {remedy(tokens=tokens)}")
    if fault:
        raise ManifestError(f"{manifest}: {fault}")


def _check_owners(manifest: Manifest) -> None:
    """Stop where a row names a file that was made of another recording of the table.

    Ids may be changed, as `data=joined` does; two that changed their files would learn each other's labels.
    """
    ids = set(manifest.table["recording_id"])
    taken = {
        f"{one.recording_id} (its {file.name} is of {owner.recording_id})": None
        for one in manifest.recordings()
        for file in _files(one)
        if (owner := entry_beside(file))
        and owner.recording_id != one.recording_id
        and owner.recording_id in ids
    }
    if taken:
        raise ManifestError(
            f"{manifest}: {first_few(list(taken))}: these rows name files of other recordings. Take "
            "manifest.csv as it was written, and change labels where the recordings come from"
        )


def changed_face(recording: Recording) -> str:
    """What is wrong where clip or series of a recording are not what their cache made; empty if nothing is.

    Raises:
        OSError: A file cannot be read.
    """
    for file in _files(recording):
        digest = kept_digest(file)
        if digest is not None and file.is_file() and not intact(file, digest):
            return f"{file}: {remedy(tokens=False)}"
    return ""


def remedy(*, tokens: bool) -> str:
    """What to do about files that were changed, of a store or of a cache of faces."""
    command = "encode.py" if tokens else "preprocess.py"
    return (
        f"changed since {command} made it, as its SHA-256 is not the one that is kept in entries/. Delete it "
        f"and give the command of {command} once more: it makes what is missing, and nothing else"
    )


def _files(recording: Recording) -> list[Path]:
    files = (recording.path, recording.series_path, recording.tokens_path)
    return [file for file in files if file is not None]
