"""The page in a real browser before a real server: what a person does with it.

ONMAL_TEST_PICTURES=FOLDER has the last test write the pictures of docs/ there.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from live_page import accessibility_checker, browser, serving
from tiny_model import save_tiny_model

pytest.importorskip("fastapi", reason="needs the extra serve: pip install onmal[serve]")


from onmal.serving.app import build
from onmal.serving.keys import KeyFile
from onmal.serving.models import Models
from onmal.serving.saved_page import FOLDER, saved_page
from onmal.serving.service import Service
from onmal.serving.settings import ServeConfig
from onmal.translating.translator import load

KOREAN = "친구는 오늘 학교에 간다."
EXAMPLE = "I will watch a movie with a friend tomorrow."
OTHERS = ("ko-en-other", "ko-en-without-mask")
PHONE = {"width": 320, "height": 700}
DESK = {"width": 1280, "height": 860}


@contextmanager
def serving_models(*folders: Path, settings: ServeConfig | None = None) -> Iterator[str]:
    models = Models(folders, lambda path: load(path, engine="torch"), lambda line: None)
    with serving(build(Service(settings or ServeConfig(), models))) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    with serving_models(save_tiny_model(folder / "tiny", both_directions=True)) as found:
        yield found


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with three models from Korean to English, one of them back as well."""
    folder = tmp_path_factory.mktemp("choice")
    first = save_tiny_model(folder / "ko-en", both_directions=True)
    others = [save_tiny_model(folder / name, seed=seed) for seed, name in enumerate(OTHERS, 1)]
    with serving_models(first, *others) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


