"""split_sentences and split_long: no character is ever lost, and the cuts are where a reader would cut."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.errors import LanguageError
from onmal.fragments import find_fragments
from onmal.text.segment import (
    Segment,
    after_bullet,
    joined_fragments,
    split_long,
    split_sentences,
    within_marks,
)

WORDS = [
    "밥을 먹었다",
    "Mr",
    "U.S",
    "e.g",
    "3",
    "14",
    "가",
    "안녕하세요",
    "hello",
    "The",
    "你好",
    "はい",
    "と",
    "👍🏽",
]
SPACES = [" ", "  ", "\n", "\r\n", "\u3000", "\u00a0", "\u2028", "\x1c"]
PARTS = st.sampled_from([*WORDS, *SPACES, *'.!?…。！？।;,:~"“”‘’«»「」()[]\u0301'])
texts = st.text() | st.lists(PARTS, max_size=30).map("".join)
languages = st.sampled_from(["", "ko", "en", "de", "fr", "ja", "el", "th", "x-jje"])


def joined(segments: list[Segment]) -> str:
    return "".join(segment.text + segment.gap for segment in segments)


def sentences(text: str, language: str = "") -> list[str]:
    return [segment.text for segment in split_sentences(text, language)]


@given(texts, languages)
def test_sentences_rebuild_the_text(text: str, language: str) -> None:
    segments = split_sentences(text, language)
    assert joined(segments) == text
    for index, segment in enumerate(segments):
        assert segment.text == segment.text.strip()
        assert segment.text or index == 0
        assert segment.gap == "" or segment.gap.isspace()


@given(texts, languages)
def test_a_line_end_is_always_the_end_of_a_sentence(text: str, language: str) -> None:
    assert not any(len(sentence.splitlines()) > 1 for sentence in sentences(text, language))


# Each text below is cut at every |.
KOREAN = [
    "안녕하세요.| 저는 학생이에요.| 밥을 먹었습니다!| 어디 가세요?",
    "비가 왔다.|그래서 집에 있었다.",
    "마침표 없는 줄|\n다음 줄이에요|\n\n끝",
    '"어디 가요?"| 그가 물었다.| 나는 "집에 간다."라고 말했다.',
    '그는 "모르겠다." 고 말했다.| “그래요.” 라고 했다.',
    "(조금 늦었어요.)| 미안해요.",
    "글쎄... 잘 모르겠어요...| 그럴까요…?| 네.",
    "좋아요~| 내일 봐요~| 3~ 4시쯤요.",
    "원주율은 3.14입니다.| 2024. 5. 3. 오전 10시에 만나요.",
    "1. 설치합니다.| 2. 실행합니다.| 정말 쉬워요!!",
    "가. 목적을 씁니다.| 나. 방법을 씁니다.",
    "npm을 설치합니다.| npm은 도구입니다.| https://a.kr/b?c=d 를 여세요.",
    "네.| 알겠습니다.| 그렇게 하시죠!?| 😀 좋아요.",
    "좋아요. 😀",
]
ENGLISH = [
    "Mr. Smith met Dr. Jones at 5 p.m. on Jan. 5.| He paid $3.14.| See www.a.com/x?y=1.| Then go.",
    'She said: "Stop!" and left.| "Why?" he asked.| "No," said (really!) J. R. R. Tolkien.',
    "I like fruit, e.g. apples, i.e. what grows.| See Fig. 3 and p. 5.| No. 5 is alive.| No.| I refuse.",
    "The U.S. Army won.| He lives in the U.S.| The end.| Bread, milk etc.| And so on.| Apples etc. are cheap.",
    "Well... maybe.| She left...| Then it ended.| What?!| Nothing (at all).| He stayed.",
    "1. Install it.| 2. Run it.| IV. Methods",
    "in lower case.| nobody cares.| really?| yes.",
    "It is 9 a.m. in Seoul.| iPhone sales rose.| Yahoo! is old.",
    "One.|\nTwo|\nThree.| (Four.)| Five (really!) is more.",
]
OTHERS = {
    "zh": [
        "你好。|我是学生！|“你好吗？”|他问。|他说：“好。”|然后走了。",
        '他说。|"好。"|再见。',
        "π是３．１４。|对。",
    ],
    "ja": ["「はい。」と言った。|今日は晴れ。|明日は？|（笑）そうです。", "速度である．|また行く．"],
    "de": [
        "Am 3. Oktober kam z. B. Dr. Müller.| „Hallo.“| Er ging.| Das war 1990.| Danach kam usw. der Rest."
    ],
    "fr": ["Il a dit « Bonjour ! »| Il est parti.| M. Dupont est là.| Quoi ?| Rien !"],
    "es": ["¿Qué?| ¡Nada!| El Sr. López vino."],
    "ru": ["Он жил в г. Москва.| Она ушла.", "Хлеб, молоко и т.д.| Она ушла."],
    "el": ["Πού πας;| Σπίτι."],
    "hi": ["मैं ठीक हूँ।| तुम कैसे हो?| अच्छा॥"],
    "ar": ["كيف حالك؟| أنا بخير.| شكرا."],
    "my": ["နေကောင်းလား။|ကောင်းပါတယ်။"],
}
CASES = [("ko", text) for text in KOREAN] + [("en", text) for text in ENGLISH]
CASES += [(language, text) for language, marked in OTHERS.items() for text in marked]


@pytest.mark.parametrize(("language", "marked"), CASES)
def test_cuts(language: str, marked: str) -> None:
    expected = [piece.strip() for piece in marked.split("|")]
    assert sentences(marked.replace("|", ""), language) == expected


@pytest.mark.parametrize("marked", KOREAN)
def test_korean_needs_no_language_code(marked: str) -> None:
    assert sentences(marked.replace("|", "")) == [piece.strip() for piece in marked.split("|")]


def test_leading_and_trailing_space_are_kept_as_gaps() -> None:
    assert split_sentences("") == []
    assert split_sentences(" \n") == [Segment("", " \n")]
    assert split_sentences("  Go.  Stop. \n") == [
        Segment("", "  "),
        Segment("Go.", "  "),
        Segment("Stop.", " \n"),
    ]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(LanguageError, match="did you mean"):
        split_sentences("A. B.", "kr")


@given(texts, st.integers(1, 12))
def test_long_pieces_rebuild_the_text_and_fit(text: str, limit: int) -> None:
    segments = split_long(text, lambda piece: len(piece) <= limit)
    assert joined(segments) == text
    for segment in segments:
        assert segment.text == segment.text.strip()
        assert segment.gap == "" or segment.gap.isspace()
        assert len(segment.text) <= limit or is_one_grapheme(segment.text) or is_one_fragment(segment.text)


def is_one_fragment(text: str) -> bool:
    return any((start, end) == (0, len(text)) for _, start, end in find_fragments(text))


def is_one_grapheme(text: str) -> bool:
    return all(
        unicodedata.category(character)[0] == "M"
        or unicodedata.combining(before) == 9
        or "\u200d" in (before, character)
        or character in "\u200c🏻🏼🏽🏾🏿"
        or "\u1160" <= character <= "\u11ff"
        or "\U0001f1e6" <= character <= "\U0001f1ff"
        for before, character in pairwise(text)
    )


@pytest.mark.parametrize(
    ("limit", "marked"),
    [
        (100, "It fits; nothing happens."),
        (40, "When the rain stopped, we went outside;| nobody had expected it at all, not I."),
        (40, "We counted 1,000 metres, then 2,000,| and then we lost count, as one does."),
        (30, "I stayed at home all day long| because the weather was so bad"),
        (30, "어제 친구를 만나서 밥을 먹었는데| 그 식당은 음식이 정말 맛있었다"),
        (12, "今日はとても寒いので、|家で本を読みました"),
        (6, "abcdef|ghijkl"),
        (4, "e\u0301e\u0301|e\u0301e\u0301"),
        (3, "🇰🇷|🇺🇸"),
        (3, "👍🏽|👍🏽"),
        (4, unicodedata.normalize("NFD", "각|각")),
    ],
)
def test_long_sentences_are_cut_at_the_best_place(limit: int, marked: str) -> None:
    pieces = split_long(marked.replace("|", ""), lambda piece: len(piece) <= limit)
    assert [piece.text for piece in pieces] == [piece.strip() for piece in marked.split("|")]


def test_a_single_grapheme_is_never_cut() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    assert [piece.text for piece in split_long(family * 2, lambda _: False)] == [family, family]


def test_a_long_line_without_spaces_costs_few_questions() -> None:
    asked = 0

    def fits(piece: str) -> bool:
        nonlocal asked
        asked += len(piece)
        return len(piece) <= 200

    text = "가나다라" * 25_000
    pieces = split_long(text, fits)
    assert "".join(piece.text for piece in pieces) == text
    assert asked < 12 * len(text)
    assert min(len(piece.text) for piece in pieces) > 50


@pytest.mark.parametrize(
    "hostile", ["e.g. ", '"', "\n", ".", "a.b.", " . ", "“«", "。”", "~ ", "(", "\u0301"]
)
def test_hostile_repetition_takes_linear_time(hostile: str) -> None:
    # A rule that looked at the whole sentence at every stop would take minutes here.
    text = hostile * 40_000
    assert joined(split_sentences(text)) == text
    assert joined(split_long(text, lambda piece: len(piece) < 500)) == text


@pytest.mark.parametrize(
    ("line", "language", "bullet"),
    [
        ("1. Buy", "", "1. "), ("1. Buy", "x-own", "1. "), ("- 사과", "ko", "- "), ("• a", "en", "• "), ("1. Buy", "en", "1. "), ("1. Mai ist", "de", ""), ("12) a", "de", "12) "),
        ("> a", "en", "> "), (">> a", "en", ">> "), ("## a", "en", "## "), ("#1 a", "en", ""),
        ("(3) a", "en", "(3) "), ("① 하나", "ko", "① "), ("가. 목적", "ko", "가. "), ("a) b", "en", "a) "),
        ("2024. 5. 3. 오전", "ko", ""), ("12. 25. 성탄절", "ko", ""), ("-5 도", "ko", ""), ("A. Smith", "en", ""),
        ("- [ ] a", "en", "- [ ] "), ("* [x] a", "en", "* [x] "), ("- [a] b", "en", "- "), ("[ ] a", "en", ""),
        ("1.", "en", ""), ("- ", "en", ""), ("3.5 is", "en", ""), ("word - word", "en", ""),
    ],
)  # fmt: skip
def test_what_marks_a_line_of_a_list(line: str, language: str, bullet: str) -> None:
    assert line[: after_bullet(line, language)] == bullet


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("(a b)", "a b"), ('"a b." ', "a b."), ("“가 나”", "가 나"), ("「語」", "語"), ("  ", ""), ("", ""), ("a", "a"),
        ("(a) b (c)", "(a) b (c)"), ('"a", "b"', '"a", "b"'), ("(a b).", "(a b)."), ("()", "()"), ("(a", "(a"),
    ],
)  # fmt: skip
def test_marks_around_all_of_a_line(line: str, inside: str) -> None:
    start, end = within_marks(line, 0)
    assert line[start:end].strip() == inside
    assert 0 <= start <= end <= len(line)


TAG = '<span style="color: red; margin: 0. Yes; no">'


@pytest.mark.parametrize(
    "fragment", [TAG, "https://ja.wikipedia.org/wiki/東京;x,y!z?a=b", "{{ user.id; x }}"]
)
@pytest.mark.parametrize("word", ["words, and ", "단어 ", "語"])
@pytest.mark.parametrize("longest", [20, 60, 150])
def test_no_cut_is_in_a_fragment(fragment: str, word: str, longest: int) -> None:
    text = f"{word * 20} {fragment} {word * 7} {fragment} {word * 30}".strip()
    pieces = split_long(text, lambda piece: len(piece.replace(fragment, "")) <= longest)
    assert "".join(piece.text + piece.gap for piece in pieces) == text
    assert sum(piece.text.count(fragment) for piece in pieces) == 2
    sentences = joined_fragments(text, split_sentences(text))
    assert "".join(piece.text + piece.gap for piece in sentences) == text
    assert sum(piece.text.count(fragment) for piece in sentences) == 2
