"""A sample of the mutation testing: the tests notice what the document does not explain.

`make mutation` tries all changes; this keeps the tool, its document and the tests honest meanwhile.
"""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from mutation import explained, mutants_of
from mutation_targets import TARGETS
from places import PROJECT
from plant_faults import AREAS, chosen, every_key, files_of

TOOL = PROJECT / "tests" / "helpers" / "mutation.py"


@pytest.mark.timeout(300)
@pytest.mark.campaign
def test_a_sample_of_the_changes_that_are_not_explained_is_noticed() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--sample", "12", "--seed", "1"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("12 of 12 mutants tried"), done.stdout


@pytest.mark.long
def test_every_reason_in_the_document_names_a_change_that_can_be_made() -> None:
    keys = [mutant.key for target in TARGETS for mutant in mutants_of(target)]
    assert len(keys) == len(set(keys)), "each change has a name of its own"
    assert explained() <= {*keys, *every_key()}


@pytest.mark.campaign
def test_faults_are_planted_in_every_area_and_the_same_ones_for_a_seed() -> None:
    drawn = chosen(60, 7, "", "")
    assert {area.name for area, _ in drawn} == {area.name for area in AREAS}
    again = chosen(60, 7, "", "")
    assert [mutant.key for _, mutant in drawn] == [mutant.key for _, mutant in again]
    assert not {mutant.key for _, mutant in drawn} & explained()
    for area in AREAS:
        assert files_of(area.tests), area.name
    for _, mutant in drawn:
        assert mutant.source != ast.unparse(mutant.tree), mutant.key
        ast.parse(mutant.source)
