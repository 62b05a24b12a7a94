"""examples/notebook.ipynb: it runs headless, and holds no outputs of anybody's machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from places import PROJECT

PATH = PROJECT / "examples" / "notebook.ipynb"


def read() -> Any:
    return nbformat.reads(PATH.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]


def test_the_notebook_holds_no_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default")  # the notebook's libraries have their own
def test_the_notebook_runs_headless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    notebook = read()
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(PATH.parent)}}
    )
    client.execute()
    texts = [
        output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert texts[0].startswith("<logos session session-0001 ENDED")
    assert texts[1].startswith("<logos chart of session-0001: ")
    shown = [
        output.data
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    assert "data:image/svg+xml;base64," in shown[0]["text/html"]
    assert shown[1]["image/svg+xml"].startswith("<svg ")
    assert "trips.profit_factor" in shown[2]["text/html"]
    assert "Action.BLOCKED" in texts[-1]
    printed = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    assert printed == []  # library calls are quiet
    assert not (tmp_path / "home").exists()
