"""A sample of the mutation testing: the tests notice what the document does not explain.

`make mutation` tries all changes; this keeps the tool, its document and the tests honest meanwhile.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from mutation import explained, mutants_of
from mutation_targets import TARGETS
from places import PROJECT

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


def test_every_reason_in_the_document_names_a_change_that_can_be_made() -> None:
    keys = [mutant.key for target in TARGETS for mutant in mutants_of(target)]
    assert len(keys) == len(set(keys)), "each change has a name of its own"
    assert explained() <= set(keys)
