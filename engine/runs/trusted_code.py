"""Whether trusted packages of others still hold the code that a run was made with."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config.installed import code_of
from engine.config.targets import trusted
from engine.runs.ranks import is_main

_log = logging.getLogger(__name__)


def tell_other_code(record: Mapping[str, Any], source: Path) -> None:
    """Warn where a trusted package holds other code than it did: what it builds may give other numbers.

    Args:
        record: `manifest.json` of the earlier run; without `trusted_packages` nothing is said.
        source: What the message names.
    """
    earlier = record.get("trusted_packages") or {}
    for package, code in code_of(trusted()).items() if is_main() else ():
        if package in earlier and earlier[package]["sha256"] != code["sha256"]:
            _log.warning(
                "%s: was run with other code of the trusted package %s: %s, .py files %.12s there, %s, %.12s "
                "here. To be sure of the same numbers, install what it was run with",
                source, package, earlier[package]["version"], earlier[package]["sha256"],
                code["version"], code["sha256"],
            )  # fmt: skip
