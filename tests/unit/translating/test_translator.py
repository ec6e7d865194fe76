"""translator: lines and white space stay, nothing is dropped, what is too long is cut and said, directions are found."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from threading import Barrier
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import onmal.translating.translator
from onmal.config import DataConfig, ModelConfig, SearchConfig
from onmal.data.pair import Pair
from onmal.data.prepare import learn_tokenizer
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, LanguageError
from onmal.fragments import find_fragments
from onmal.models import build
from onmal.saved_model import SavedModel
from onmal.text.language import writes_spaces
from onmal.text.normalize import normalize
from onmal.translating.engine import Engine
from onmal.translating.translator import Translation, Translator

LONGEST = 40
KOREAN = ["친구는", "학교에", "간다", "매일", "시장에서", "사과를", "샀다"]
ENGLISH = ["my", "friend", "goes", "to", "school", "every", "day", "bought", "apples", "2024"]
WORDS = [*KOREAN, *ENGLISH]
BOTH = (("ko", "en"), ("en", "ko"))


def saved_model(
    directions: Sequence[tuple[str, str]] = BOTH, tags: Sequence[str] = (), **card: Any
) -> SavedModel:
    """A tokenizer of a few words, and a network that knows nothing."""
    source, target = directions[0]
    data = DataConfig(
        source_language=source,
        target_language=target,
        both_directions=len(directions) > 1,
        vocabulary_size=380,
        mix=[{"train": [tag], "tag": tag} for tag in tags],
    )
    chance = random.Random(0)
    sentences = [" ".join(chance.choices(WORDS, k=6)) + "." for _ in range(200)]
    tokenizer = learn_tokenizer([Pair(sentence, sentence) for sentence in sentences], data)
    config = ModelConfig(
        d_model=16, num_heads=2, feed_forward=16, encoder_layers=1, decoder_layers=2,
        max_source_length=LONGEST, max_target_length=LONGEST,
    )  # fmt: skip
    torch.manual_seed(3)
    return SavedModel(build(config, tokenizer.vocabulary).eval(), tokenizer, config, tuple(directions), card)


def unguarded(saved: SavedModel, engine: Engine | None = None, **options: Any) -> Translator:
    """Without guards, which have much to say of a network that knows nothing, and of one that says what it is given."""
    return Translator(saved, engine, guards=(), **options)


class Echo:
    """Says what it is given, without tag and end token, and remembers it."""

    def at_once(self, *_: object) -> int:
        return 1

    def __init__(self, saved: SavedModel) -> None:
        self.saved = saved
        self.calls: list[list[list[int]]] = []
        self.aligned = 0

    @property
    def texts(self) -> list[str]:
        return [self.saved.tokenizer.source.decode(source) for call in self.calls for source in call]

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: object = None
    ) -> list[list[Hypothesis]]:
        self.calls.append([list(source) for source in sources])
        skipped = 2 if self.saved.tokenizer.tags else 1
        return [
            [
                Hypothesis(tuple(source[skipped - 1 : -1]), -1.0 - rank, -1.0 - rank, ended=True)
                for rank in range(config.n_best)
            ]
            for source in sources
        ]

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """Each word looks at itself."""
        self.aligned += 1
        skipped = len(source) - len(target)
        return [[float(s == t + skipped) for s in range(len(source))] for t in range(len(target))]


class Fixed(Echo):
    """Says the same to everything."""

    def __init__(self, saved: SavedModel, *tokens: Sequence[int], ended: bool = True) -> None:
        super().__init__(saved)
        self.tokens, self.ended = tokens, ended

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: object = None
    ) -> list[list[Hypothesis]]:
        self.calls.append([list(source) for source in sources])
        found = [Hypothesis(tuple(t), -2.0 * n, -1.0 * n, self.ended) for n, t in enumerate(self.tokens, 1)]
        return [found[: config.n_best] for _ in sources]


@pytest.fixture(scope="module")
def saved() -> SavedModel:
    return saved_model()


@pytest.fixture(scope="module")
def one_way() -> SavedModel:
    return saved_model((("ko", "en"),))


def letters(text: str) -> str:
    """What must not be lost."""
    return "".join(normalize(text).split())


BLANKS = ["", " ", "\n", "\t \n \n", "\u3000", "\u200b", "\r\n", "\x00", "\ufeff\n"]


@pytest.mark.parametrize("text", BLANKS, ids=repr)
def test_blank_in_blank_out(saved: SavedModel, text: str) -> None:
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate(text)
    assert translation == Translation(text, text, 0.0)
    assert engine.texts == []


FRAGMENTS = [
    "{name}", "%s", "%1$d", "${x}", "$HOME", "{{ y }}", "https://a.kr/b?c=1", "www.a.com", "me@a.co.kr", "<br/>",
    '<x id="1"/>', "&amp;", "{}",
]  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*WORDS, *FRAGMENTS, "\n", ".", ","]), max_size=16).map(" ".join))
def test_what_is_no_language_stays_and_no_network_sees_it(saved: SavedModel, text: str) -> None:
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate(text, to="en").text
    assert sorted("".join(translation.split())) == sorted("".join(text.split()))
    assert not any(fragment in seen for fragment in FRAGMENTS for seen in engine.texts)
    assert bool(engine.aligned) <= any(fragment in text for fragment in FRAGMENTS)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_it_stays_whatever_the_network_says(saved: SavedModel, fragment: str) -> None:
    """Each as often as before: with a network that knows nothing, and with one that says nothing at all."""
    text = f"친구는 {fragment} 학교에 간다. 매일 {fragment}\n{fragment}"
    for engine in (None, Fixed(saved, [])):
        assert unguarded(saved, engine).translate(text, to="en").text.count(fragment) == 3


def test_text_of_nothing_else_is_not_translated(saved: SavedModel) -> None:
    engine = Echo(saved)
    text = "https://a.kr/b ({name}), %s!"
    assert unguarded(saved, engine).translate(text, to="en") == Translation(text, text, 0.0)
    assert engine.calls == [[]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("친구는 {x} 간다!!!", "{x} my friend!!!"),
        ("친구는 간다: {x}", "my friend: {x}"),
        ("{x} 친구는 간다...", "{x} my friend..."),
        ("친구는 간다 {x}", "my friend {x}"),
        ("친구는 간다. {x}", "my friend. {x}"),
        ("(친구는 간다)\t친구", "(my friend)\tmy friend"),
        ("| 친구 | 친구는 간다. |", "| my friend | my friend. |"),
        ("친구 | 친구|친구 || 친구", "my friend | my friend"),
        ("{{ name | upper }} 친구는 간다.", "{{ name | upper }} my friend."),
        ('친구 <a title="x | y"/>', 'my<a title="x | y"/> friend'),
        ("친구 <!-- a | b -->", "my<!-- a | b --> friend"),
        ("친구(친구 | 친구)는 간다", "my friend"),
    ],
)
def test_what_ends_or_parts_a_text_stays_beside_its_fragments(
    saved: SavedModel, text: str, expected: str
) -> None:
    engine = Fixed(saved, saved.tokenizer.target.encode("my friend."))
    assert unguarded(saved, engine).translate(text, to="en").text == expected


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a friend etc.", "a friend etc."),
        ("at 9 a.m.", "at 9 a.m."),
        ("학교에 가.", "학교에 가"),
        ("no. 5.", "no. 5."),
        ("Apple Inc.", "Apple Inc."),
        ("Goethestr.", "Goethestr."),
        ("my friend, Jan.", "my friend, Jan."),
    ],
)
def test_a_stop_goes_where_it_ends_a_sentence(saved: SavedModel, said: str, kept: str) -> None:
    assert (
        unguarded(saved, Fixed(saved, saved.tokenizer.target.encode(said))).translate("친구", to="en").text
        == kept
    )


@pytest.mark.parametrize(
    ("ending", "read"),
    [("!!!", "!"), ("...", "."), ("?!", "?"), (":", "."), ("…", "."), ("~", "."), ("~!!", "."), (".", "."), ("!", "!"), ("", "")],
)  # fmt: skip
@pytest.mark.parametrize("said", ["", ".", "!", "?"])
def test_a_sentence_ends_as_its_source(saved: SavedModel, ending: str, read: str, said: str) -> None:
    engine = Fixed(saved, saved.tokenizer.target.encode(f"my friend{said}"))
    text = unguarded(saved, engine).translate(f"친구는 간다{ending}", to="en").text
    assert engine.texts == [f"친구는 간다{read}"]
    kept = said if ending == read and (ending or said != ".") else ending  # a title gets no full stop
    assert text == f"my friend{kept}"


def test_where_there_are_no_spaces_stops_are_the_networks() -> None:
    to_japanese = saved_model([("ko", "ja")])
    assert unguarded(to_japanese, Echo(to_japanese)).translate("친구는 간다!!!").text == "친구는 간다!!!"


@pytest.mark.parametrize("before", ["", "> ", "## ", "- "])
@pytest.mark.parametrize("marks", ["()", '""', "[]", "“”"])
def test_what_stands_around_a_line_stays(saved: SavedModel, before: str, marks: str) -> None:
    engine = Echo(saved)
    line = f"{before}{marks[0]}친구는 간다.{marks[1]} "
    assert unguarded(saved, engine).translate(line, to="en").text == line
    assert engine.texts == ["친구는 간다."]


@pytest.mark.parametrize("row", ["=" * 500, "-" * 500, "3." + "14159" * 100, "😀" * 500, "+---" * 100 + "+"])
def test_a_row_that_says_nothing_stays_however_long(saved: SavedModel, row: str) -> None:
    engine = Echo(saved)
    assert unguarded(saved, engine).translate(row, to="en") == Translation(row, row, 0.0)
    assert engine.calls == [[]]
    assert row in unguarded(saved, engine).translate(f"친구는 간다. {row}", to="en").text


def test_a_million_spaces_are_no_more_than_white_space(saved: SavedModel) -> None:
    text = f"친구는{' ' * 1_000_000}간다."
    assert len(unguarded(saved, Echo(saved)).translate(text, to="en").text) > 1_000_000


def test_a_script_that_the_model_never_saw_is_told(saved: SavedModel) -> None:
    translation = unguarded(saved, Echo(saved)).translate("친구는 Я люблю 학교에 간다.", to="en")
    assert translation.warnings == ("unknown: the model cannot read Я, люблю",)
    assert unguarded(saved, Echo(saved)).translate("친구는 Zoë 뷁 간다.", to="en").warnings == ()


def test_a_long_address_does_not_cut_a_sentence_in_two(saved: SavedModel) -> None:
    text = f"친구는 https://a.kr/{'x' * 1000} 학교에 간다."
    assert unguarded(saved, Echo(saved)).translate(text, to="en").warnings == ()


PARTS = st.sampled_from([*WORDS, " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u3000", "\u200b", "."])


@settings(max_examples=200)
@given(st.lists(PARTS, max_size=24).map("".join))
@example("  친구는 학교에 간다. \n\n\tmy friend\n")
def test_lines_and_the_space_around_them_stay(saved: SavedModel, text: str) -> None:
    translator = unguarded(saved, Echo(saved))
    lines, found = text.split("\n"), translator.translate(text).text.split("\n")
    assert len(found) == len(lines)
    for line, translated in zip(lines, found, strict=True):
        if not normalize(line):
            assert translated == line
            continue
        assert letters(translated) == letters(line)
        assert re.match(r"\s*", translated)[0] == re.match(r"\s*", line)[0]
        assert re.search(r"\s*\Z", translated)[0] == re.search(r"\s*\Z", line)[0]


SENTENCES = [
    "친구는 매일 학교에 간다.",
    "my friend bought apples.",
    "2024 사과를 샀다!",
    "school to goes friend?",
]


def test_longer_input_is_cut_into_sentences_and_joined(one_way: SavedModel) -> None:
    engine = Echo(one_way)
    text = "  ".join(SENTENCES * 10)
    translation = unguarded(one_way, engine).translate(text)
    assert engine.texts == SENTENCES * 10
    assert translation.text == text
    assert translation.warnings == (
        f"long_input: longer than the {LONGEST} tokens seen in training, translated in 40 pieces",
    )
    assert len(engine.calls) == 1


def test_a_line_that_fits_is_not_cut(one_way: SavedModel) -> None:
    engine = Echo(one_way)
    text = "친구는 간다. 친구는 간다. My friend."
    assert unguarded(one_way, engine).translate(text).warnings == ()
    assert engine.texts == [text]


def test_the_lengths_seen_in_training_count_and_not_the_networks_own() -> None:
    saved = saved_model((("ko", "en"),), trained_lengths={"source": 9, "target": 9})
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate("친구는 매일 학교에 간다. 친구는 시장에서 사과를 샀다.")
    assert engine.texts == ["친구는 매일 학교에 간다.", "친구는 시장에서 사과를 샀다."]
    assert "longer than the 9 tokens" in translation.warnings[0]


def test_only_lines_that_are_too_long_are_cut_and_each_says_so(saved: SavedModel) -> None:
    long = " ".join(SENTENCES * 6)
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate(f"{long}\n친구는 간다.\n\n{long}", to="en")
    assert translation.text == f"{long}\n친구는 간다.\n\n{long}"
    assert len(translation.warnings) == 2
    assert engine.texts == [*SENTENCES * 6, "친구는 간다.", *SENTENCES * 6]


LONG_TEXT = st.lists(
    st.sampled_from(
        [
            *WORDS,
            *SENTENCES,
            " ",
            " ",
            "학교" * 30,
            "x" * 50,
            "😀",
            "▁",
            "각",
            "<2ko>",
            ", ",
            ". ",
            "\n",
            "\t",
        ]
    ),
    min_size=10,
    max_size=60,
).map("".join)


@settings(max_examples=60)
@given(LONG_TEXT)
def test_nothing_is_dropped_and_nothing_is_read_that_is_too_long(saved: SavedModel, text: str) -> None:
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate(text, to="ko")
    # An emoji or a symbol may come to stand on the other side of punctuation.
    assert sorted(letters(translation.text)) == sorted(letters(text))
    assert letters(translation.text) == letters(text) or any(each in text for each in "😀▁")
    assert all(len(source) <= LONGEST for call in engine.calls for source in call)
    assert translation.text.count("\n") == text.count("\n")
    pieces = sum(int(re.search(r"in (\d+) pieces", warning)[1]) for warning in translation.warnings)
    cells = sum(any(map(str.isalpha, cell)) for cell in re.split("[\n\t]", text))
    assert len(engine.texts) == cells - len(translation.warnings) + pieces


@pytest.mark.parametrize(
    "text", ["e" + "\u0301" * 500, "각" + "\u0323" * 63, "क" + "\u094d\u200dक" * 60, "x" * 3000]
)
def test_a_word_without_end_is_cut_too(saved: SavedModel, text: str) -> None:
    engine = Echo(saved)
    translation = unguarded(saved, engine).translate(f"친구는 {text} 간다.", to="en")
    assert all(len(source) <= LONGEST for call in engine.calls for source in call)
    assert sorted(letters(translation.text)) == sorted(letters(f"친구는 {text} 간다."))
    assert [warning.partition(":")[0] for warning in translation.warnings if "read क" not in warning] == [
        "long_input"
    ]


@pytest.mark.parametrize(("target", "gap"), [("en", " "), ("ja", "")])
def test_pieces_are_joined_as_the_language_writes(target: str, gap: str) -> None:
    saved = saved_model((("ko", target),))
    assert writes_spaces(target) == bool(gap)
    text = "학교에간다" * 30
    engine = Echo(saved)
    assert unguarded(saved, engine).translate(text).text == gap.join(engine.texts)
    assert "".join(engine.texts) == text
    assert len(engine.texts) > 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("친구는 학교에 간다.", "en"),
        ("My friend goes to school.", "ko"),
        ("My friend 민수 goes to school every day.", "ko"),
        ("내 친구는 Tom이다.", "en"),
        ("123!", "en"),
        ("", "en"),
    ],
)
def test_the_direction_follows_from_the_script(saved: SavedModel, text: str, language: str) -> None:
    engine = Echo(saved)
    translator = unguarded(saved, engine)
    assert translator.target_language(text) == language
    translator.translate(text)
    if any(map(str.isalpha, text)):
        assert engine.calls[0][0][0] == saved.tokenizer.tag_id(language)


def test_lines_of_a_list_may_go_in_different_directions(saved: SavedModel) -> None:
    engine = Echo(saved)
    unguarded(saved, engine).translate(["친구는 간다.", "My friend goes.", "학교에 간다."])
    tags = [saved.tokenizer.tag_id(language) for language in ("en", "ko", "en")]
    assert [source[0] for source in engine.calls[0]] == tags


def test_the_language_asked_for_wins(saved: SavedModel) -> None:
    engine = Echo(saved)
    for to in ("ko", "KOR", "ko-KR"):
        unguarded(saved, engine).translate("친구는 간다.", to=to)
    assert {call[0][0] for call in engine.calls} == {saved.tokenizer.tag_id("ko")}


def test_directions_may_be_spelled_otherwise(saved: SavedModel) -> None:
    other = SavedModel(saved.model, saved.tokenizer, saved.config, (("KOR", "eng"), ("eng", "KOR")))
    translator = unguarded(other, Echo(other))
    assert translator.directions == BOTH
    assert translator.target_language("친구는 간다.") == "en"
    assert translator.target_language("My friend.", to="kor") == "ko"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("de", "this model cannot translate to 'de'; choose one of: en, ko"),
        ("english", "'english' is not a language"),
    ],
)
def test_a_language_that_the_model_lacks_is_told(saved: SavedModel, to: str, expected: str) -> None:
    engine = Echo(saved)
    with pytest.raises(LanguageError, match=re.escape(expected)):
        unguarded(saved, engine).translate("친구는 간다.", to=to)
    assert engine.calls == []


def test_the_best_come_first(one_way: SavedModel) -> None:
    decode = one_way.tokenizer.target
    first, second, third = (decode.encode(text) for text in ("school", "my friend", "apples every day"))
    translator = unguarded(one_way, Fixed(one_way, first, second, third))
    best = translator.translate("친구는", search=SearchConfig(n_best=3))
    assert [found.text for found in best.alternatives] == ["school", "my friend", "apples every day"]
    assert [found.score for found in best.alternatives] == [-1.0, -2.0, -3.0]
    assert (best.text, best.score, best.tokens) == ("school", -1.0, tuple(decode.pieces(first)))
    assert all(found.source == "친구는" and found.alternatives == () for found in best.alternatives)
    assert translator.translate("친구는").alternatives == ()
    assert translator.translate(" \n", search=SearchConfig(n_best=3)).alternatives == ()


def test_the_n_th_best_of_a_text_has_the_n_th_best_of_each_part(one_way: SavedModel) -> None:
    decode = one_way.tokenizer.target
    engine = Fixed(one_way, decode.encode("school"), decode.encode("friend"))
    found = unguarded(one_way, engine).translate("친구는\n\n 간다", search=SearchConfig(n_best=2))
    assert [each.text for each in found.alternatives] == ["school\n\n school", "friend\n\n friend"]


@pytest.mark.parametrize("ended", [True, False])
def test_the_score_of_a_text_is_the_mean_over_its_tokens(one_way: SavedModel, ended: bool) -> None:
    class ByLength(Echo):
        def translate(
            self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: object = None
        ) -> list[list[Hypothesis]]:
            scores = [-1.0 if len(source) < 3 else -3.0 for source in sources]
            return [
                [Hypothesis(tuple(source[:-1]), score, score, ended)]
                for source, score in zip(sources, scores, strict=True)
            ]

    subwords = one_way.tokenizer.source
    short, long = (len(subwords.encode(text)) + ended for text in ("간다", "시장에서 사과를 샀다"))
    assert short < long
    found = unguarded(one_way, ByLength(one_way)).translate("간다\n시장에서 사과를 샀다")
    assert found.score == pytest.approx(-(short + 3 * long) / (short + long))


def test_what_was_cut_off_says_so(one_way: SavedModel) -> None:
    tokens = one_way.tokenizer.target.encode("my friend")
    found = unguarded(one_way, Fixed(one_way, tokens, ended=False)).translate("친구는\n간다")
    expected = f"unfinished: cut off after {len(tokens)} tokens"
    assert found.warnings == (expected, expected)
    assert found.score == pytest.approx(-1.0)


def test_a_line_break_that_the_network_spells_becomes_a_space(saved: SavedModel) -> None:
    processor = saved.tokenizer.target.processor
    words = saved.tokenizer.target.encode("my friend")
    line_feed, return_ = (processor.piece_to_id(f"<0x{byte:02X}>") for byte in (0x0A, 0x0D))
    engine = Fixed(saved, [line_feed, *words, line_feed, return_, *words, line_feed])
    assert unguarded(saved, engine).translate("a\nb").text == "my friend my friend\nmy friend my friend"


@settings(max_examples=200)
@given(st.data())
def test_a_translation_has_the_lines_of_its_source_whatever_the_network_says(
    saved: SavedModel, data: st.DataObject
) -> None:
    tokens = data.draw(st.lists(st.integers(0, len(saved.tokenizer.target) - 1), max_size=12))
    text = unguarded(saved, Fixed(saved, tokens)).translate("친구는 간다").text
    assert len(text.splitlines()) <= 1
    assert text == normalize(text)
    assert unguarded(saved, Fixed(saved, tokens)).translate("a\n\nb").text == f"{text}\n\n{text}"


def test_texts_are_read_as_they_are_needed(saved: SavedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onmal.translating.translator, "CHUNK", 3)
    read: list[int] = []

    def texts() -> Iterator[str]:
        for number in range(8):
            read.append(number)
            yield f"my {number}"

    engine = Echo(saved)
    stream = unguarded(saved, engine).stream(texts())
    assert read == []
    for number in range(8):
        assert next(stream).text == f"my {number}"
        assert len(read) == min(8, 3 * (number // 3 + 1))
    assert next(stream, None) is None
    assert [len(call) for call in engine.calls] == [3, 3, 2]


def test_several_portions_at_once_are_read_ahead_and_come_in_order(
    saved: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onmal.translating.translator, "PORTIONS", (3,))
    read: list[int] = []

    def texts() -> Iterator[str]:
        for number in range(40):
            read.append(number)
            yield f"my {number}"

    class Waiting(Echo):
        """Answers when so many have asked: a single one at a time would wait for ever."""

        def at_once(self, *_: object) -> int:
            return 2

        together = Barrier(2)

        def translate(self, *asked: Any) -> list[list[Hypothesis]]:
            self.together.wait(60)
            return super().translate(*asked)

    engine = Waiting(saved)
    for number, found in enumerate(unguarded(saved, engine).stream(texts())):
        assert found.text == f"my {number}"
        assert len(read) <= number + 3 * 4
    assert number == 39
    assert sorted(len(call) for call in engine.calls) == [1, *[3] * 13]


def test_of_several_portions_at_once_nobody_asks_for_the_rest(
    saved: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onmal.translating.translator, "PORTIONS", (2,))

    class Failing(Echo):
        def at_once(self, *_: object) -> int:
            return 3

        def translate(self, sources: Sequence[Sequence[int]], *asked: Any) -> list[list[Hypothesis]]:
            if any(text == "my 5" for text in map(self.saved.tokenizer.source.decode, sources)):
                raise OSError("no engine any more")
            return super().translate(sources, *asked)

    stream = unguarded(saved, Failing(saved)).stream(f"my {number}" for number in range(1000))
    assert [next(stream).text for _ in range(4)] == [f"my {number}" for number in range(4)]
    with pytest.raises(OSError, match="no engine any more"):
        next(stream)
    engine = Failing(saved)
    stream = unguarded(saved, engine).stream(f"other {number}" for number in range(1000))
    assert next(stream).text == "other 0"
    stream.close()
    assert len(engine.calls) <= 4


def test_a_generator_gives_a_list(saved: SavedModel) -> None:
    found = unguarded(saved, Echo(saved)).translate(word for word in ("school", "", "사과를"))
    assert [each.text for each in found] == ["school", "", "사과를"]
    assert unguarded(saved, Echo(saved)).translate([]) == []


NASTY = st.text(
    st.sampled_from("\ud800\udfff\x00\x01\x1b\x7f\x85\u2028\ufdd0\ufffe\u202e\u0301▁ab친 \n\t\r\x0b\x0c")
    | st.characters(),
    max_size=60,
)


@settings(max_examples=200)
@given(NASTY)
@example("\ud800")
@example("\x00")
@example("a\ud800\x00b")
def test_no_text_is_too_odd(saved: SavedModel, text: str) -> None:
    translation = unguarded(saved, Echo(saved)).translate(text)
    assert translation.text.count("\n") == text.count("\n")
    translation.text.encode()
    expected = letters(text).replace("\ufdd0", "\ufffd")
    # {} and its like may come to stand on the other side of punctuation.
    assert sorted(letters(translation.text)) == sorted(expected)
    assert letters(translation.text) == expected or find_fragments(text)


def test_as_json_values(one_way: SavedModel) -> None:
    tokens = one_way.tokenizer.target.encode("school")
    best = unguarded(one_way, Fixed(one_way, tokens, tokens)).translate(
        "친구는", search=SearchConfig(n_best=2)
    )
    each = {"source": "친구는", "text": "school", "score": -1.0, "warnings": []}
    assert best.as_dict() == {**each, "alternatives": [each, {**each, "score": -2.0}]}


# What follows is with the real engine.


@pytest.mark.parametrize("search", [SearchConfig(), SearchConfig(max_length_ratio=0.1, max_length_extra=2)])
def test_alignments_fit_the_tokens_and_their_rows_sum_to_one(saved: SavedModel, search: SearchConfig) -> None:
    text = "친구는 학교에 간다.\n\n" + " ".join(SENTENCES * 3)
    found = unguarded(saved).translate(text, to="en", search=search, alignment=True)
    assert len(found.alignment) > 3
    ends = 0
    for alignment in found.alignment:
        assert alignment.source[0] == "<2en>"
        assert alignment.source[-1] == "</s>"
        assert len(alignment.weights) == len(alignment.target) > 0
        ends += alignment.target[-1] == "</s>"
        for row in alignment.weights:
            assert len(row) == len(alignment.source)
            assert all(weight >= 0 for weight in row)
            assert sum(row) == pytest.approx(1, abs=1e-5)
    assert ends == len(found.alignment) - sum("unfinished" in warning for warning in found.warnings)
    pieces = [piece for alignment in found.alignment for piece in alignment.target if piece != "</s>"]
    assert pieces == list(found.tokens)


def test_no_alignment_unless_asked_for(saved: SavedModel) -> None:
    assert unguarded(saved).translate("친구는", to="en").alignment == ()
    assert unguarded(saved).translate(" ", to="en", alignment=True).alignment == ()


@pytest.mark.parametrize("beam_size", [1, 4])
def test_batch_mates_change_no_score_and_order_is_restored(
    saved: SavedModel, beam_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 9))) for _ in range(12)]
    texts += ["", " ".join(SENTENCES * 4), "a\n\nb"]
    translator, search = unguarded(saved), SearchConfig(beam_size=beam_size, max_length_extra=4)
    together = translator.translate(texts, search=search)
    assert [each.source for each in together] == texts
    alone = [translator.translate(text, search=search) for text in texts]
    backwards = translator.translate(texts[::-1], search=search)[::-1]
    for one, other, another in zip(together, alone, backwards, strict=True):
        assert (one.text, one.tokens, one.warnings) == (other.text, other.tokens, other.warnings)
        assert (one.text, one.tokens, one.warnings) == (another.text, another.tokens, another.warnings)
        assert abs(one.score - other.score) <= 1e-4
        assert abs(one.score - another.score) <= 1e-4
    assert len({round(each.score, 3) for each in together}) > 10


@pytest.mark.parametrize("directions", [BOTH, BOTH[:1]])
def test_a_tag_begins_every_piece_where_it_is_asked_for(directions: Sequence[tuple[str, str]]) -> None:
    saved = saved_model(directions, tags=["back", "law"])
    long = " ".join(KOREAN * 20)
    for tag in ("", "law"):
        echo = Echo(saved)
        unguarded(saved, echo, tag=tag).translate(long, to="en")
        (rows,) = echo.calls
        prefix = saved.tokenizer.source.pieces(saved.tokenizer.prefix("en", tag))
        assert prefix == [*(["<2en>"] if len(directions) > 1 else []), *(["<law>"] if tag else [])]
        assert len(rows) > 1
        for row in map(saved.tokenizer.source.pieces, rows):
            assert row[: len(prefix)] == prefix
            assert not {"<2en>", "<law>", "<back>"} & set(row[len(prefix) :])
            assert len(row) <= LONGEST


def test_a_tag_that_the_model_lacks_is_told(saved: SavedModel) -> None:
    tagged = saved_model(tags=["back", "law"])
    for tag in ("laws", "2en", "<law>"):
        with pytest.raises(ConfigError, match=f"this model has no tag '{tag}'; it knows: back, law"):
            unguarded(tagged, tag=tag)
    with pytest.raises(ConfigError, match="this model has no tag 'law'; it knows: none"):
        unguarded(saved, tag="law")
    with pytest.raises(LanguageError, match="cannot translate to 'de'; it knows: ko, en"):
        tagged.tokenizer.tag_id("de")
