"""The report of a run: what is done again counts once, every text is escaped, and one file is all that it needs."""

from __future__ import annotations

import ast
import json
import math
import re
import string
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from onmal.cli import app
from onmal.config import RunConfig
from onmal.errors import ConfigError, DataError, ModelFolderError, TrainingError
from onmal.run_report import history as history_module
from onmal.run_report import write_report
from onmal.run_report.curves import Chart, Curve, axis_number, draw, round_numbers
from onmal.run_report.elements import element, table
from onmal.run_report.events import JsonLog, Progress, Sample, Update, Validation
from onmal.run_report.history import History, read_history
from onmal.run_report.words import SENTENCES, TERMS, Speaker

NASTY = "<script>alert('1')</script> & \"한글\""
PACKAGE = Path(history_module.__file__).parent
VOID = {"meta"}


def update(number: int, loss: float = 3.0, **values: Any) -> Update:
    return Update(
        **{
            "update": number, "epoch": 0, "share_done": number / 1000, "seconds": number / 10,
            "target_tokens": 100 * number, "loss": loss + 1, "negative_log_likelihood": loss, "gradient_norm": 0.5,
            "learning_rate": 0.002, "skipped": 0, **values,
        }
    )  # fmt: skip


def validation(score: float, *samples: Sample, loss: float = 2.0) -> Validation:
    scores = {"ko-en": {"BLEU": score, "chrF": score + 20}}
    return Validation(loss, score, scores, list(samples), {"ko-en": {"BLEU": "v:b", "chrF": "v:c"}})


def at(number: int) -> Progress:
    return Progress(update=number, seconds=number / 10, target_tokens=100 * number)


class Folder:
    """A run's folder, written to as training does."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, path / "training"
        self.place.mkdir(parents=True)
        self.log = JsonLog(self.place / "log.jsonl")

    def settings(self, **sections: dict[str, Any]) -> None:
        run = RunConfig.from_dict({"name": "ko-en", **sections})
        (self.place / "run.toml").write_text(run.to_toml(), "utf-8")

    def learn(self, numbers: Iterable[int], **values: Any) -> None:
        for number in numbers:
            self.log.updated(update(number, **values))

    def check(self, number: int, score: float, *samples: Sample) -> None:
        self.log.validated(validation(score, *samples), at(number))

    def history(self) -> History:
        return read_history(self.log.path)

    def page(self, language: str = "en") -> str:
        return write_report(self.path, language=language).read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "ko-en")


@pytest.fixture
def whole(folder: Folder) -> Folder:
    """A run that was stopped once, and is complete."""
    folder.settings(train={"max_updates": 1000, "learning_rate": 0.004}, size="tiny")  # type: ignore[arg-type]
    folder.log.begun({"languages": "ko -> en", "parameters": 1234567, "removed": {}, "threads": 1})
    for number in range(100, 1001, 100):
        folder.learn(range(number - 90, number + 1, 10))
        folder.check(
            number, 40 - abs(number - 800) / 100, Sample("학교", "the school", f"the house {number}")
        )
        if number == 500:
            folder.log.note("stopped and saved")
            folder.log.begun({"languages": "ko -> en", "threads": 2, "resumed at update": 500})
    folder.log.ended({"saved": "runs/ko-en", "weights": "mean of the last 10 validations"})
    card = {
        "onmal": "0.1.0", "machine": "a processor", "weights": "mean of the last 10 validations",
        "validation": {"greedy": {"ko-en": {"BLEU": 41.25}}}, "run": {"size": "tiny"},
    }  # fmt: skip
    (folder.path / "card.json").write_text(json.dumps(card), "utf-8")
    return folder


class Reader(HTMLParser):
    """Reads a page as a browser does: its texts, its elements, and whether each is closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def pictures(page: str) -> list[ElementTree.Element]:
    """The charts of a page, each as the tree of a well-formed SVG."""
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


# What is done again


def updates(history: History) -> list[int]:
    return [told.update for told in history.updates]


def validations(history: History) -> list[int]:
    return [told.update for told in history.validations]


