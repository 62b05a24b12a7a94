"""docs/MANUAL.html is what its sources give, whole, and needs nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from places import PROJECT

from logos.cli.main import _COMMANDS
from logos.config.template import default_toml
from logos.core.types import Code

pytest.importorskip("markdown_it", reason="the manual is made with markdown-it-py: `make env`")

TOOLS = PROJECT / "tools"
MANUAL = PROJECT / "docs" / "MANUAL.html"
_LOADING = {
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "audio",
    "video",
    "source",
    "base",
}


_ROW_ENDS = ("tr", "thead", "tbody", "table")
_CELL_ENDS = ("td", "th", *_ROW_ENDS)


class Page(HTMLParser):
    """What a test asks of a page: its anchors, links, words, and all that would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loading: list[str] = []
        self.unclosed: list[str] = []
        self.words = ""

    def _close_cells(self, tag: str) -> None:
        """What has no end tag of its own: a cell ends with the next, a row with the next or the
        table (HTML standard, 13.1.2.4 Optional tags)."""
        enders = {"td": _CELL_ENDS, "th": _CELL_ENDS, "tr": _ROW_ENDS}
        while self.unclosed and tag in enders.get(self.unclosed[-1], ()):
            self.unclosed.pop()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._close_cells(tag)
        if tag not in ("meta", "br", "hr", "input", "img"):
            self.unclosed.append(tag)
        if tag == "img" and (dict(attrs).get("src") or "").startswith("data:image/png;base64,"):
            assert set(dict(attrs)) == {"alt", "src"}
            return  # it stands in the page itself
        if tag in _LOADING:
            self.loading.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset", "style", "background") or name.startswith("on"):
                self.loading.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        self._close_cells(tag)
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import make_manual  # type: ignore[import-not-found,unused-ignore]

        yield make_manual


@pytest.fixture(scope="module")
def made(maker: ModuleType) -> str:
    return str(maker.build())


@pytest.fixture(scope="module")
def page(made: str) -> Page:
    read = Page()
    read.feed(made)
    read.close()
    assert not read.unclosed
    return read


def test_the_committed_file_is_what_the_generator_gives_now(made: str) -> None:
    assert MANUAL.is_file(), "docs/MANUAL.html is missing: run `make manual`"
    is_current = MANUAL.read_text(encoding="utf-8") == made
    assert is_current, "docs/MANUAL.html is not what its sources give: run `make manual`"


@pytest.mark.long
def test_another_process_with_another_hash_order_and_width_gives_the_same_bytes(made: str) -> None:
    code = "import make_manual, sys; sys.stdout.buffer.write(make_manual.build().encode())"
    environment = {"PYTHONHASHSEED": "7", "COLUMNS": "40", "PYTHONPATH": str(TOOLS), "LANG": "C"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, cwd="/"
    )
    assert found.stdout.decode() == made


def test_every_anchor_stands_once_and_every_internal_link_resolves(page: Page) -> None:
    repeated = [name for name, count in Counter(page.ids).items() if count > 1]
    assert not repeated
    inside = [link for link in page.links if link.startswith("#")]
    assert inside
    assert not [link for link in inside if link.removeprefix("#") not in page.ids]


def test_every_other_link_is_a_web_address_for_the_reader_to_follow(page: Page) -> None:
    outside = [link for link in page.links if not link.startswith("#")]
    assert all(link.startswith("https://") for link in outside)


