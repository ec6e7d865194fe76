"""What the pages point to is there: files, headings, lines of code; and both languages have the same structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_tables import program

REPOSITORY = Path(__file__).resolve().parents[2]
links = program(REPOSITORY / "docs" / "links.py")
PAGES = links.pages()
READMES = [REPOSITORY / "README.md", REPOSITORY / "README.ko.md"]
TWINS = [(page, page.with_suffix(".ko.md")) for page in PAGES if page.with_suffix(".ko.md").exists()]
EACH_BY_FOLDER = ("src/onmal/phrasebook/frames", "src/onmal/phrasebook/lexicon")
"""Packages whose files the tree does not list."""


def shown(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and text of each heading."""
    return [(len(level), text) for level, text in re.findall(r"^(#+) (.+)$", prose(page), re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """What a link may have after its #, as GitHub makes it of headings."""
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in headings(page)}


def targets(page: Path) -> list[str]:
    """Where the links of a page lead, other sites aside."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def tree(page: Path) -> Iterator[tuple[Path, str]]:
    """Each path of the file tree, and what is said of it."""
    block = re.search(r"^```tree\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert block, f"{shown(page)} has no tree"
    folders: list[str] = []
    for line in block[1].splitlines():
        name, about = line.split(maxsplit=1)
        depth = (len(line) - len(line.lstrip())) // 2
        folders = [*folders[:depth], name]
        yield REPOSITORY.joinpath(*folders), about


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for target in targets(page):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{shown(page)}: {target}"
        assert place == page or REPOSITORY in place.parents, f"{shown(page)}: {target} leaves the repository"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), f"{shown(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_into_the_code_are_on_the_line_of_the_definition(page: Path) -> None:
    text = page.read_text("utf-8")
    assert links.corrected(text, page.parent) == text, "run: python docs/links.py"


def test_a_link_is_put_on_the_line_of_its_definition(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import os\n\n\nclass Part:\n    def step(self): ...\n", "utf-8")
    before = "see [`Part`](code.py#L1) and [`Part.step`](code.py#L9), in [code](code.py)"
    after = "see [`Part`](code.py#L4) and [`Part.step`](code.py#L5), in [code](code.py)"
    assert links.corrected(before, tmp_path) == after
    with pytest.raises(KeyError):
        links.corrected("[`Whole`](code.py#L1)", tmp_path)


@pytest.mark.parametrize("page", READMES, ids=shown)
def test_every_path_of_the_tree_exists(page: Path) -> None:
    for path, about in tree(page):
        assert path.exists(), f"{shown(page)}: {path.relative_to(REPOSITORY)}"
        assert about


@pytest.mark.parametrize("page", READMES, ids=shown)
def test_the_tree_leaves_out_no_file_of_the_package(page: Path) -> None:
    named = {path for path, _ in tree(page)}
    for path in sorted((REPOSITORY / "src" / "onmal").rglob("*.py")):
        by_folder = path.name == "__init__.py" or shown(path.parent) in EACH_BY_FOLDER
        assert (path.parent if by_folder else path) in named, f"{shown(page)} lacks {shown(path)}"


def test_every_page_in_korean_has_its_twin() -> None:
    assert {korean for _, korean in TWINS} == {page for page in PAGES if page.name.endswith(".ko.md")}
    assert len(TWINS) >= 4


@pytest.mark.parametrize(("english", "korean"), TWINS, ids=shown)
def test_both_languages_have_the_same_structure(english: Path, korean: Path) -> None:
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(korean)]
    ours, theirs = (
        [link[0] for link in links._LINK.finditer(page.read_text("utf-8"))] for page in (english, korean)
    )
    assert sorted(ours) == sorted(theirs)
    marks = [
        re.findall(r"^<!-- .+ -->$", page.read_text("utf-8"), re.MULTILINE) for page in (english, korean)
    ]
    assert marks[0] == marks[1]
    if english in READMES:
        assert [path for path, _ in tree(english)] == [path for path, _ in tree(korean)]
