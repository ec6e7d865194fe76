"""tokenizer: what goes in comes out, whatever it is; nobody can type a control symbol; spans point into the text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_text import sentences

import onmal.text.tokenizer
from onmal.errors import ConfigError, DataError, LanguageError, ModelFolderError
from onmal.text.normalize import normalize
from onmal.text.tokenizer import (
    END,
    PAD,
    START,
    UNKNOWN,
    Kind,
    SubwordModel,
    Tokenizer,
    VocabularySizeError,
    choose_vocabulary_size,
    count_words,
)

KINDS: tuple[Kind, ...] = ("unigram", "bpe")
TAGS = ("<2ko>", "<2en>")
SENTENCES = sentences()
MARKUP = ["<s1> <s2> <s3> and </s1> </s2> </s3> 4 > 5 < 6"] * 20


def learn(kind: Kind, sentences: list[str] = SENTENCES, size: int = 700) -> SubwordModel:
    return SubwordModel.learn(count_words(sentences), kind=kind, size=size, control_symbols=TAGS)


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> SubwordModel:
    return learn(request.param, SENTENCES + MARKUP)


# Anything at all, and what is likely to go wrong.
ANYTHING = st.text() | st.lists(
    st.sampled_from(
        ["▁", " ", "\t", "\n", "\ufdd0", "\ufeff", "\u200b", "\x00", "\ud800", "e\u0301", "\u0301", "각", "한글", "1", "２",
         "ﬁ", "①", "Ａ", "👨‍👩‍👧", "🇰🇷", "<2ko>", "<s>", "</s>", "<pad>", "<unk>", "<0x0A>", "\u2047", "\u2585", "school", "친구"]
    )
).map("".join)  # fmt: skip


def expected(text: str) -> str:
    return normalize(text).replace("\ufdd0", "\ufffd")


@settings(max_examples=300)
@given(ANYTHING)
@example("▁")
@example("a▁b ▁▁ c▁")
@example("\ufdd0▁")
@example("<2ko> <s> </s>")
def test_what_is_encoded_is_decoded(model: SubwordModel, text: str) -> None:
    ids = model.encode(text)
    assert UNKNOWN not in ids
    assert model.decode(ids) == expected(text)


@given(st.text(max_size=20), st.sampled_from(["東京", "커피", "a", "I want"]))
def test_within_a_word_no_space_comes_before_it(model: SubwordModel, text: str, before: str) -> None:
    ids = [*model.encode(before), *model.encode_within(text)]
    assert model.decode(ids) == before + expected(text)


def test_every_character_of_the_first_plane_comes_back(model: SubwordModel) -> None:
    texts = ["".join(map(chr, range(start, start + 64))) for start in range(0, 0x10000, 64)]
    assert [model.decode(model.encode(text)) for text in texts] == list(map(expected, texts))


@pytest.mark.parametrize(
    "typed", [*TAGS, "<s>", "</s>", "<pad>", "<unk>", "<0x41>", "a </s> b", "▁<s>", "<2ko>안녕"]
)
def test_nobody_can_type_a_control_symbol(model: SubwordModel, typed: str) -> None:
    ids = model.encode(typed)
    assert not any(map(model.processor.is_control, ids))
    assert UNKNOWN not in ids
    assert model.decode(ids) == typed


def test_what_text_is_written_with_has_no_control_symbols(model: SubwordModel) -> None:
    for special in ("<pad>", "<s>", "</s>", "<unk>", "<0x41>", *TAGS):
        assert special not in model.written
    assert all(model.processor.id_to_piece(i) == piece for piece, i in model.written.items())
    assert len(model.written) == len(model) - 4 - 256 - len(TAGS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_full_of_control_symbols_does_not_make_them_words(kind: Kind) -> None:
    typed = "<s> <2ko> </s> <pad> <unk> <0x41> ▁"
    learned = learn(kind, [*SENTENCES, *[typed] * 100])
    ids = learned.encode(typed)
    assert not any(learned.processor.is_control(i) or learned.processor.is_unknown(i) for i in ids)
    assert learned.decode(ids) == typed


def test_special_ids_are_silent(model: SubwordModel) -> None:
    tags = [model.processor.piece_to_id(tag) for tag in TAGS]
    words = model.encode("친구는 학교에 가요.")
    assert (
        model.decode([START, *tags, UNKNOWN, *words, UNKNOWN, END, PAD, PAD]).strip() == "친구는 학교에 가요."
    )
    assert model.decode([PAD, START, END, UNKNOWN, *tags]) == ""


def test_bytes_that_make_no_character_are_shown_as_such(model: SubwordModel) -> None:
    half = [model.processor.piece_to_id(f"<0x{byte:02X}>") for byte in "말".encode()[:2]]
    assert set(model.decode(half)) == {"\ufffd"}


@given(st.text(st.sampled_from("0123456789.,: 원년월일kg"), min_size=1))
def test_digits_stand_alone(model: SubwordModel, text: str) -> None:
    for piece in model.pieces(model.encode(text)):
        if any(character in "0123456789" for character in piece) and not piece.startswith("<0x"):
            assert len(piece) == 1


def test_no_piece_joins_digits(model: SubwordModel) -> None:
    pieces = [piece for piece in model.written if not set(piece).isdisjoint("0123456789")]
    assert pieces
    assert all(len(piece) == 1 for piece in pieces)


@pytest.mark.parametrize("text", ["ﬁne", "① ② ㈜", "ＡＢＣ１２３", "x² + y³", "ㅎㅎㅎ", "½ ℃ №", "…"])
def test_compatible_characters_stay_what_they_are(model: SubwordModel, text: str) -> None:
    assert unicodedata.normalize("NFKC", text) != text
    assert model.decode(model.encode(text)) == text


@pytest.mark.parametrize("text", ["학교에 갔어요", "café Å ñ", "각각의 값"])
def test_however_it_is_typed_it_is_the_same(model: SubwordModel, text: str) -> None:
    assert model.encode(unicodedata.normalize("NFD", text)) == model.encode(text)
    assert model.encode(f"\ufeff  {text}\u200b\n") == model.encode(text)


@pytest.mark.parametrize("kind", KINDS)
def test_learning_is_deterministic(kind: Kind) -> None:
    assert learn(kind).serialized == learn(kind, list(SENTENCES)).serialized


@pytest.mark.parametrize("kind", KINDS)
def test_words_and_how_often_they_are_there_say_as_much_as_sentences(kind: Kind) -> None:
    texts = [*SENTENCES, "한 ▅▅ 둘", "a▁b c", *SENTENCES[::3]]
    whole = Counter(
        texts
    )  # which SentencePiece cuts at spaces, and unigram models then begin with other pieces
    uncut = SubwordModel.learn(whole, kind=kind, size=700, control_symbols=TAGS)
    words = learn(kind, texts)
    assert kind == "unigram" or uncut.serialized == words.serialized
    tokens = [sum(len(model.encode(text)) for text in texts) for model in (uncut, words)]
    assert tokens[1] == pytest.approx(tokens[0], rel=0.002)


def test_of_too_many_words_the_rarest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onmal.text.tokenizer, "MOST_WORDS", 2)
    words = Counter({"abc": 1, "def": 5, "xyz": 9})
    written = SubwordModel.learn(words, kind="bpe", size=270).written
    assert {"x", "d"} <= written.keys()
    assert "a" not in written


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ["▁", "▅", "\u2047", "\ufdd0", "<unk>"])
def test_no_character_keeps_a_sentence_from_being_learned(kind: Kind, odd: str) -> None:
    learned = learn(kind, [f"{sentence} {odd}" for sentence in SENTENCES], size=440)
    plain = learn(kind, size=440)
    common = set(learned.written) & set(plain.written)
    assert len(common) > 0.9 * len(plain.written)
    assert learned.decode(learned.encode(f"친구 {odd}")) == expected(f"친구 {odd}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1, 100])
def test_too_small_a_size_names_the_smallest(kind: Kind, size: int) -> None:
    with pytest.raises(VocabularySizeError, match=f"data.vocabulary_size = {size} does not hold") as caught:
        learn(kind, size=size)
    assert f"set it to {caught.value.possible} or more" in str(caught.value)
    assert "sentencepiece" not in str(caught.value).lower()
    assert len(learn(kind, size=caught.value.possible)) == caught.value.possible
    with pytest.raises(ConfigError):
        learn(kind, size=caught.value.possible - 1)


def test_too_large_a_size_names_the_largest_for_bpe() -> None:
    with pytest.raises(
        VocabularySizeError, match=r"data\.vocabulary_size = 99999 is more pieces than"
    ) as caught:
        learn("bpe", size=99_999)
    assert f"set it to {caught.value.possible} or less" in str(caught.value)
    assert len(learn("bpe", size=caught.value.possible)) == caught.value.possible
    with pytest.raises(ConfigError):
        learn("bpe", size=caught.value.possible + 1)


def test_too_large_a_size_is_only_a_limit_for_unigram() -> None:
    assert 300 < len(learn("unigram", size=99_999)) < 99_999
    assert len(learn("unigram", size=460)) == 460


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sentences", [[], [""], ["", ""]])
def test_no_text_is_told(kind: Kind, sentences: list[str]) -> None:
    with pytest.raises(DataError, match="there is no text to learn a tokenizer from"):
        learn(kind, sentences)


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_known_again(kind: Kind) -> None:
    assert SubwordModel(learn(kind).serialized).kind == kind


NFD = unicodedata.normalize("NFD", "한국의 학교")


@pytest.mark.parametrize(
    "text", ["친구는  학교에 \t 가요.", NFD, "👨‍👩‍👧 가족 🇰🇷!", "caf\u0065\u0301 \u200b②"]
)
def test_spans_are_the_text(model: SubwordModel, text: str) -> None:
    spans = model.spans(text)
    assert [span.piece for span in spans] == model.pieces(model.encode(text))
    covered = "".join(text[span.start : span.end] for span in spans)
    assert "".join(normalize(covered).split()) == "".join(normalize(text).split())
    for span in spans:
        if not span.piece.startswith("<0x"):
            assert normalize(text[span.start : span.end]) == span.piece.replace("▁", " ").strip()


@settings(max_examples=200)
@given(ANYTHING)
def test_spans_cover_everything_that_is_not_space(model: SubwordModel, text: str) -> None:
    spans = model.spans(text)
    assert all(0 <= span.start <= span.end <= len(text) for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    covered = {at for span in spans for at in range(span.start, span.end)}
    assert all(not normalize(character) for at, character in enumerate(text) if at not in covered)


def test_spans_of_nothing(model: SubwordModel) -> None:
    assert model.spans("") == model.spans(" \n") == []


@pytest.fixture(scope="module")
def korean() -> SubwordModel:
    return learn("unigram", SENTENCES[::2], 480)


@pytest.fixture(scope="module")
def english() -> SubwordModel:
    return learn("bpe", SENTENCES[1::2], 400)


def test_rows_of_a_model_of_several_directions(korean: SubwordModel) -> None:
    tokenizer = Tokenizer(korean, korean, TAGS)
    words = korean.encode("학교에 가요.")
    assert tokenizer.encode_source("학교에 가요.", "en") == [tokenizer.tag_id("en"), *words, END]
    assert tokenizer.encode_source("학교에 가요.", "ko") == [tokenizer.tag_id("ko"), *words, END]
    assert tokenizer.encode_target("학교에 가요.") == [*words, END]
    assert korean.pieces([tokenizer.tag_id("en"), tokenizer.tag_id("ko")]) == ["<2en>", "<2ko>"]
    assert tokenizer.tag_id("KOR") == tokenizer.tag_id("ko")


def test_rows_of_a_model_of_one_direction(korean: SubwordModel, english: SubwordModel) -> None:
    tokenizer = Tokenizer(korean, english)
    assert tokenizer.encode_source("학교에 가요.", "en") == [*korean.encode("학교에 가요."), END]
    assert tokenizer.encode_target("I go.") == [*english.encode("I go."), END]
    assert not tokenizer.joint
    vocabulary = tokenizer.vocabulary
    assert (vocabulary.source_size, vocabulary.target_size) == (len(korean), 400)
    assert (vocabulary.pad, vocabulary.start, vocabulary.end) == (PAD, START, END)


def test_a_language_without_a_tag_is_told(korean: SubwordModel) -> None:
    tokenizer = Tokenizer(korean, korean, TAGS)
    with pytest.raises(LanguageError, match="this model cannot translate to 'de'; it knows: ko, en"):
        tokenizer.tag_id("de")
    with pytest.raises(LanguageError, match=r'did you mean "ko" \(Korean\)'):
        tokenizer.encode_source("a", "kr")


def test_saved_and_loaded_joint(tmp_path: Path, korean: SubwordModel) -> None:
    Tokenizer(korean, korean, TAGS).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.model"]
    loaded = Tokenizer.load(tmp_path, TAGS)
    assert loaded.joint
    assert loaded.tags == TAGS
    assert loaded.source.serialized == korean.serialized
    assert loaded.encode_source("학교에 가요.", "en") == Tokenizer(korean, korean, TAGS).encode_source(
        "학교에 가요.", "en"
    )


def test_saved_and_loaded_separate(tmp_path: Path, korean: SubwordModel, english: SubwordModel) -> None:
    Tokenizer(korean, english).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.model", "target.model"]
    loaded = Tokenizer.load(tmp_path)
    assert not loaded.joint
    assert (loaded.source.serialized, loaded.target.serialized) == (korean.serialized, english.serialized)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b"PK\x03\x04 no tokenizer"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["tokenizer", "target"])
def test_a_damaged_file_is_named(
    tmp_path: Path, korean: SubwordModel, english: SubwordModel, name: str, damage: str
) -> None:
    Tokenizer(korean, korean if name == "tokenizer" else english).save(tmp_path)
    path = tmp_path / f"{name}.model"
    DAMAGE[damage](path)
    with pytest.raises(ModelFolderError) as caught:
        Tokenizer.load(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.remedy == "copy the folder again"


def test_a_tokenizer_without_the_tags_is_refused(tmp_path: Path, korean: SubwordModel) -> None:
    Tokenizer(korean, korean, TAGS).save(tmp_path)
    with pytest.raises(ModelFolderError, match="its tokenizer has no tag <2de>"):
        Tokenizer.load(tmp_path, ("<2de>", "<2ko>"))


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_chosen_size_grows_with_the_corpus_within_bounds(
    pairs: int, words: int, more_pairs: int, more_words: int
) -> None:
    size = choose_vocabulary_size(pairs, words)
    assert 1000 <= size <= 32_000
    assert size % 8 == 0
    assert choose_vocabulary_size(pairs + more_pairs, words + more_words) >= size


def test_the_chosen_size_for_known_corpora() -> None:
    assert choose_vocabulary_size(29_000, 10**6) == 6808
    assert choose_vocabulary_size(250_000, 10**6) == 20_000
    assert choose_vocabulary_size(640_000, 10**6) == 32_000
    assert choose_vocabulary_size(250_000, 5000) == 5000
    assert choose_vocabulary_size(10, 20) == 1000