def test_after_a_kill_later_lines_win(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn(range(10, 101, 10), loss=5.0)
    folder.check(95, 10.0)
    folder.log.begun({"resumed at update": 62})
    folder.learn((69, 79), loss=4.0)
    found = folder.history()
    assert updates(found) == [10, 20, 30, 40, 50, 60, 69, 79]
    assert [told.negative_log_likelihood for told in found.updates[-3:]] == [5.0, 4.0, 4.0]
    assert validations(found) == []
    assert found.seams == [62]


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn((10, 20))
    folder.log.begun({})
    folder.learn((12,))
    assert updates(folder.history()) == [12]


def test_what_was_validated_before_the_checkpoint_stays(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn((90, 100))
    folder.check(100, 10.0)
    folder.log.begun({"resumed at update": 100})
    found = folder.history()
    assert (updates(found), validations(found)) == ([90, 100], [100])


def test_a_run_that_goes_back_by_itself_is_told_once(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn((10, 20, 30))
    folder.check(35, 5.0)
    folder.learn((40, 50), loss=99.0)
    folder.log.note("back to update 21")
    folder.learn((27, 37), loss=2.0)
    found = folder.history()
    assert (updates(found), validations(found)) == ([10, 20, 27, 37], [])
    assert found.seams == [20]


def test_a_run_that_goes_on_has_not_ended(whole: Folder) -> None:
    assert whole.history().ended is not None
    whole.log.begun({"resumed at update": 1000})
    assert whole.history().ended is None


@given(st.lists(st.one_of(st.integers(1, 50), st.tuples(st.integers(0, 50))), max_size=40))
def test_whatever_is_done_again_updates_only_rise(events: list[int | tuple[int]]) -> None:
    history = History()
    history.hear({"event": "begun"})
    for event in events:
        if isinstance(event, int):
            history.hear({"event": "update", **vars(update(event))})
        else:
            history.hear({"event": "begun", "resumed at update": event[0]})
    found = updates(history)
    assert found == sorted(set(found))
    last = events[-1] if events else (0,)
    assert isinstance(last, tuple) or found[-1] == last


def test_speed_leaves_out_validations_and_pauses(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn((10, 20))  # 1 s for 1,000 tokens
    folder.check(20, 1.0)
    folder.learn((30, 40), seconds=60.0)
    folder.log.begun({"resumed at update": 40})
    folder.log.updated(update(50, seconds=100.0))
    folder.log.updated(update(60, seconds=102.0))
    assert folder.history().speeds() == [(20, 1000.0), (60, 500.0)]


def test_the_training_loss_between_two_validations_is_the_mean_of_what_is_finite(folder: Folder) -> None:
    folder.log.begun({})
    for number, loss in ((10, 9.0), (20, 1.0), (30, math.nan), (40, 3.0), (50, 9.0)):
        folder.log.updated(update(number, loss))
    found = folder.history()
    assert found.training_loss(10, 40) == 2.0
    assert math.isnan(found.training_loss(50, 60))


def test_the_best_is_the_first_of_equals(folder: Folder) -> None:
    folder.log.begun({})
    for number, score in ((10, 1.0), (20, 5.0), (30, 5.0), (40, 2.0)):
        folder.check(number, score)
    best = folder.history().best
    assert best is not None
    assert best.update == 20


# Logs that are unfinished or broken


def test_a_line_that_is_being_written_is_left_out(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn((10,))
    with folder.log.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "update", "upd')
    assert updates(folder.history()) == [10]
    assert "10" in folder.page()


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "1", "{}", "\0\0", '{"event": "update"}', '{"event": "begun", "resumed at update": "x"}',
        '{"event": "validation", "score": 1}', '{"event": "note"}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_named(folder: Folder, line: str) -> None:
    folder.log.begun({})
    with folder.log.path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(TrainingError) as caught:
        folder.page()
    assert str(caught.value) == f"{folder.log.path}:2: not a line of a training log; take the line out"


def test_an_event_of_a_later_version_is_passed_over(folder: Folder) -> None:
    folder.log.begun({})
    with folder.log.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "moved", "to": "moon"}\n')
    assert folder.history().starts


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        write_report(tmp_path)
    log = tmp_path / "training" / "log.jsonl"
    assert (
        str(caught.value)
        == f"{log}: there is no log of a run here; give the folder that onmal train writes to"
    )


def test_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "training" / "log.jsonl").mkdir(parents=True)
    with pytest.raises(TrainingError, match="cannot be read"):
        write_report(tmp_path)


def test_an_empty_log(folder: Folder) -> None:
    folder.log.path.touch()
    with pytest.raises(TrainingError, match="the run has not begun yet"):
        folder.page()


def test_settings_and_cards_that_are_broken_are_named(folder: Folder) -> None:
    folder.log.begun({})
    (folder.path / "card.json").write_text("{", "utf-8")
    with pytest.raises(ModelFolderError, match=r"card\.json: cannot be read \(it is not JSON\)"):
        folder.page()
    (folder.place / "run.toml").write_text("=", "utf-8")
    with pytest.raises(ConfigError, match=r"run\.toml: not valid TOML"):
        folder.page()


def test_a_place_that_cannot_be_written_is_named(whole: Folder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        write_report(whole.path, tmp_path / "gone" / "report.html")


# The page


def test_a_run_that_has_only_begun(folder: Folder) -> None:
    folder.log.begun({"languages": "ko -> en"})
    page = folder.page()
    seen = Reader(page).text
    assert "nothing to draw yet" in seen
    assert "no validation yet" in seen
    assert "0% done" in seen
    assert "<svg" not in page


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_without_validations_yet(folder: Folder, count: int) -> None:
    folder.log.begun({})
    folder.learn(range(10, 10 * count + 1, 10))
    page = folder.page()
    assert "no validation yet" in Reader(page).text
    titles = [picture[0].text for picture in pictures(page)]
    assert titles == ["Loss", "Learning rate", "Gradient norm", *(["Speed"] if count > 1 else [])]


def test_a_validation_before_any_update_was_told(folder: Folder) -> None:
    folder.log.begun({})
    folder.check(3, 12.5)
    assert [picture[0].text for picture in pictures(folder.page())] == ["Loss", "Scores"]


def test_a_whole_run_has_all_that_was_promised(whole: Folder) -> None:
    seen = Reader(whole.page()).text
    for part in (
        "Training report: ko-en", "complete", "ko -> en", "size tiny",
        "40.0", "BLEU, update 800", "1,000", "100,000", "1:40", "1,234,567",
        "Loss", "Learning rate", "Gradient norm", "Speed", "best: 40.0",
        "resumed, or done again, after update 500",
        "v:b", "v:c", "41.25", "mean of the last 10 validations",
        "학교", "the school", "the house 100", "the house 800", "the house 1000", "update 800 ★ best",
        "learning_rate", "0.004", "0.002", "2 (from update 500)", "a processor", "stopped and saved",
    ):  # fmt: skip
        assert part in seen, part


def test_the_page_needs_nothing_but_itself(whole: Folder) -> None:
    page = whole.page()
    reader = Reader(page)
    assert page.isprintable() or "\n" in page
    for tag in ("script", "link", "img", "iframe", "object", "a"):
        assert reader.all(tag) == []
    for _, attributes in reader.elements:
        assert not {"src", "href", "onload", "onclick"} & set(attributes)
    assert not re.search(r"url\((?!#)|@import|https?:", page)


def test_every_picture_says_in_words_what_it_shows(whole: Folder) -> None:
    found = pictures(whole.page())
    assert len(found) == 5
    ids = [node.attrib["id"] for picture in found for node in picture.iter() if "id" in node.attrib]
    assert len(ids) == len(set(ids))
    for picture in found:
        assert picture.attrib["role"] == "img"
        assert set(picture.attrib["aria-labelledby"].split()) <= set(ids)
        assert "at update" in (picture[1].text or "")


def test_texts_of_the_run_are_escaped(folder: Folder) -> None:
    folder.settings(train={"max_updates": 1}, data={"corpus": NASTY})
    folder.log.begun({"languages": NASTY, NASTY: {NASTY: NASTY}})
    folder.learn((10,))
    folder.log.validated(
        Validation(1.0, 1.0, {NASTY: {NASTY: 1.0}}, [Sample(NASTY, NASTY, NASTY)], {NASTY: {NASTY: NASTY}}),
        at(10),
    )
    folder.log.note(NASTY)
    (folder.path / "card.json").write_text(json.dumps({NASTY: NASTY, "weights": NASTY}), "utf-8")
    for language in ("en", "ko"):
        page = folder.page(language)
        reader = Reader(page)
        assert reader.all("script") == []
        assert reader.text.count(NASTY) >= 8
        assert len(pictures(page)) == 4


def test_settings_that_differ_from_their_defaults_stand_out(folder: Folder) -> None:
    folder.log.begun({})
    folder.settings(size="tiny", train={"max_updates": 7}, model={"num_heads": 8}, search={"beam_size": 4})  # type: ignore[arg-type]
    rows = re.findall(r'<tr class="changed">.*?<code>(.*?)</code>', folder.page())
    assert rows == ["num_heads", "max_updates"]


def test_a_run_of_an_older_version_without_signatures_says_so(folder: Folder) -> None:
    folder.log.begun({})
    folder.log.validated(replace(validation(5.0), signatures={}), at(10))
    assert Reader(folder.page()).text.count("not recorded") == 2


def test_both_directions_have_their_own_curves_and_languages(folder: Folder) -> None:
    folder.log.begun({})
    scores = {"ko-en": {"BLEU": 30.0}, "en-ko": {"chrF": 50.0}}
    samples = [Sample("물", "water", "water"), Sample("water", "물", "물")]
    folder.log.validated(Validation(1.0, 40.0, scores, samples), at(10))
    page = folder.page()
    seen = Reader(page)
    assert "mean of ko-en BLEU, en-ko chrF" in seen.text
    assert '<span lang="ko">물</span>' in page
    assert '<span lang="ko"><mark>물</mark></span>' in page.replace("<span><mark>", "<mark>").replace(
        "</mark></span></span>", "</mark></span>"
    )


def test_words_of_the_reference_are_marked_as_often_as_it_has_them(folder: Folder) -> None:
    folder.log.begun({})
    folder.check(10, 1.0, Sample("s", "The cat, the dog.", "the the the cats dog!"))
    assert re.findall("<mark>(.*?)</mark>", folder.page()) == ["the", "the", "dog"]


def test_of_many_validations_a_few_translations_are_shown(folder: Folder) -> None:
    folder.log.begun({})
    for number in range(1, 101):
        folder.check(number, float(number == 50), Sample("s", "r", f"t{number}"))
    shown = re.findall(r">t(\d+)<", folder.page())
    assert len(shown) == 7
    assert {"1", "50", "100"} <= set(shown)


def test_a_long_run_stays_a_small_page(folder: Folder) -> None:
    folder.log.begun({})
    folder.learn(range(1, 3_001))
    page = folder.page()
    assert len(page) < 70_000
    assert len(pictures(page)) == 4


def test_what_was_not_finite_is_a_gap(folder: Folder) -> None:
    folder.log.begun({})
    for number, norm in ((10, 1.0), (20, 2.0), (30, math.inf), (40, 1.0), (50, 2.0)):
        folder.log.updated(update(number, gradient_norm=norm))
    (picture,) = (p for p in pictures(folder.page()) if p[0].text == "Gradient norm")
    lines = [node for node in picture.iter() if "line" in node.get("class", "").split()]
    assert len(lines) == 2


# Korean


def test_the_korean_page_is_korean(whole: Folder) -> None:
    reader = Reader(whole.page("ko"))
    assert reader.all("html") == [{"lang": "ko"}]
    for part in (
        "학습 보고서: ko-en",
        "학습 완료",
        "손실",
        "그래디언트 노름",
        "마지막 검증 10회의 평균",
        "없음",
    ):
        assert part in reader.text
    english = {word for text in SENTENCES for word in [re.sub(r"\{\w+\}", "", text)] if len(word) > 25}
    assert not [text for text in english if text in reader.text]


def said() -> set[str]:
    """Every sentence that the package says, as it stands in the code."""
    found = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "say":
                found |= {part.value for part in node.args if isinstance(part, ast.Constant)}
    return found


def test_every_sentence_has_its_korean_one_with_the_same_values() -> None:
    assert not said() - set(SENTENCES)
    for english, korean in SENTENCES.items():
        values = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (english, korean)
        ]
        assert values[0] == values[1], english
    for english, korean in TERMS.items():
        assert english.count("{}") == korean.count("{}"), english


def test_a_name_of_the_log_keeps_its_numbers_and_its_braces() -> None:
    say = Speaker("ko")
    assert say.term("longer than 1,000 tokens") == "1,000토큰보다 긴 문장"
    assert say.term("data sha256") == "말뭉치 SHA-256"
    assert say.term("{speed} a second") == "{speed} a second"
    assert Speaker("en").term("updates") == "updates"


def test_another_language_is_refused(whole: Folder) -> None:
    with pytest.raises(ConfigError, match="give --language en or ko"):
        whole.page("fr")


# Parts


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.integers(2, 12))
def test_round_numbers_enclose_what_they_are_for(one: float, other: float, count: int) -> None:
    low, high = sorted((one, other))
    found = round_numbers(low, high, count)
    slack = 1e-6 * max(abs(low), abs(high)) + 1e-100
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert 2 <= len(found) <= count + 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (0.0005, "5e-4"), (12000, "12,000"), (2.5e6, "2.5 M"), (3e14, "3e+14")],
)
def test_numbers_of_an_axis(value: float, text: str) -> None:
    assert axis_number(value) == text


