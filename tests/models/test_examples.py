import doctest
import importlib
import pkgutil

import models


def test_every_example_of_the_docstrings_runs():
    names = [module.name for module in pkgutil.walk_packages(models.__path__, "models.")]
    results = {name: doctest.testmod(importlib.import_module(name)) for name in names}
    assert {name: r for name, r in results.items() if r.failed} == {}
    assert sum(r.attempted for r in results.values()) >= 15
