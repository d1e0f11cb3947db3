"""Made-up folders in exactly the published layouts of the corpora, for tests and for trying out.

Every module has one public function `write(root, *, persons=..., seed=0) -> None`. Nothing in it comes from a
corpus: no label, no list of persons, no frame.
"""
