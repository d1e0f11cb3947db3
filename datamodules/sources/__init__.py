"""Readers of published corpora, one file each: layout, known errata and label rule, to a validated manifest.

Every module has one public function `read(*, root, probe=True, ...) -> Manifest`; `_target_` and
`python -m datamodules.checks.validate source=<module> root=<folder>` name it. `trees/<module>.py` writes a
folder of the same layout with made-up content. Subject ids start with the family of the corpus
(`daic:300`), so that two corpora with common persons share their ids.
"""
