"""Folders of exactly the published layouts with made-up content: for tests and for trying out.

Every module has one public function `write(root, *, persons=..., seed=0) -> None`. Nothing in it comes from a
corpus: no label, no list of persons, no frame.
"""