def test_nothing_is_loaded_from_outside(page: Page, made: str) -> None:
    assert not page.loading
    [style] = re.findall(r"<style>(.*?)</style>", made, re.S)
    assert "url(" not in style
    assert "@import" not in style
    [script] = re.findall(r"<script>(.*?)</script>", made, re.S)
    assert not re.search(
        r"fetch|XMLHttp|import\b|innerHTML|outerHTML|eval|Function\(|https?:", script
    )


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else(made: str) -> None:
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules["base-uri"], rules["form-action"]} == {"'none'"}
    for kind in ("style", "script"):
        [text] = re.findall(rf"<{kind}>(.*?)</{kind}>", made, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert set(rules) == {
        *("default-src", "base-uri", "form-action", "style-src", "script-src", "img-src")
    }


def test_it_stays_small_enough_to_be_sent(made: str) -> None:
    assert len(made.encode()) < 1_300_000


def test_every_document_has_its_place_in_the_order_and_one_without_is_named(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import manual_order  # type: ignore[import-not-found,unused-ignore]

    assert not manual_order.without_place(manual_order.documents())
    placed = [source for part in manual_order.PARTS for source, _ in part.chapters]
    assert len(placed) == len(set(placed))
    monkeypatch.setattr(maker, "documents", lambda: frozenset({"README.md", "docs/NEW.md"}))
    with pytest.raises(maker.ManualError, match=r"docs/NEW\.md: no part of the manual has it"):
        maker.build()


def test_readme_lists_the_documents_in_the_order_of_the_manual(maker: ModuleType) -> None:
    import manual_order

    text = manual_order.README.read_text(encoding="utf-8")
    found = manual_order.documents()
    assert manual_order.with_table(text, found) == text, "run `make manual`"
    listed = re.findall(r"\]\(([^)]+)\)", manual_order.table(found))
    assert set(listed) == found - {"README.md"}
    stale = text.replace("[Quickstart](docs/QUICKSTART.md)", "")
    assert stale != text
    assert manual_order.with_table(stale, found) == text
    with pytest.raises(ValueError, match="lacks the lines"):
        manual_order.with_table("# logos\n", found)


def test_the_contents_name_the_chapters_in_their_order_and_each_leads_to_the_next(
    page: Page, made: str
) -> None:
    contents = made[made.index('<details id="contents"') : made.index("</nav>\n<main>")]
    sections = re.findall(r'<section id="([^"]+)">', made)
    named = re.findall(r'(?:summary|p class="alone")><a href="#([^"]+)"', contents)
    assert named == sections
    assert re.findall(r'<a rel="next" href="#([^"]+)"', made) == sections[1:]
    assert re.findall(r'<a rel="prev" href="#([^"]+)"', made) == sections[:-1]
    assert sections[0] == "readme"


def test_a_drawing_becomes_a_part_of_the_page_without_its_own_style(
    maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>x</style><g/></svg>'
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.svg").write_text(drawn, encoding="utf-8")
    monkeypatch.setattr(maker, "PROJECT", tmp_path)
    texts = {"docs/DATA.md": "# Data\n\n![What <it> shows](a.svg)\n"}
    monkeypatch.setattr(maker, "_texts", lambda: texts)
    built = maker.build()
    assert 'viewBox="0 0 9 9"><g/></svg>' in built
    assert "<figcaption>What &lt;it&gt; shows</figcaption>" in built
    assert "<p><figure>" not in built
    for hostile in ("<script", 'href="x"', ""):
        (tmp_path / "docs" / "a.svg").write_text(f"<svg>{hostile}</svg>", encoding="utf-8")
        with pytest.raises(maker.ManualError, match=r"docs/DATA\.md: a\.svg: no drawing"):
            maker.build()
    texts["docs/DATA.md"] = "# Data\n\n![A film](a.gif)\n"
    with pytest.raises(maker.ManualError, match=r"and pictures \(\.png\) alone"):
        maker.build()
    texts["docs/DATA.md"] = "# Data\n\n![What <it> shows](a.png)\n"
    (tmp_path / "docs" / "a.png").write_bytes(b"\x89PNG")
    assert '<img alt="What &lt;it&gt; shows" src="data:image/png;base64,iVBORw==">' in maker.build()


def test_every_document_is_a_chapter(page: Page) -> None:
    documents = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    assert {path.stem.lower() for path in documents} <= set(page.ids)


def test_every_command_subcommand_and_option_is_explained(page: Page) -> None:
    names = set()
    for parser, _ in import_module("manual_commands").parsers():
        names.add(parser.prog)
        assert f"commands-{parser.prog.replace(' ', '-')}" in page.ids
        for action in parser._actions:
            assert all(option in page.words for option in action.option_strings if option != "-h")
    assert {f"logos {name}" for name in _COMMANDS} <= names
    assert "logos kill reset" in names


def test_every_code_and_every_setting_stands_in_it(page: Page) -> None:
    assert all(code.value in page.words for code in Code)
    assert default_toml().strip() in page.words


def test_a_link_to_a_section_that_does_not_exist_is_refused(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"README.md": "# logos\n\n[there](docs/DATA.md#nowhere)\n", "docs/DATA.md": "# Data\n"}
    monkeypatch.setattr(maker, "_texts", lambda: texts)
    with pytest.raises(maker.ManualError, match=r"docs/DATA\.md has no section '#nowhere'"):
        maker.build()


def test_links_between_documents_become_anchors_and_other_files_only_names(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        "README.md": "# logos\n\n[a](docs/DATA.md) [b](docs/DATA.md#two-words) [c](LICENSE)\n",
        "docs/DATA.md": "# Data\n\n## Two *words*\n\n## Two words\n\n[u](../README.md) [](#data)\n",
    }
    monkeypatch.setattr(maker, "_texts", lambda: texts)
    read = Page()
    read.feed(re.sub(r'<nav class="way".*?</nav>', "", maker.build(), flags=re.S))
    assert read.links[-4:] == ["#data", "#data-two-words", "#readme", "#data-data"]
    assert "data-two-words-1" in read.ids
    assert "a b c" in read.words


@pytest.mark.long
def test_check_tells_the_command_to_run_when_the_file_is_stale(
    maker: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(maker, "MANUAL", tmp_path / "MANUAL.html")
    assert maker.main(["--check"]) == 1
    assert "run `make manual`" in capsys.readouterr().err
    assert maker.main([]) == 0
    assert maker.main(["--check"]) == 0
