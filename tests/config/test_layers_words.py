"""Where a setting came from, and what stands where two variables name one."""

from __future__ import annotations

from pathlib import Path

from logos.config.layers import read_layers
from logos.config.names import read_names


def test_a_seed_of_dotenv_is_told_with_its_layer(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOGOS_SEED=5\n")
    effective = read_layers(None, {}, {"LOGOS_HOME": str(tmp_path)})
    assert effective.config.session.seed == 5
    assert effective.origin(("session", "seed")) == "LOGOS_SEED in .env"


def test_of_two_variables_for_one_setting_the_first_stands_and_both_are_told() -> None:
    variables = {"LOGOS_CFG__SESSION__SEED": "1", "logos_cfg__session__seed": "2"}
    named = read_names(variables, {})
    assert named.tables == {"session": {"seed": 1}}
    assert named.origins == {("session", "seed"): "LOGOS_CFG__SESSION__SEED"}
    assert len(named.problems) == 1