class Reader:
    """A person before the page, who notices whatever goes wrong behind it."""

    def __init__(self, chromium: Any, address: str, **context: Any) -> None:
        self.context = chromium.new_context(
            **{"viewport": DESK, "locale": "en-US", "reduced_motion": "reduce", **context}
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.address, self.slips, self.asked = address, [], []
        self.page.on("pageerror", lambda error: self.slips.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.slips.append(said.text))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def opens(self, query: str = "", **state: object) -> Any:
        """The page with a state, once it has come to rest."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/{query}#{_fragment(state)}")
        self.sees("[aria-current=page]")
        return self.page

    def goes_to(self, **state: object) -> None:
        """Another state, by a link in the page that is open."""
        self.page.evaluate("fragment => { location.hash = fragment; }", _fragment(state))

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.text_content())

    def sees(self, selector: str, text: str | re.Pattern[str] = re.compile(r"\S")) -> None:
        """Waits for an element with such a text."""
        self.page.locator(selector).filter(has_text=text).first.wait_for(state="attached")

    def address_has(self, part: str) -> None:
        """Waits until the link restores this."""
        self.page.wait_for_url(lambda url: part in unquote(url))

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def _fragment(state: dict[str, object]) -> str:
    return "&".join(f"{name}={quote(str(value))}" for name, value in state.items())


@contextmanager
def reading(chromium: Any, address: str) -> Iterator[Reader]:
    """A reader to whom nothing goes wrong, and whose page asks no other server."""
    someone = Reader(chromium, address)
    yield someone
    someone.context.close()
    assert someone.slips == []
    assert [url for url in someone.asked if not url.startswith((address, "about:", "blob:"))] == []


@pytest.fixture
def reader(chromium: Any, address: str) -> Iterator[Reader]:
    with reading(chromium, address) as someone:
        yield someone


@pytest.fixture
def chooser(chromium: Any, choice: str) -> Iterator[Reader]:
    """A reader who has a choice of models."""
    with reading(chromium, choice) as someone:
        yield someone


def target_words(reader: Reader) -> str:
    words = reader.page.locator("#stage [role=option]:not(.special)").all_text_contents()
    return " ".join(words)


def test_what_is_typed_is_translated_and_the_link_brings_it_back(reader: Reader) -> None:
    page = reader.opens()
    page.fill("#text", KOREAN)
    reader.sees("#output")
    assert "Korean" in reader.text("#detected")
    translation, link = reader.text("#output"), page.url
    answer = page.request.post(
        f"{reader.address}/v1/translate", data={"text": KOREAN, "target": "en", "sentences": True}
    )
    assert translation == answer.json()["text"]

    page.goto("about:blank")
    page.goto(link)
    reader.sees("#output")
    assert (page.input_value("#text"), reader.text("#output")) == (KOREAN, translation)


def test_swapping_exchanges_languages_and_texts(reader: Reader) -> None:
    page = reader.opens(text=KOREAN, **{"from": "ko"}, to="en")
    reader.sees("#output")
    translation = reader.text("#output")
    page.click("#swap")
    assert (page.input_value("#from"), page.input_value("#to")) == ("en", "ko")
    assert page.input_value("#text") == translation


def test_swapping_loses_nothing_that_was_only_just_written(reader: Reader) -> None:
    page = reader.opens(text=KOREAN, **{"from": "ko"}, to="en")
    reader.sees("#output")
    page.route("**/v1/translate", lambda route: None)  # its translation does not come
    longer = f"{KOREAN} 혼자 간다."
    page.fill("#text", longer)
    page.click("#swap")
    assert (page.input_value("#from"), page.input_value("#to")) == ("en", "ko")
    assert page.input_value("#text") == longer


def test_what_is_cleared_does_not_come_back(reader: Reader) -> None:
    reader.page.clock.install()
    page = reader.opens(to="en")
    page.fill("#text", KOREAN)
    page.click("#clear")
    page.clock.run_for(2_000)
    assert page.input_value("#text") == ""
    assert "text=" not in page.url


def test_a_clicked_word_offers_other_translations(reader: Reader) -> None:
    page = reader.opens(text=KOREAN, to="en")
    page.locator("#output .word").first.click()
    page.locator(".alternatives button").first.wait_for()
    choices = page.locator(".alternatives button[lang]")
    if choices.count():
        chosen = choices.first.text_content()
        choices.first.click()
        assert reader.text("#output").strip() == chosen.removeprefix("… ").strip()


def test_warnings_are_those_of_the_translation_that_is_shown(reader: Reader) -> None:
    missing, doubled = "numbers: 3 is missing", "numbers: 3 is doubled"
    first = {"text": "Now. ", "source": "지금. ", "warnings": [missing]}
    second = {"text": "Then.", "source": "그때.", "warnings": ["unfinished: it has no end"]}
    every = [*first["warnings"], *second["warnings"]]
    whole = {
        "text": "Now. Then.",
        "source": "ko",
        "target": "en",
        "warnings": every,
        "sentences": [first, second],
    }
    others = [{"text": "At 3 3.", "warnings": [doubled]}, {"text": "At 3.", "warnings": []}]

    def answer(route: Any) -> None:
        best = {"text": "Now.", "warnings": [missing], "alternatives": others}
        wants_all = route.request.post_data_json.get("sentences")
        route.fulfill(json=whole if wants_all else best)

    reader.page.route("**/v1/translate", answer)
    page = reader.opens(text=KOREAN, to="en")
    warnings = page.locator("#warnings li small")
    warnings.first.wait_for()
    assert warnings.all_text_contents() == ["3 is missing", "it has no end"]
    for text, left in [
        ("At 3 3.", ["3 is doubled", "it has no end"]),
        ("At 3.", ["it has no end"]),
    ]:
        page.locator("#output .word").first.click()
        page.locator(".alternatives button[lang]").filter(has_text=text).first.click()
        assert warnings.all_text_contents() == left
    page.click("#clear")
    page.locator("#warnings").wait_for(state="hidden")


def test_alternatives_open_and_close_by_keyboard(reader: Reader) -> None:
    page = reader.opens(text=KOREAN, to="en")
    word = page.locator("#output .word").first
    word.focus()
    page.keyboard.press("Enter")
    page.locator(".alternatives button").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".alternatives").count() == 0
    assert word.evaluate("word => word === document.activeElement")


def test_back_leads_from_inside_to_the_translator(reader: Reader) -> None:
    page = reader.opens(text=KOREAN, to="en")
    page.click("#look")
    reader.sees("#stage [role=option]")
    page.go_back()
    page.locator("#output .word").first.wait_for()
    assert page.input_value("#text") == KOREAN


def test_a_document_comes_back_in_the_other_language(reader: Reader) -> None:
    page = reader.opens(to="en")
    page.locator("#pick").wait_for()
    page.set_input_files(
        "#file", {"name": "편지.txt", "mimeType": "text/plain", "buffer": f"{KOREAN}\n".encode()}
    )
    page.locator("#document a").wait_for()
    with page.expect_download() as download:
        page.locator("#document a").click()
    assert download.value.suggested_filename == "편지_en.txt"
    assert Path(download.value.path()).read_text(encoding="utf-8").endswith("\n")


LETTER = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"."}
NOT_KEPT = [
    {"place": "line 3", "warning": "numbers: 7 is missing"},
    {"place": "header1.xml, paragraph 1,024", "warning": "not written: the file has no such letter"},
    {"place": "line 9", "warning": "a warning of a newer server"},
]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "line 3: Numbers differ from the source. 7 is missing",
                "header1.xml, paragraph 1,024: The translation cannot be written here. The text is left as it was."
                " the file has no such letter",
                "line 9: a warning of a newer server",
            ],
        ),
        (
            "ko",
            [
                "3번째 줄: 숫자가 원문과 다릅니다. 7 is missing",
                "header1.xml, 1,024번째 문단: 번역문을 이 자리에 쓸 수 없어 원문을 그대로 두었습니다."
                " the file has no such letter",
                "9번째 줄: a warning of a newer server",
            ],
        ),
    ],
)
def test_what_a_document_could_not_keep_is_told_in_words(
    reader: Reader, language: str, said: list[str]
) -> None:
    page = reader.opens(f"?lang={language}", to="en")
    answer = {"translatedFileUrl": f"{reader.address}/download_file/letter.txt", "warnings": NOT_KEPT}
    page.route("**/translate_file", lambda route: route.fulfill(json=answer))
    page.locator("#pick").wait_for()
    page.set_input_files("#file", LETTER)
    page.locator("#document a").wait_for()
    assert page.locator("#document .warnings li").all_text_contents() == said


def test_a_server_that_tells_no_warnings_of_documents_will_do(reader: Reader) -> None:
    page = reader.opens(to="en")
    answer = {"translatedFileUrl": f"{reader.address}/download_file/letter.txt"}
    page.route("**/translate_file", lambda route: route.fulfill(json=answer))
    page.locator("#pick").wait_for()
    page.set_input_files("#file", LETTER)
    page.locator("#document a").wait_for()
    assert page.locator("#document details").count() == 0


def test_a_document_of_no_known_kind_is_refused_in_words(chromium: Any, address: str) -> None:
    someone = Reader(chromium, address)
    page = someone.opens(to="en")
    page.locator("#pick").wait_for()
    page.set_input_files("#file", {"name": "a.exe", "mimeType": "text/plain", "buffer": b"?"})
    someone.sees("#trouble", "did not accept")
    assert "format" in someone.text("#trouble")
    someone.context.close()


def test_a_server_that_is_gone_is_told_in_words(chromium: Any, address: str) -> None:
    someone = Reader(chromium, address)
    page = someone.opens()
    someone.context.set_offline(True)
    page.fill("#text", KOREAN)
    page.locator("#trouble").wait_for()
    assert "does not answer" in someone.text("#trouble")
    someone.context.close()


def test_a_server_with_keys_is_told_the_one_that_is_entered(chromium: Any, tmp_path: Path) -> None:
    folder, keys = save_tiny_model(tmp_path / "tiny"), KeyFile(tmp_path / "keys.json")
    settings = ServeConfig(require_keys=True, keys=str(keys.path))
    key = keys.add("someone")
    with serving_models(folder, settings=settings) as guarded:
        someone = Reader(chromium, guarded)
        page = someone.opens()
        someone.sees("#trouble", "asks for an API key")
        page.fill("#key", "wrong")
        page.click("#key-form button")
        someone.sees("#trouble", "not accepted")
        page.fill("#key", key)
        page.click("#key-form button")
        page.locator("#key-form").wait_for(state="hidden")
        page.fill("#text", KOREAN)
        someone.sees("#output")
        someone.context.close()


def test_it_speaks_the_readers_language(chromium: Any, address: str) -> None:
    for locale, query, said in (
        ("ko-KR", "", "번역"),
        ("en-US", "", "Translate"),
        ("en-US", "?lang=ko", "번역"),
    ):
        someone = Reader(chromium, address, locale=locale)
        someone.opens(query)
        assert someone.text("#view-translate") == said
        assert someone.page.evaluate("document.documentElement.lang") == ("ko" if said == "번역" else "en")
        someone.context.close()


def test_looking_inside_opens_with_an_example_before_the_server_has_answered_anything(reader: Reader) -> None:
    held: list[Any] = []
    api = re.compile(r"/(v1|frontend)/")
    reader.page.route(api, lambda route: held.append(route))
    reader.opens(view="inside")
    reader.sees("#stage [role=option]")
    assert target_words(reader) == EXAMPLE
    assert reader.page.locator("#stage .lines path").count() > 0
    assert reader.page.locator("#own-way option").count() == 0  # nothing is known of the server yet

    for route in held:
        route.continue_()
    reader.page.unroute(api)
    reader.page.locator("#own-way option").first.wait_for(state="attached")
    assert not [url for url in reader.asked if "/v1/inspect" in url or "/v1/translate" in url]


def answer_of(reader: Reader, path: str, **question: object) -> Any:
    """What the server says to a program."""
    return reader.page.request.post(f"{reader.address}/{path}", data=question).json()


def test_a_model_is_chosen_where_several_know_the_direction(chooser: Reader) -> None:
    page = chooser.opens(text=KOREAN, to="en")
    chooser.sees("#output")
    assert page.locator("#model option").all_text_contents() == ["ko-en", *OTHERS]
    assert page.input_value("#model select") == "ko-en"

    question = {"text": KOREAN, "source": "ko", "target": "en", "sentences": True}
    first, other = (
        answer_of(chooser, "v1/translate", **question, model=model)["text"] for model in ("ko-en", OTHERS[0])
    )
    assert chooser.text("#output") == first != other
    page.select_option("#model select", OTHERS[0])
    chooser.sees("#output", other)
    chooser.address_has(f"model={OTHERS[0]}")
    assert page.input_value("#from") == "ko"  # another language might be unknown to this model

    page.click("#swap")
    assert page.locator("#model select").count() == 0  # only one model leads back
    page.click("#swap")
    assert page.input_value("#model select") == OTHERS[0]


def test_looking_inside_asks_the_chosen_model(chooser: Reader) -> None:
    page = chooser.page
    with page.expect_request("**/v1/inspect") as asked:
        chooser.opens(view="inside", text=KOREAN, **{"from": "ko"}, to="en", model=OTHERS[0])
    assert asked.value.post_data_json["model"] == OTHERS[0]
    chooser.sees("#stage [role=option]")
    assert page.input_value("#own-model select") == OTHERS[0]
    with page.expect_request("**/v1/inspect") as asked:
        page.select_option("#own-model select", "ko-en")
    assert asked.value.post_data_json["model"] == ""
    assert "model=" not in page.url


def test_a_network_without_the_mask_stands_beside_the_usual_one(chooser: Reader) -> None:
    page = chooser.opens(view="inside", part=7, text=KOREAN, to="en")
    page.get_by_role("button", name="Mask off").click()
    page.locator("#part .comparison").wait_for()
    assert page.locator("#part .comparison h3").all_text_contents() == [
        "Learned without the mask",
        "Learned with the mask",
    ]
    said = [
        answer_of(chooser, "v1/inspect", text=KOREAN, to="en", model=model, include=[])["tgt"]["text"]
        for model in (OTHERS[1], "ko-en")
    ]
    assert page.locator("#part .comparison p[lang=en]").all_text_contents() == said
    assert "another one, ko-en-without-mask" in chooser.text("#part")
    chooser.address_has("mask=0")
    page.get_by_role("button", name="Mask off").click()
    assert page.locator("#part .comparison").count() == 0


def test_without_such_a_network_the_mask_has_no_switch(reader: Reader) -> None:
    page = reader.opens(view="inside", part=7)
    page.locator("#own-way option").first.wait_for(state="attached")  # what is served is known
    assert "there is no such switch here" in reader.text("#part")
    assert page.get_by_role("button", name="Mask off").count() == 0


def test_every_part_opens_in_place_with_its_picture(reader: Reader) -> None:
    page = reader.opens(view="inside")
    for part in range(1, 8):
        page.locator(f".part-{part}").click()
        assert page.locator("#part-title .nth").text_content() == str(part)
        assert page.locator("#part .facts dd").count() == 3
        assert page.locator("#part canvas, #part svg[role=img], #part [role=grid]").count() > 0
    assert not [url for url in reader.asked if "/v1/inspect" in url]


def test_a_row_is_shown_as_a_sum_of_one(reader: Reader) -> None:
    page = reader.opens(view="inside", part=3)
    page.locator("#part [role=rowheader]").nth(2).click()
    assert page.locator("#part .sum tfoot strong").first.text_content() == "1.000"
    assert page.locator("#part tr.chosen, #part .chosen[role=row]").count() == 1


def test_every_map_is_a_table_too_and_stays_open(reader: Reader) -> None:
    page = reader.opens(view="inside", part=3)
    page.locator("#part .heat summary").click()
    rows = page.locator("#part .heat table tbody tr")
    rows.first.wait_for()
    assert rows.count() == page.locator("#part [role=rowheader]").count()
    page.keyboard.press("PageUp")
    rows.first.wait_for()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_what_may_not_be_seen_is_hatched(reader: Reader) -> None:
    page = reader.opens(view="inside", part=7, step=2)
    grid = page.locator("#part [data-kind=dec] [role=grid]")
    grid.wait_for()
    assert grid.locator("[role=row]").nth(1).locator(".masked").count() == 11  # all but the start
    assert "−∞" in page.locator("#part [data-kind=dec] .sum").text_content()


def test_the_decoder_goes_step_by_step_and_on_from_another_word(reader: Reader) -> None:
    page = reader.opens(view="inside", part=7, text=KOREAN, to="en")
    page.locator(".stepper").wait_for()
    assert page.locator(".stepper button").first.is_disabled()
    page.locator(".stepper button").last.click()
    reader.address_has("step=")
    other = page.locator("#part .bars button:enabled").first
    word = other.locator("span").first.text_content()
    other.click()
    page.locator("#comparison .comparison").wait_for()
    reader.address_has("prefix=")
    assert page.locator("#part .bars .taken span").first.text_content() == word


def test_without_positions_the_order_of_the_words_does_not_matter(reader: Reader) -> None:
    page = reader.opens(view="inside", part=2, text="친구는 오늘 학교에 간다", to="en")
    page.get_by_role("button", name="Translate without positions").click()
    page.locator("#comparison .comparison").wait_for()
    without, before = (page.locator("#comparison p[lang]").nth(n).text_content() for n in (0, 1))
    page.get_by_role("button", name="Reverse the words").click()
    reader.sees("#stage .source .token:nth-child(2)", "간다")
    assert page.locator("#comparison p[lang]").first.text_content() == without
    page.locator("#comparison").get_by_role("button", name="Undo").click()
    page.locator("#comparison .comparison").wait_for(state="detached")
    assert before


def test_heads_and_source_words_are_switched_off(reader: Reader) -> None:
    page = reader.opens(view="inside", text=KOREAN, to="en")
    page.locator("#switches summary").click()
    page.locator("#switches .chip[data-key='word.1']").click()
    page.locator("#comparison .comparison").wait_for()
    page.locator("#switches .chip[data-key='cross.0.1']").click()
    reader.address_has("off=word.1,cross.0.1")
    page.locator("#switches .chip.off").nth(1).wait_for()
    assert page.locator("#stage .struck").count() == 1


def test_attention_and_measured_effect_stand_beside_each_other(reader: Reader) -> None:
    page = reader.opens(view="inside", step=5)
    assert "not how important" in reader.text("#stage .honest")
    page.get_by_role("button", name="Effect").click()
    assert "Measured" in reader.text("#stage .honest")
    reader.address_has("show=effect")


def test_of_a_long_sentence_no_mean_is_shown_or_offered(chromium: Any, tmp_path: Path) -> None:
    text = " ".join(["친구는 오늘 학교에 간다"] * 6)
    with (
        serving_models(save_tiny_model(tmp_path / "long", longest=128)) as address,
        reading(chromium, address) as someone,
    ):
        with someone.page.expect_response(re.compile(r"/row\?kind=cross&layer=0&head=0&t=0$")):
            page = someone.opens(text=text, **{"from": "ko"}, to="en", view="inside", cross="-1.-1")
            someone.sees("#stage .caption", re.compile("layer 1, head 1; .* the first piece"))
        assert "mean" not in page.locator("#stage .tools").inner_text()
        page.locator("[data-key=head-cross]").select_option("1")
        someone.sees("#stage .caption", "layer 1, head 2")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_scrolls_sideways_on_a_phone(chromium: Any, address: str, language: str) -> None:
    someone = Reader(chromium, address, viewport=PHONE, has_touch=True)
    someone.opens(f"?lang={language}", text=KOREAN, to="en")
    someone.sees("#output")
    assert not someone.is_too_wide()
    for part in range(1, 8):
        someone.goes_to(view="inside", part=part, step=3)
        someone.sees("#part-title .nth", str(part))
        assert not someone.is_too_wide(), part
    assert someone.slips == []
    someone.context.close()


def test_the_keyboard_alone_is_enough(reader: Reader) -> None:
    page = reader.opens(view="inside")
    words = page.locator("#stage [role=option]")
    words.first.focus()
    page.keyboard.press("ArrowRight")
    assert words.nth(1).get_attribute("aria-selected") == "true"
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert "will" in reader.text("#live")
    page.keyboard.press("End")
    assert words.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("PageUp")
    reader.address_has("cross=0.0")
    page.keyboard.press("Shift+ArrowRight")
    reader.address_has("cross=0.1")
    page.locator(".part-3").focus()
    page.keyboard.press("Enter")
    assert page.locator("#part").is_visible()
    assert page.evaluate("document.activeElement.dataset.key") == "part-3"
    page.locator("#part .cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#part .chosen[role=row] .cell").first.evaluate(
        "cell => cell === document.activeElement"
    )
    page.keyboard.press("Escape")
    assert page.locator("#part").is_hidden()


def test_one_tab_stop_for_each_row_of_words(reader: Reader) -> None:
    page = reader.opens(view="inside", part=3)
    page.locator("#part .cell").first.wait_for()
    for group in ("#stage [role=option]", "#part .cell"):
        assert page.locator(f"{group}[tabindex='0']").count() == 1


def test_the_words_appear_one_by_one_and_can_be_paused(chromium: Any, address: str) -> None:
    someone = Reader(chromium, address, reduced_motion="no-preference")
    page = someone.opens(view="inside")
    page.locator("#stage .unmade").first.wait_for(state="attached")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play word by word").wait_for()
    assert someone.slips == []
    someone.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(chromium: Any, address: str, theme: str) -> None:
    checker = accessibility_checker()
    someone = Reader(chromium, address, color_scheme=theme, bypass_csp=True)
    page = someone.opens(text=KOREAN, to="en")
    someone.sees("#output")
    page.evaluate(checker)
    faults = serious_faults(page)
    for part in (1, 2, 4, 7):
        someone.goes_to(view="inside", part=part, step=2)
        someone.sees("#part-title .nth", str(part))
        faults += serious_faults(page)
    someone.context.close()
    assert faults == []


def saved(reader: Reader, folder: Path) -> Path:
    """The file that the button of the view inside gives."""
    reader.sees("#stage [role=option]")
    with reader.page.expect_download() as download:
        reader.page.click("#save")
    place = folder / download.value.suggested_filename
    download.value.save_as(place)
    return place


@contextmanager
def reading_alone(chromium: Any, file: Path, **context: Any) -> Iterator[Reader]:
    """A reader of a saved file, without any network, to whom nothing goes wrong, and whose page asks nobody."""
    someone = Reader(chromium, file.as_uri(), offline=True, **context)
    someone.page.goto(file.as_uri())
    someone.sees("#stage [role=option]")
    yield someone
    someone.context.close()
    assert someone.slips == []
    assert {re.split("[?#]", url)[0] for url in someone.asked} <= {"about:blank", file.as_uri()}


def test_the_view_inside_is_saved_as_one_file_that_shows_all_of_it_alone(
    chromium: Any, reader: Reader, tmp_path: Path
) -> None:
    reader.opens(view="inside", text=KOREAN, to="en")
    file = saved(reader, tmp_path)
    assert file.name == "친구는 오늘 학교에 간다.html"
    with reading_alone(chromium, file) as alone:
        page = alone.page
        assert target_words(alone) == target_words(reader)
        assert alone.text("#stage .caption") == reader.text("#stage .caption")
        for part in range(1, 8):
            page.locator(f".part-{part}").click()
            alone.sees("#part-title .nth", str(part))
            assert (
                page.locator("#part p[role=status]").count() == 0
            )  # nothing that would have to be asked for
        page.locator(".stepper button").last.click()
        alone.address_has("step=")
        page.locator("[data-key=head-dec]").select_option("1")
        alone.address_has("dec=0.1")
        assert page.locator("#part [data-kind=dec] .sum tfoot strong").text_content() == "1.000"
        page.locator("#part .bars button").first.wait_for()
        assert page.locator("#part .bars button:enabled").count() == 0


@pytest.mark.parametrize(("language", "said"), [("en", "needs no server"), ("ko", "서버가 없어도")])
def test_a_saved_file_says_in_both_languages_what_needs_a_server(
    chromium: Any, reader: Reader, tmp_path: Path, language: str, said: str
) -> None:
    reader.opens(view="inside")
    with reading_alone(chromium, saved(reader, tmp_path), viewport=PHONE) as alone:
        page = alone.page
        if language == "ko":
            page.click("#language")
        alone.sees(".opening .only-saved", re.compile(said))
        assert target_words(alone) == EXAMPLE
        assert page.locator(".only-served:visible").count() == 0
        page.locator("#switches summary").click()
        assert page.locator("#switches .chip").count() > 9
        assert page.locator("#switches .chip:enabled").count() == 0
        assert not alone.is_too_wide()


def test_what_is_switched_off_is_saved_so(chromium: Any, reader: Reader, tmp_path: Path) -> None:
    reader.opens(view="inside", text=KOREAN, to="en", off="word.1,cross.0.1")
    reader.page.locator("#comparison .comparison").wait_for()
    file = saved(reader, tmp_path)
    with reading_alone(chromium, file) as alone:
        shown = [
            someone.page.locator("#comparison p[lang]").all_text_contents() for someone in (alone, reader)
        ]
        assert shown[0] == shown[1]
        assert alone.page.locator("#switches .chip.off").count() == 2
        assert alone.page.locator("#comparison button").count() == 0


def test_what_the_file_has_no_room_for_is_said_to_need_a_server(chromium: Any, tmp_path: Path) -> None:
    example = json.loads((FOLDER / "example.json").read_text("utf-8"))
    file = tmp_path / "small.html"
    file.write_text(saved_page({**example, "close_up": {"rows": {}, "vectors": {}}}), "utf-8")
    with reading_alone(chromium, file, locale="ko-KR") as alone:
        alone.page.locator(".part-3").click()
        alone.sees("#part .sum p[role=status]", "저장한 파일에 들어 있지 않습니다")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_a_saved_file(
    chromium: Any, reader: Reader, tmp_path: Path, theme: str
) -> None:
    checker = accessibility_checker()
    reader.opens(view="inside")
    with reading_alone(chromium, saved(reader, tmp_path), color_scheme=theme, bypass_csp=True) as alone:
        alone.page.evaluate(checker)
        alone.page.locator("#switches summary").click()
        faults = serious_faults(alone.page)
        for part in (1, 2, 3, 7):
            alone.goes_to(part=part, step=2)
            alone.sees("#part-title .nth", str(part))
            faults += serious_faults(alone.page)
    assert faults == []


def serious_faults(page: Any) -> list[tuple[str, str]]:
    """Which rules are broken, and the first element that breaks each."""
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        (fault["id"], fault["nodes"][0]["html"][:120])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.skipif("ONMAL_TEST_PICTURES" not in os.environ, reason="ONMAL_TEST_PICTURES names no folder")
def test_pictures_for_the_documentation(chromium: Any, address: str) -> None:
    folder = Path(os.environ["ONMAL_TEST_PICTURES"])
    someone = Reader(
        chromium, os.environ.get("ONMAL_TEST_SERVER", address), viewport={"width": 1180, "height": 760}
    )
    page = someone.opens(text="내일 친구와 영화를 볼 거예요.", to="en")
    someone.sees("#output")
    page.screenshot(path=folder / "page.png")
    page = someone.opens(view="inside", step=5, show="attention")
    page.locator("#stage [role=option]").first.wait_for()
    page.screenshot(path=folder / "inside.png")
    someone.context.close()
