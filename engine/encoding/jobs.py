"""The recordings of a manifest as jobs of an encoder."""

from dataclasses import replace

from datamodules.manifests.columns import FEATURES, FILES
from datamodules.manifests.manifest import Manifest
from preprocessing.cache.folder import cells
from preprocessing.run.input_jobs import jobs_of
from preprocessing.run.job import Job

_OF_FILES = {*FILES, "content_hash"}


def encode_jobs(manifest: Manifest) -> list[Job]:
    """The recordings that have a video; what a row says of its video stays true of its tokens."""
    rows = {str(row["recording_id"]): row for row in manifest.table.to_dict("records")}
    jobs = []
    for job in jobs_of(manifest)[0]:
        known = cells({str(name): cell for name, cell in rows[job.recording_id].items()})
        kept = {
            name: cell
            for name, cell in known.items()
            if name not in _OF_FILES and not name.startswith(FEATURES)
        }
        jobs.append(replace(job, labels=kept))
    return jobs
