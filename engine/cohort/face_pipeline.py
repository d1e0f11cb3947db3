"""The pipeline of `preprocess.py` built from a config, and the cache that it fills."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from engine.config.build import build
from evaluation.report.page import environment
from preprocessing.cache.fingerprint import libraries, plain_settings
from preprocessing.cache.folder import Cache
from preprocessing.page.faces_page import TEMPLATES
from preprocessing.run.pipeline import Pipeline

PARTS = ("face", "aligner", "quality", "store", "least_usable", "few_usable")
"""Keys of a config that decide what a cache holds."""


def pipeline_of(config: Mapping[str, Any]) -> Pipeline:
    """Build what each recording goes through, from the keys `PARTS` of a config."""
    return Pipeline(
        backend=build(config["face"], key="face"),
        aligner=build(config["aligner"], key="aligner"),
        gate=build(config["quality"], key="quality"),
        store=build(config["store"], key="store"),
        least_usable=config["least_usable"],
        few_usable=config["few_usable"],
    )


def page_templates() -> jinja2.Environment:
    """Templates of the page of a cache, in the style of all reports."""
    return environment(TEMPLATES)


def open_cache(output: Path, config: Mapping[str, Any], pipeline: Pipeline) -> Cache:
    """Begin a cache with the settings of a config, or go on with it.

    Raises:
        CacheError: It was made with other settings.
    """
    return Cache.open(
        output.resolve(),
        settings=plain_settings({name: config[name] for name in PARTS}),
        provenance={"backend": pipeline.backend.provenance(), "libraries": libraries()},
    )
