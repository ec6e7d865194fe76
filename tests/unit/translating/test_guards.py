"""guards: what they find, what they leave alone, and that the best hypothesis without a fault is taken."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from onmal import phrasebook
from onmal.cleaning.guards import GUARDS, Numbers, Repetition, faults
from onmal.config import SearchConfig
from onmal.data.pair import Pair
from onmal.decoding.search import Hypothesis
from onmal.saved_model import load_model
from onmal.text.tokenizer import SubwordModel, Tokenizer, count_words
from onmal.translating.engine import NONE, Constraints, Phrase
from onmal.translating.glossary import Glossary
from onmal.translating.plan import Planner, Unit
from onmal.translating.translator import Translator
from onmal.translating.wishes import Wishes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiny_model import save_tiny_model


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("the the the cat", "'the'"),
        ("go to the cat to the cat to the cat", "'to the cat'"),
        ("a b c d e f a b c d e f a b c d e f", "'a b c d e f'"),
        ("나는 나는 나는 간다", "'나는'"),
        ("我我我我我我我我我我我我我我", "'我'"),
        ("하하호하하호하하호하하호하하호", "'하하호'"),
        ("the cat the cat sat", ""),
        ("a very, very, very good one", ""),
        ("no no!", ""),
        (". . .............................", "'.'"[:0]),
        ("1000000000000000000000000", ""),
        ("", ""),
    ],
)
def test_what_is_said_again_and_again(text: str, again: str) -> None:
    found = Repetition()(Pair("source", text))
    assert found == (f"{again} again and again" if again else None)


def test_what_the_source_repeats_may_be_repeated() -> None:
    assert Repetition()(Pair("아주 아주 아주 좋다", "very very very good")) is None


@pytest.mark.parametrize(
    ("source", "translation", "names"),
    [
        ("오늘 학교에 간다", "", ["empty"]),
        ("오늘 학교에 간다", "오늘 학교에 간다", ["identical"]),
        ("간다", "I " + "go to school and then home " * 2 + "and so on and on until night", ["length_ratio"]),
        ("2,024원이다", "It is 2,042 won", ["numbers"]),
        ("2024.3.5에 왔다", "came on March 5, 2024", []),
        ("5개 샀다", "bought 6", ["numbers"]),
        ("3만 원이다", "It is 30,000 won", []),
        ("2,024원이다", "It is 2024 won", []),
        ("3월에 세 번 간다", "I go three times in March", []),
        ("7개 샀다", "bought seven", []),
        ("7개 샀다", "bought some", ["numbers"]),
        ("40분 잤다", "slept for forty minutes", []),
        ("40분 잤다", "slept for thirty minutes", ["numbers"]),
        ("3,000원이다", "It is three thousand won", []),
        ("3,000원이다", "It is 3 thousand won", []),
        ("70,000원이다", "It is seven hundred won", ["numbers"]),
        ("제2차 세계 대전", "World War II", []),
        ("2024년에 3만 명이 왔다", "In 2042, 300,000 people came", ["numbers"]),
        ("2024년에 3만 명이 왔다", "In 2024, 30 thousand people came", []),
        ("250만 명이다", "It is 2.5 million people", []),
        ("밝기를 300만큼 줄인다", "It is less bright by 300", []),
        ("010-1234-5678로 전화해", "Call me at 10-1234-5678", ["numbers"]),
        ("값은 3.14이다", "The value is 14.3", ["numbers"]),
        ("2024-03-05에 만나", "We meet on 2024-05-03", ["numbers"]),
        ("기온은 -5도이다", "It is 5 degrees", ["numbers"]),
        ("기온은 -5도이다", "It is minus 5 degrees", []),
        ("한 다스 샀다", "bought 12 books", []),
        ("오후 3시 30분에 왔다", "came at 15:30", []),
        ("위원회가 오랜 토론 끝에 제안을 승인했다", "No", ["length_ratio"]),
        ("이름을 쓴다", "write {name} here", ["fragments"]),
        ("이름을 쓴다", "write \ufffd here", ["broken"]),
        ("이름 \ufffd 쓴다", "write \ufffd here", []),
        ("오늘 간다", "go go go go", ["repetition"]),
        ("정말 정말 정말 정말 간다", "really really really really go", []),
        ("정말 정말 정말 정말 간다", "go go go go go go go", ["repetition"]),
        ("나는 간다. 너도 간다.", "I go. You go.", []),
        ("나는 간다. 너도 간다.", "I go.", ["sentences"]),
        ("나는 간다.", "I go. I went.", []),
        ("12345", "12345", []),
    ],
)
def test_each_fault_has_its_name(source: str, translation: str, names: list[str]) -> None:
    found = faults(GUARDS, Pair(source, translation, target_language="en"))
    assert [fault.split(":")[0] for fault in found] == names


@pytest.mark.parametrize(
    ("source", "translation", "right"),
    [
        ("That is 3,000 won.", "그건 삼천 원이에요.", True),
        ("That is 1,000 won.", "그건 천 원이에요.", True),
        ("That is 8,500 won.", "그건 팔천오백 원이에요.", True),
        ("That is 15,000 won.", "그건 만 오천 원이에요.", True),
        ("That is 3,000 won.", "그건 이천 원이에요.", False),
        ("Those scissors are 3,000 won.", "그 가위는 삼월 삼십만 원입니다.", False),
        ("Do you read 10 newspapers in the park?", "공원에서 십일이에요?", False),
        ("A lawyer will slice a tomato at half past 3.", "오늘 변호사가 삼일 토마토를 썰 거예요.", False),
        ("Buy a horse at 9 o'clock.", "구만 말을 사세요.", False),
        ("My cousin writes 2 poems.", "제 사촌은 열 시 이십 분 동안 써요.", False),
        ("That is 3,000 won.", "그건 천천히 가요.", False),
        ("The bag costs 1500 won.", "이 백 가격은 2500원입니다.", False),
        ("On May 6 we met.", "우리는 오월 육일에 만났다.", True),
        ("She is 53 years old.", "그는 쉰세 살이에요.", True),
        ("She is 53 years old.", "그는 쉰 살이에요.", False),
        ("She is 15 years old.", "그는 열 십오일일이에요.", False),
        ("We traveled for 6 hours.", "우리는 여섯 시간 여행했어요.", True),
        ("We traveled for 6 hours.", "우리는 육일이에요.", False),
        ("We traveled for 6 days.", "우리는 육일 여행했어요.", True),
    ],
)
def test_korean_words_say_the_numbers_of_an_english_source(
    source: str, translation: str, right: bool
) -> None:
    found = Numbers()(Pair(source, translation, target_language="ko"))
    assert (found is None) is right


@pytest.mark.parametrize(
    ("source", "translation", "right"),
    [
        ("컵을 400 원에 샀어요.", "We bought a cup for four thousand won.", False),
        ("컵을 4000 원에 샀어요.", "We bought a cup for four thousand won.", True),
        ("컵을 3만 5천 원에 샀어요.", "The cup was 35 thousand won.", True),
        ("톰은 20 살이에요.", "Tom is twenty-five years old.", False),
        ("톰은 20 살이에요.", "Tom is twenty years old.", True),
        ("1999년에", "in nineteen ninety-nine", True),
    ],
)
def test_english_words_say_the_numbers_of_a_korean_source(source: str, translation: str, right: bool) -> None:
    found = Numbers()(Pair(source, translation, target_language="en"))
    assert (found is None) is right


def test_right_translations_raise_no_alarm() -> None:
    for split in ("test", "long", "roles", "homonyms"):
        for phrase in phrasebook.phrases(split, 300):
            for source, target, to in (
                (phrase.korean, phrase.english, "en"),
                (phrase.english, phrase.korean, "ko"),
            ):
                assert not faults(GUARDS, Pair(source, target, target_language=to)), (source, target)


class Says:
    """An engine with some hypotheses for everything, best first."""

    def at_once(self, *_: object) -> int:
        return 1

    def __init__(self, *hypotheses: Sequence[int], mended: Sequence[int] = (), refused: str = "") -> None:
        self.hypotheses, self.mended, self.refused = hypotheses, mended, refused
        self.asked: list[SearchConfig] = []
        self.must: list[Sequence[tuple[Phrase, ...]]] = []
        self.constraints = NONE  # of the last search

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return "says"

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return self.refused

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        self.constraints = constraints
        if constraints.must:
            self.must.append(constraints.must)
            return [[Hypothesis(tuple(self.mended), -9.0, -9.0, True)] for _ in sources]
        self.asked.append(config)
        found = [Hypothesis(tuple(t), -float(n), -float(n), True) for n, t in enumerate(self.hypotheses)]
        return [found[: config.n_best] for _ in sources]

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        return [[1.0] * len(source) for _ in target]


@pytest.fixture
def says(tmp_path: Path) -> tuple[Translator, Says]:
    saved = load_model(save_tiny_model(tmp_path / "model"))
    encode = saved.tokenizer.target.encode
    engine = Says(encode("school school school school"), encode(""), encode("the market"), encode("the park"))
    return Translator(saved, engine), engine


def test_the_best_without_a_fault_is_taken(says: tuple[Translator, Says]) -> None:
    translator, engine = says
    found = translator.translate("오늘 시장에 간다.", search=SearchConfig(beam_size=4))
    assert (found.text, found.warnings, found.score) == ("the market", (), -2.0)
    assert engine.asked == [SearchConfig(beam_size=4, n_best=4)]


def test_the_n_best_follow_it(says: tuple[Translator, Says]) -> None:
    found = says[0].translate("오늘 시장에 간다.", search=SearchConfig(beam_size=4, n_best=3))
    assert [each.text for each in found.alternatives] == ["the market", "school school school school", ""]
    assert [len(each.warnings) for each in found.alternatives] == [0, 1, 1]


def test_where_all_have_one_a_warning_says_which(says: tuple[Translator, Says]) -> None:
    found = says[0].translate("오늘 시장에 간다.", search=SearchConfig(beam_size=2))
    assert found.text == "school school school school"
    assert found.warnings == ("repetition: 'school' again and again",)


def test_without_guards_the_best_is_the_best(says: tuple[Translator, Says]) -> None:
    translator, engine = says
    plain = Translator(translator.saved, engine, guards=())
    found = plain.translate("오늘 시장에 간다.", search=SearchConfig(beam_size=4))
    assert (found.text, found.warnings) == ("school school school school", ())
    assert engine.asked == [SearchConfig(beam_size=4)]


@pytest.mark.parametrize(
    ("source", "said", "number"),
    [("2005년에 간다.", "I go in 2050.", "2005"), ("12,000원이다.", "It is 1,200 won.", "12,000")],
)
def test_a_lost_number_is_searched_for(
    says: tuple[Translator, Says], source: str, said: str, number: str
) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    engine = Says(encode(said), mended=encode(f"It is {number}."))
    translator.engine = engine
    found = translator.translate([source, "오늘 시장에 간다."], search=SearchConfig(beam_size=1))
    assert found[0].text == f"It is {number}."
    assert found[0].warnings == ()
    assert engine.must == [[(tuple(encode(number)),)]]  # one search, for the one sentence


def test_a_lost_number_may_be_said_in_words(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    translator.engine = engine = Says(encode("I go to school."), mended=encode("seven go to school."))
    found = translator.translate("7명이 학교에 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.warnings) == ("seven go to school.", ())
    assert engine.must == [[(tuple(encode("7")),), (tuple(encode("seven")),)]]  # in both ways at once
    translator.engine = engine = Says(encode("I go to school."), mended=encode("some go to school."))
    found = translator.translate("7명이 학교에 간다.", search=SearchConfig(beam_size=1))
    assert found.warnings == ("numbers: lost 7",)
    assert len(engine.must) == 1


def test_sentences_that_came_out_as_one_are_translated_one_by_one(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    translator.engine = Says(encode("the market."))
    found = translator.translate("나는 간다.  <b>너</b>도 간다.", search=SearchConfig(beam_size=1))
    assert found.text == "the market.  <b>the</b> market."
    assert found.warnings == ()


def test_a_glossary_holds_for_sentences_that_are_translated_apart(
    says: tuple[Translator, Says], tmp_path: Path
) -> None:
    terms = tmp_path / "terms.tsv"
    terms.write_text("너\tschool\n", "utf-8")
    encode = says[0].saved.tokenizer.target.encode
    engine = Says(encode("the market."), mended=encode("the school."))
    translator = Translator(says[0].saved, engine, glossary=Glossary.read(terms))
    found = translator.translate("나는 간다. 너도 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.warnings) == ("the market. the school.", ())


def test_sentences_are_not_translated_apart_where_that_mends_nothing(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    translator.engine = Says(translator.saved.tokenizer.target.encode("the market"))
    found = translator.translate("나는 간다. 너도 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.warnings) == ("the market", ("sentences: 2 became 1",))


class KnowsWords(Says):
    """An engine that knows a number only where the source has it in words."""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        self.must += [constraints.must] if constraints.must else []
        said = [self.mended if tuple(source) in self.known else self.hypotheses[0] for source in sources]
        return [[Hypothesis(tuple(tokens), -1.0, -1.0, ended=True)] for tokens in said]

    known: frozenset[tuple[int, ...]] = frozenset()


def test_a_lost_number_is_read_in_words(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    translator.engine = engine = KnowsWords(encode("the market"), mended=encode("seven the market"))
    engine.known = frozenset(
        {tuple(translator.saved.tokenizer.encode_source("일곱 명이 시장에 간다.", "en"))}
    )
    found = translator.translate("7 명이 시장에 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.warnings, engine.must) == ("seven the market", (), [])


def test_a_number_that_cannot_be_said_is_put_beside_its_word(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    tokenizer = translator.saved.tokenizer
    translator.engine = engine = KnowsWords(
        tokenizer.target.encode("room 21"), mended=tokenizer.target.encode("the market")
    )
    engine.known = frozenset({tuple(tokenizer.encode_source("시장에 간다.", "en"))})
    found = translator.translate("시장에 2024-03-05 간다.", search=SearchConfig(beam_size=1))
    assert found.text in ("2024-03-05 the market", "the 2024-03-05 market", "the market 2024-03-05")
    assert (found.warnings, engine.must) == ((), [])
    kept = translator.translate("시장에 2024-03-05 간다 7명이.", search=SearchConfig(beam_size=1))
    assert kept.warnings  # what the network says without the number has a fault, too


def test_a_number_made_up_for_one_that_was_not_read_is_no_help(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    tokenizer = translator.saved.tokenizer
    translator.engine = engine = KnowsWords(
        tokenizer.target.encode("the market 21"), mended=tokenizer.target.encode("ten markets")
    )
    engine.known = frozenset({tuple(tokenizer.encode_source("시장에 간다.", "en"))})
    found = translator.translate("시장에 3 간다.", search=SearchConfig(beam_size=1))
    assert "ten" not in found.text  # not "ten 3 markets"
    assert found.warnings


def test_where_the_rules_leave_no_word_nothing_is_said_and_a_warning(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    translator.engine = SaysNothing([])
    found = translator.translate("시장에 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.score) == ("", 0.0)
    assert [warning.partition(":")[0] for warning in found.warnings] == ["empty", "unfinished"]


class SaysNothing(Says):
    """An engine whose search found no word that it may say."""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        return [[Hypothesis((), -float("inf"), -float("inf"), ended=False)] for _ in sources]


class Stammers(Says):
    """An engine that says the same again and again, unless it may not."""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        self.asked.append(config)
        tokens = self.mended if config.no_repeat_ngram else self.hypotheses[0]
        return [[Hypothesis(tuple(tokens), -1.0, -1.0, ended=bool(config.no_repeat_ngram))] for _ in sources]


@pytest.mark.parametrize("said", ["school school school school", "unfinished"])
def test_what_is_said_again_and_again_or_does_not_end_is_searched_for_otherwise(
    says: tuple[Translator, Says], said: str
) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    translator.engine = engine = Stammers(encode(said), mended=encode("the market"))
    found = translator.translate("오늘 시장에 간다.", search=SearchConfig(beam_size=1))
    assert (found.text, found.warnings) == ("the market", ())
    assert [config.no_repeat_ngram for config in engine.asked] == [0, 3]


def test_laughter_is_read_shorter(says: tuple[Translator, Says]) -> None:
    units: list[Unit] = []
    says[0].planner.plan("ㅋㅋㅋㅋㅋㅋㅋㅋ 시장에 간다\n하하하 AAAAAA", "en", units)
    assert [unit.read for unit in units] == ["ㅋㅋㅋ 시장에 간다", "하하하 AAAAAA"]


def test_capitals_are_read_in_small_letters_where_those_are_better_known(tmp_path: Path) -> None:
    translator = Translator(load_model(save_tiny_model(tmp_path / "model")))
    encode = translator.saved.tokenizer.target.encode
    translator.engine = Says(encode("오늘 market"))
    found = translator.translate("THE MARKET AND THE SCHOOL", to="en")
    assert found.text == "오늘 MARKET"
    units: list[Unit] = []
    translator.planner.plan("THE MARKET AND THE SCHOOL\nThe market and THE SCHOOL\nSCHOOL\nX Y", "en", units)
    assert [unit.read for unit in units] == [
        "The market and the school",
        "The market and THE SCHOOL",
        "SCHOOL",
        "X Y",
    ]


def test_names_in_capitals_are_read_as_names(tmp_path: Path) -> None:
    sentences = [
        "I meet a friend from Seoul in a town.",
        "Seoul, a town",
        "I like NATO.",
        "a friend meets a friend",
    ]
    subwords = SubwordModel.learn(count_words(sentences * 50), kind="bpe", size=330)
    saved = load_model(save_tiny_model(tmp_path / "model"))
    saved = replace(saved, tokenizer=Tokenizer(subwords, subwords, saved.tokenizer.tags))
    units: list[Unit] = []
    Planner(saved, "", None).plan("A FRIEND FROM SEOUL, I MEET NATO", "en", units)
    assert units[0].read == "A friend from Seoul, I meet NATO"


def test_what_could_not_be_mended_stays_with_its_warning(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    for engine in (
        Says(encode("In 2050."), mended=encode("In 2051.")),
        Says(encode("In 2050."), mended=encode("In 2005."), refused="words that must be said"),
    ):
        translator.engine = engine
        found = translator.translate("2005년에 간다.", search=SearchConfig(beam_size=1))
        assert found.text == "In 2050."
        assert found.warnings == ("numbers: lost 2005; invented 2050",)
    assert engine.must == []


def test_another_search_keeps_to_what_was_wished_for(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    encode = translator.saved.tokenizer.target.encode
    translator.engine = engine = Says(encode("In 2050."), mended=encode("In 2005."))
    wishes = Wishes(prefix="In", never=("market",))
    texts = ["오늘 시장에 간다.", "2005년에 간다."]
    translator.translate(texts, search=SearchConfig(beam_size=1), wishes=wishes)
    assert engine.constraints.must == [(tuple(encode("2005")),)]
    assert engine.constraints.prefixes == [tuple(encode("In"))]
    assert tuple(encode("market")) in engine.constraints.never[0]


def test_a_word_in_capitals_does_not_make_a_korean_sentence_one(says: tuple[Translator, Says]) -> None:
    units: list[Unit] = []
    says[0].planner.plan("나는 SCHOOL MARKET 간다", "en", units)
    assert [unit.read for unit in units] == ["나는 SCHOOL MARKET 간다"]


def test_a_pair_of_tags_is_not_cut_in_two(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    translator.engine = Says(translator.saved.tokenizer.target.encode("the market."))
    for text in ("<b>나는 간다. 너도 간다.</b>", '<a title="Stop! Now">나는</a> 간다. 너도 간다.'):
        found = translator.translate(text, search=SearchConfig(beam_size=1))
        assert found.warnings == ("sentences: 2 became 1",)


def test_what_is_still_wrong_with_sentences_apart_is_told(says: tuple[Translator, Says]) -> None:
    translator, _ = says
    engine = Says(translator.saved.tokenizer.target.encode("the market"), refused="words that must be said")
    translator.engine = engine
    found = translator.translate("7명이 간다. 너도 간다.", search=SearchConfig(beam_size=1))
    assert found.warnings == ("numbers: lost 7", "sentences: 2 became 1")


def test_a_date_is_no_end_of_a_sentence_where_the_language_is_known() -> None:
    pair = Pair("Er kommt am 3. Oktober nach Berlin.", "He comes to Berlin on October 3.", "", 0, "de", "en")
    assert faults(GUARDS, pair) == []


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("3:00에 만나요", "Let's meet at three o'clock"),
        ("7시 30분", "half past seven"),
        ("Version 3.0", "버전 3"),
    ],
)
def test_times_and_versions_raise_no_alarm(source: str, translation: str) -> None:
    to = "ko" if "버" in translation else "en"
    assert faults(GUARDS, Pair(source, translation, target_language=to)) == []


@pytest.mark.parametrize(
    ("source", "translation", "languages", "names"),
    [
        ("책을 샀다", "bought 12 books", ("ko", "en"), ["numbers"]),
        ("책을 열두 권 샀다", "bought 12 books", ("ko", "en"), []),
        ("May 5 is a holiday", "6월 5일은 휴일이다", ("en", "ko"), ["numbers"]),
        ("May 5 is a holiday", "5월 5일은 휴일이다", ("en", "ko"), []),
        ("In 1984, two hundred people came", "1948년에 200명이 왔다", ("en", "ko"), ["numbers"]),
        ("In 1984, two hundred people came", "1984년에 200명이 왔다", ("en", "ko"), []),
        ("나는 책을 읽었다", "I read 책을", ("ko", "en"), ["copied"]),
        ("Word를 배웠다", "I learned Word", ("ko", "en"), []),
        ("I learned Word", "나는 Word를 배웠다", ("en", "ko"), []),
        ("Guten Tag", "Guten Tag.", ("de", "en"), ["copied"]),
        ("나는 책을 읽었다", "na 책을 ilk", ("ko", "x-own"), []),
        ("나는 책을 읽었다", "na 책을 ilk", ("", "en"), []),
    ],
)
def test_what_only_a_language_tells(
    source: str, translation: str, languages: tuple[str, str], names: list[str]
) -> None:
    found = faults(GUARDS, Pair(source, translation, "", 0, *languages))
    assert [fault.partition(":")[0] for fault in found] == names
