"""wishes and glossary: what was wished for reaches the engine, is looked for first, and searched for only where it lacks."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.cleaning.guards import GUARDS
from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, DataError
from onmal.fragments import find_fragments
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.saved_model import load_model
from onmal.text.terms import says
from onmal.translating.engine import NONE, Constraints
from onmal.translating.glossary import Glossary
from onmal.translating.plan import Plan
from onmal.translating.translator import Options, Translator, load
from onmal.translating.wishes import Wishes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tiny_model import save_tiny_model

SENTENCES = ("친구는 오늘 학교에 간다.", "동생은 매일 시장에 간다.")


class Engine:
    """Says its hypotheses to everything, and what it must after them; remembers what it was told."""

    def at_once(self, *_: object) -> int:
        return 1

    def __init__(self, translator: Translator, *said: str) -> None:
        self.subwords = translator.saved.tokenizer.target
        self.said, self.told = said, [NONE]

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return "a test"

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return ""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        self.told.append(constraints)
        found = []
        for number in range(len(sources)):
            must = constraints.must[number] if constraints.must else ()
            texts = [f"{said} {' '.join(map(self.subwords.decode, must))}" for said in self.said]
            scores = [-1.0 - rank - (number == 0) * bool(must) for rank in range(len(texts))]
            found.append(
                [
                    Hypothesis(tuple(self.subwords.encode(text)), score, score, ended=True)
                    for text, score in zip(texts, scores, strict=True)
                ]
            )
        return found

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        return [[1.0] * len(source)] * len(target)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en")


def translator(folder: Path, *said: str, terms: Sequence[tuple[str, str]] = ()) -> tuple[Translator, Engine]:
    glossary = Glossary(terms) if terms else None
    made = Translator(load_model(folder), guards=(), glossary=glossary)
    made.engine = Engine(made, *said)  # type: ignore[assignment]
    return made, made.engine  # type: ignore[return-value]


def test_an_engine_without_a_search_for_it_says_what_it_must_all_the_same(folder: Path) -> None:
    saved = load_model(folder)
    fast = Translator(saved, CTranslate2Engine(saved), glossary=Glossary([("학교", "market")]))
    assert "market" in fast.translate(SENTENCES[0]).text
    assert "apples" in fast.translate(SENTENCES[1], wishes=Wishes(must=("apples",))).text


@pytest.mark.parametrize("option", [{"sample": True}, {"diversity": 1.0}, {"coverage_penalty": 0.2}])
def test_what_the_search_for_words_cannot_follow_is_refused(folder: Path, option: dict[str, Any]) -> None:
    made, _ = translator(folder, "My friend")
    refused = "what must be said has a search of its own; leave away must and the glossary, or"
    with pytest.raises(ConfigError, match=refused):
        made.translate(SENTENCES[0], search=SearchConfig(**option), wishes=Wishes(must=("market",)))
    with_terms, _ = translator(folder, "My friend", terms=[("은행", "bank")])
    with pytest.raises(ConfigError, match=refused):
        with_terms.translate(SENTENCES[0], search=SearchConfig(**option))
    made.translate(SENTENCES[0], search=SearchConfig(**option))


def test_without_wishes_the_engine_is_told_nothing(folder: Path) -> None:
    made, engine = translator(folder, "My friend")
    assert made.translate(SENTENCES[0]).warnings == ()
    [told] = engine.told[1:]
    assert [*told.prefixes, *told.must, *told.never] == []


def test_a_beginning_is_for_the_first_sentence_of_each_text(folder: Path) -> None:
    made, engine = translator(folder, "My friend")
    made.translate(["\n".join(SENTENCES), SENTENCES[0], " "], wishes=Wishes(prefix="My"))
    prefix = tuple(made.saved.tokenizer.target.encode("My"))
    assert engine.told[1].prefixes == [prefix, (), prefix]


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("{name} 친구는 오늘 학교에 간다.", "My friend"),
        ("{name} 친구는 오늘 학교에 간다.", "My {name}"),
        ("친구는 https://a.b/c 오늘 {x} 학교에 간다.", "{x} My  friend"),
        ("친구는 오늘 <b>학교에</b> 간다.", "<b>My"),
        ("<i>친구는</i> 오늘 <b>학교에</b> 간다.", "My"),
        ('"친구는 오늘 학교에 간다."', '"My'),
        ("- {x} 친구는 오늘 학교에 간다.", "- My {x}"),
        ("😀 친구는 오늘 학교에 간다.", "{x}"),
    ],
)
def test_a_beginning_is_kept_to_the_letter_and_its_fragments_come_once(
    folder: Path, text: str, prefix: str
) -> None:
    made, wishes = load(folder, engine="exact"), Wishes(prefix=prefix)
    whole = made.translate(text, wishes=wishes).text
    typed = "".join(made.type_out(text, wishes=wishes))
    for said in (whole, typed):
        assert said.removeprefix("- ").startswith(prefix.removeprefix("- "))
        wanted = Counter(text[each.start : each.end] for each in find_fragments(text))
        wanted |= Counter(prefix[each.start : each.end] for each in find_fragments(prefix))
        assert Counter(said[each.start : each.end] for each in find_fragments(said)) == wanted


def test_what_must_be_said_and_is_kept_anyway_is_said(folder: Path) -> None:
    made, engine = translator(folder, "My friend")
    said = made.translate("{name} 친구는 간다.", wishes=Wishes(must=("{name}",))).text
    assert said.count("{name}") == 1
    assert len(engine.told) == 2  # nothing else was searched for


def test_a_beginning_may_be_longer_than_a_translation_might_be(folder: Path) -> None:
    made, search = load(folder, engine="exact"), SearchConfig(max_length_ratio=0.1, max_length_extra=1)
    wishes = Wishes(prefix="My friend goes to the market every day, and the teacher")
    options: Options = {"search": search, "wishes": wishes}
    assert made.translate(SENTENCES[0], **options).text.startswith(wishes.prefix)
    assert "".join(made.type_out(SENTENCES[0], **options)).startswith(wishes.prefix)


def test_what_must_not_be_said_is_told_in_every_spelling(folder: Path) -> None:
    made, engine = translator(folder, "My friend")
    made.translate(SENTENCES[0], wishes=Wishes(never=("school",)))
    encode = made.saved.tokenizer.target.encode
    forms = ("school", "School", "SCHOOL")
    [never] = engine.told[1].never
    assert set(never) >= {tuple(encode(form)) for form in forms}
    pieces = [made.saved.tokenizer.target.pieces(tokens) for tokens in never if len(tokens) == 1]
    assert all("school" in piece.lower() for [piece] in pieces)


@pytest.mark.parametrize("word", ["s", "unk", "0x41", "<"])
def test_no_word_forbids_the_end_nor_any_other_piece_that_no_text_is_written_with(
    folder: Path, word: str
) -> None:
    made, engine = translator(folder, "My friend")
    made.translate(SENTENCES[0], wishes=Wishes(never=(word,)))
    subwords = made.saved.tokenizer.target
    forbidden = {tokens[0] for tokens in engine.told[1].never[0] if len(tokens) == 1}
    assert forbidden <= {*subwords.written.values(), *subwords.encode(word), *subwords.encode(word.upper())}
    assert made.saved.model.vocabulary.end not in forbidden


@pytest.mark.parametrize("blank", ["", " ", "\u200b"])
@pytest.mark.parametrize("wish", ["must", "never"])
def test_a_blank_wish_is_refused(wish: str, blank: str) -> None:
    with pytest.raises(
        ConfigError, match="what must be said, or must not, is blank; leave away must and never"
    ):
        Wishes(**{wish: ("market", blank)})


def test_what_is_said_in_another_spelling_is_searched_for_without_that_one(folder: Path) -> None:
    made, engine = translator(folder)
    made.guards = GUARDS
    subwords = made.saved.tokenizer.target
    letters = [subwords.processor.piece_to_id(piece) for piece in "▁school"]
    said = [*subwords.encode("My friend goes to"), *letters]
    assert subwords.decode(said) == "My friend goes to school"
    ways = [tuple(said), tuple(subwords.encode("My friend goes to the market"))]

    def translate(
        sources: Sequence[object], config: SearchConfig, asked: Constraints
    ) -> list[list[Hypothesis]]:
        engine.told.append(asked)
        best = next(way for way in ways if not any(_within(never, way) for never in asked.never[0]))
        return [[Hypothesis(best, -1.0, -1.0, True)] for _ in sources]

    engine.translate = translate  # type: ignore[assignment]
    found = made.translate(SENTENCES[0], wishes=Wishes(never=("school",)))
    assert (found.text, found.warnings) == ("My friend goes to the market", ())
    assert any(_within(never, tuple(letters)) and len(never) > 1 for never in engine.told[-1].never[0])


def test_what_is_said_all_the_same_is_a_warning(folder: Path) -> None:
    made, _ = translator(folder, "My friend goes to school")
    made.guards = GUARDS
    found = made.translate(SENTENCES[0], wishes=Wishes(never=("school",)))
    assert "said: school" in found.warnings


def _within(part: Sequence[int], whole: Sequence[int]) -> bool:
    return any(tuple(whole[at : at + len(part)]) == tuple(part) for at in range(len(whole)))


def test_what_a_hypothesis_says_already_is_not_searched_for(folder: Path) -> None:
    made, engine = translator(folder, "My friend goes", "My brother goes to the market")
    search = SearchConfig(beam_size=2, n_best=2)
    found = made.translate(SENTENCES[0], search=search, wishes=Wishes(must=("market",)))
    assert found.text == "My brother goes to the market"
    assert (found.warnings, len(engine.told)) == ((), 2)


def test_what_no_hypothesis_says_is_searched_for(folder: Path) -> None:
    made, engine = translator(folder, "My friend goes")
    found = made.translate(list(SENTENCES), wishes=Wishes(must=("market", "friend")))
    assert [each.text for each in found] == ["My friend goes market"] * 2
    assert engine.told[2].must == [(tuple(made.saved.tokenizer.target.encode("market")),)] * 2
    assert [each.warnings for each in found] == [(), ()]


def test_no_space_comes_before_what_must_be_said_where_a_language_has_none(folder: Path) -> None:
    made, engine = translator(folder, "東京へ")
    made.saved = made.planner.saved = replace(made.saved, directions=(("ko", "ja"),))
    found = made.translate(SENTENCES[0], wishes=Wishes(must=("market",), never=("school",)))
    [[phrase]] = engine.told[2].must
    subwords = made.saved.tokenizer.target
    assert subwords.decode([*subwords.encode("へ"), *phrase]) == "へmarket"
    assert {tuple(subwords.encode_within("school")), tuple(subwords.encode("school"))} < set(
        engine.told[1].never[0]
    )
    assert found.warnings == ()


def test_what_must_not_be_said_is_searched_for_again_with_all_else_that_was_wished(folder: Path) -> None:
    made, engine = translator(folder, "My friend goes to the sCHOOL")
    made.guards = GUARDS
    wishes = Wishes(prefix="My", must=("friend",), never=("school",))
    assert "said: school" in made.translate(SENTENCES[0], wishes=wishes).warnings
    first, *again = engine.told[1:]
    assert len(again) > 1
    for told in again:
        assert told.prefixes == first.prefixes
        assert set(told.never[0]) > set(first.never[0])


def test_of_several_sentences_the_one_that_it_fits_best_says_it(folder: Path) -> None:
    made, _ = translator(folder, "My friend goes")
    text = "\n".join(SENTENCES)
    # The engine's score falls where the first sentence has to say something.
    assert (
        made.translate(text, wishes=Wishes(must=("market",))).text == "My friend goes\nMy friend goes market"
    )


def test_what_is_still_not_said_is_a_warning(folder: Path) -> None:
    made, engine = translator(folder, "My friend goes")
    engine.subwords = made.saved.tokenizer.target
    engine.translate = lambda *_, **__: [[Hypothesis((), 0.0, 0.0, True)]]  # type: ignore[method-assign]
    found = made.translate(SENTENCES[0], wishes=Wishes(must=("market",)))
    assert found.warnings == ("missing: market",)


def test_a_glossarys_terms_are_said_where_the_source_has_them(folder: Path) -> None:
    made, engine = translator(
        folder, "My friend goes", terms=[("시장", "bazaar"), ("학교", "friend"), ("은행", "bank")]
    )
    found = made.translate([*SENTENCES, "모르는 말"])
    assert [each.text for each in found] == ["My friend goes", "My friend goes bazaar", "My friend goes"]
    assert [each.warnings for each in found] == [()] * 3
    assert len(engine.told) == 3
    assert len(engine.told[2].must) == 1  # only for the sentence that lacks it


def test_a_glossary_goes_by_the_language_that_a_text_is_written_in(folder: Path) -> None:
    made, _ = translator(folder, "My friend", terms=[("학교", "school"), ("Haus", "house")])
    three = (("de", "en"), ("ko", "en"), ("en", "ko"))
    made.saved = made.planner.saved = replace(made.saved, directions=three)
    assert made.translate("학교에서만은 간다", to="en").text == "My friend school"
    assert made.translate("das Haus", to="en").text == "My friend house"


class Enough(Exception):
    """Somebody asked for an end."""


@pytest.mark.parametrize("must", [(), ("market",)])
@pytest.mark.parametrize("engine", ["torch", "exact"])
def test_who_watches_a_search_can_end_it_at_each_of_its_words(
    folder: Path, engine: str, must: tuple[str, ...]
) -> None:
    steps = 0

    def watcher(*state: object) -> None:
        nonlocal steps
        steps += 1
        if steps == last:
            raise Enough

    made, wishes, last = load(folder, engine=engine), Wishes(must=must, watchers=(watcher,)), 0
    free = made.translate(SENTENCES[0], wishes=wishes)
    assert free == made.translate(SENTENCES[0], wishes=Wishes(must=must))
    last, steps = steps, 0
    with pytest.raises(Enough):
        made.translate(SENTENCES[0], wishes=wishes)
    assert steps == last > 1


WORDS = st.lists(
    st.sampled_from(["New", "York", "new", "STRASSE", "Straße", "서울", "서울은", "a", "-"]), min_size=1
)


@given(WORDS.map(" ".join), WORDS.map("  ".join), st.sampled_from(["ko", "en", "de"]))
def test_the_quick_look_for_terms_overlooks_none(text: str, term: str, language: str) -> None:
    assert bool(Glossary([(term, "x")]).wanted(text, language)) == says(text, term, language)


def test_a_glossary_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("# places\n학교\tschool\n\n서울 대학교\tSNU\n대학교 \t university\n", "utf-8")
    glossary = Glossary.read(path)
    assert glossary.wanted("저는 학교에 가요.", "ko") == ["school"]
    assert glossary.wanted("저는 서울 대학교에 가요.", "ko") == ["SNU"]  # and not university as well
    assert glossary.wanted("저는 집에 가요.", "ko") == []


@pytest.mark.parametrize("line", ["학교", "학교\t", "\tschool", "a\tb\tc"])
def test_a_line_that_is_no_term_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(f"집\thouse\n{line}\n", "utf-8")
    with pytest.raises(DataError, match=r"terms\.tsv:2: is not a term, a tab and its translation"):
        Glossary.read(path)


def test_a_placeholder_that_was_asked_for_is_not_invented(folder: Path) -> None:
    guarded = Translator(load_model(folder))
    for wishes in (Wishes(prefix="Every {day}"), Wishes(must=("{x}",))):
        warnings = guarded.translate(SENTENCES[0], wishes=wishes).warnings
        assert not any(warning.startswith("fragments: ") for warning in warnings), warnings


@pytest.mark.parametrize(
    ("said", "spelled"),
    [
        ("My friend goes to school today", "school"),
        ("school and a school, then", "school"),
        ("My friend goes to the park", ""),
        ("preschool", ""),
        ("the market square every day", "market square"),
    ],
)
def test_the_spelling_of_what_must_not_be_said_is_found_in_few_looks(
    folder: Path, said: str, spelled: str
) -> None:
    made, _ = translator(folder)
    wishing = made._wishing([Plan("", "en")], [], {"wishes": Wishes(never=("school", "market square"))})
    tokens = tuple(made.saved.tokenizer.target.encode(said)) * 4
    looks = 0

    def forbidden(text: str, language: str) -> bool:
        nonlocal looks
        looks += 1
        return type(wishing).forbidden(wishing, text, language)

    wishing.forbidden = forbidden  # type: ignore[method-assign]
    found = wishing.spelling(Hypothesis(tokens, 0.0, 0.0, True), "en")
    assert made.saved.tokenizer.target.decode(found).strip(" ,") == spelled
    assert looks <= 2 * len(tokens) + 2


def test_what_is_tried_again_for_a_text_depends_on_it_alone(folder: Path) -> None:
    made, engine = translator(folder)
    made.guards = GUARDS
    encode, asked = made.saved.tokenizer.target.encode, list[tuple[object, ...]]()

    def translate(
        sources: Sequence[Sequence[int]], config: SearchConfig, told: Constraints
    ) -> list[list[Hypothesis]]:
        asked.extend((*source, config.max_length_ratio, told.never[n]) for n, source in enumerate(sources))
        said = ["My friend goes to " + ("sCHOOL" if len(source) > 9 else "scHOOL") for source in sources]
        return [[Hypothesis(tuple(encode(text)), -1.0, -1.0, True)] for text in said]

    engine.translate = translate  # type: ignore[assignment]
    wishes, alone = Wishes(never=("school",)), list[tuple[object, ...]]()
    texts = [f"7 {SENTENCES[0]} {SENTENCES[0][:-1]}", "8 시장"]
    for text in texts:
        made.translate(text, wishes=wishes)
        alone += asked
        asked.clear()
    made.translate(texts, wishes=wishes)
    assert len({each[-2] for each in asked}) > 1
    assert sorted(asked) == sorted(alone)