finite_or_not = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(st.integers(0, 1000), finite_or_not), max_size=30), st.booleans(), st.booleans())
def test_any_curve_is_drawn_within_its_picture(
    points: list[tuple[float, float]], logarithmic: bool, from_zero: bool
) -> None:
    points.sort(key=lambda point: point[0])
    chart = Chart(
        "t", "d", [Curve("a", points)], "x", 1000, logarithmic=logarithmic,
        from_zero=from_zero and not logarithmic,
    )  # fmt: skip
    drawn = draw(chart, "id")
    usable = [y for _, y in points if abs(y) < 1e100 and (y > 1e-100 or not logarithmic)]
    assert bool(drawn) == bool(usable)
    for node in ElementTree.fromstring(drawn).iter() if drawn else ():
        if node.get("class", "").startswith("line"):
            places = [tuple(map(float, place.split())) for place in node.attrib["d"][1:].split("L")]
            assert all(0 <= x <= chart.width and -1 <= y <= chart.height for x, y in places)


def test_names_at_the_end_of_curves_do_not_overlap() -> None:
    curves = [Curve(f"curve {n}", [(0, 1), (10, 1.001 * n)]) for n in range(4)]
    picture = ElementTree.fromstring(draw(Chart("t", "d", curves, "x", 10), "id"))
    places = sorted(float(n.attrib["y"]) for n in picture.iter() if n.get("class", "").startswith("name"))
    assert len(places) == 4
    assert min(b - a for a, b in pairwise(places)) >= 15


