"""The table of faults: every row is a test that exists."""

import ast
import re

from engine.config.source_code import ROOT

ROWS = [
    line for line in (ROOT / "docs" / "guide" / "faults.md").read_text().splitlines() if line.startswith("| ")
][1:]


def test_every_row_of_the_table_of_faults_is_a_test():
    assert len(ROWS) > 25
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 3, row
        if cells[0].startswith("**"):
            continue
        found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", cells[2])
        assert found, row
        assert cells[1], row
        tree = ast.parse((ROOT / found[1]).read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert found[2] in names, row