def test_only_elements_are_html() -> None:
    assert element("p", "<b>", element("b", "&")) == "<p>&lt;b&gt;<b>&amp;</b></p>"
    assert element("p", lang='"', title="") == '<p lang="&quot;"></p>'
    assert '<th scope="row">&lt;</th>' in table(("a", "b"), [("<", ">")])


# The command


def run(*arguments: str | Path, **environment: str) -> Any:
    return CliRunner().invoke(app, ["report", *map(str, arguments)], env=environment, prog_name="onmal")


def test_the_command_prints_where_the_page_is(whole: Folder) -> None:
    path = whole.place / "report.html"
    assert run(whole.path).output == f"{path}\n"
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_the_command_writes_where_it_is_told(whole: Folder, tmp_path: Path) -> None:
    out = tmp_path / "here.html"
    assert run(whole.path, "--out", out).output == f"{out}\n"
    assert out.exists()
    assert not (whole.place / "report.html").exists()


@pytest.mark.parametrize(
    ("environment", "arguments", "language"),
    [
        ({"LC_ALL": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, (), "ko"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"}, (), "ko"),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, (), "en"),
        ({"LC_ALL": "ko_KR.UTF-8"}, ("--language", "en"), "en"),
        ({"LC_ALL": "C"}, ("--language", "ko"), "ko"),
    ],
)
def test_the_page_speaks_the_language_of_the_system(
    whole: Folder, environment: dict[str, str], arguments: tuple[str, ...], language: str
) -> None:
    assert run(whole.path, *arguments, **environment).exit_code == 0
    page = (whole.place / "report.html").read_text("utf-8")
    assert Reader(page).all("html") == [{"lang": language}]


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    refused = run(tmp_path, "--language", "fr")
    assert refused.exit_code == 2
    assert refused.stderr == "error: the report cannot be written in 'fr'; give --language en or ko\n"
