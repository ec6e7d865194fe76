"""Korean particles and conjugation, against forms from the standard grammar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onmal.phrasebook.korean import (
    AUXILIARIES,
    CANNOT,
    COPULA,
    EXIST,
    HAVE,
    NOT,
    NOT_ADJECTIVE,
    NOT_BE,
    REFRAIN,
    SEE,
    WANT,
    Predicate,
    attach,
    compose,
    conjugate,
    conjugate_copula,
    conjugate_stem,
    decompose,
    has_final,
    honored,
    particle,
)

# kind and dictionary form | ending = form, ..
CONJUGATED = """
verb 먹다 | 다=먹다, 고=먹고, 지만=먹지만, 는데=먹는데, 네요=먹네요
verb 먹다 | 으면=먹으면, 으니까=먹으니까, 으러=먹으러
verb 먹다 | 습니다=먹습니다, 십시오=먹으십시오, 읍시다=먹읍시다, 을까요=먹을까요, 어요=먹어요, 었어요=먹었어요
verb 먹다 | 을 거예요=먹을 거예요, 을 수 있=먹을 수 있, 고 싶=먹고 싶, 는다=먹는다
verb 가다 | 으면=가면, 습니다=갑니다, 읍시다=갑시다, 을까요=갈까요, 는다=간다
verb 가다 | 어요=가요, 었어요=갔어요, 어서=가서
verb 오다 | 으세요=오세요, 을게요=올게요, 어요=와요, 었어요=왔어요, 어 보=와 보, 십시오=오십시오
verb 보다 | 어요=봐요, 었습니다=봤습니다, 으면서=보면서, 을래요=볼래요
verb 서다 | 어요=서요, 었어요=섰어요
verb 켜다 | 어요=켜요, 었어요=켰어요
verb 보내다 | 어요=보내요, 었어요=보냈어요, 으려고=보내려고
verb 세다 | 었어요=셌어요
verb 배우다 | 어요=배워요, 었어요=배웠어요, 으러=배우러
verb 주다 | 어요=줘요, 어 주세요=줘 주세요, 으세요=주세요
verb 마시다 | 어요=마셔요, 었어요=마셨어요, 으세요=마시세요, 습니까=마십니까
verb 가르치다 | 어요=가르쳐요, 어 주세요=가르쳐 주세요
verb 되다 | 어요=돼요, 었어요=됐어요, 으면=되면, 습니다=됩니다
verb 쉬다 | 어요=쉬어요, 었어요=쉬었어요, 읍시다=쉽시다
verb 뛰다 | 어서=뛰어서
verb 피다 | 었어요=피었어요
verb 하다 | 어요=해요, 었어요=했어요, 어도 돼요=해도 돼요, 을까요=할까요, 으십시오=하십시오
verb 공부하다 | 어야 해요=공부해야 해요, 었어요=공부했어요, 고 싶=공부하고 싶
adjective 따뜻하다 | 어요=따뜻해요, 는데=따뜻한데, present-adnominal=따뜻한
verb 살다 | 고=살고, 네요=사네요, 는데=사는데, 으면=살면, 으니까=사니까, 으세요=사세요
verb 살다 | 읍시다=삽시다, 을까요=살까요
verb 살다 | 습니다=삽니다, 으려고=살려고, 어요=살아요, 십시오=사십시오, 으면서=살면서, 는다=산다
verb 만들다 | 으세요=만드세요, 을게요=만들게요, 었어요=만들었어요, 어 주세요=만들어 주세요, 으러=만들러
adjective 길다 | 네요=기네요, 는데=긴데, 습니다=깁니다, 어요=길어요, present-adnominal=긴, 으니까=기니까
adjective 멀다 | 을까요=멀까요, 지만=멀지만, past-adnominal=멀던
verb 쓰다 | 어요=써요, 었어요=썼어요, 으면=쓰면, 습니다=씁니다, 을 수 없=쓸 수 없
verb 끄다 | 어 주세요=꺼 주세요
verb 모으다 | 어요=모아요, 었어요=모았어요
verb 잠그다 | 어요=잠가요, 었어요=잠갔어요
verb 받아쓰다 | 어요=받아써요
adjective 크다 | 어요=커요, 었어요=컸어요, present-adnominal=큰
adjective 예쁘다 | 어요=예뻐요, 는데=예쁜데, 었어요=예뻤어요
adjective 바쁘다 | 어요=바빠요, 어서=바빠서
adjective 배가 고프다 | 어요=배가 고파요, 었어요=배가 고팠어요, 으면=배가 고프면
adjective 키가 크다 | 어요=키가 커요
verb 돕다:ㅂ | 고=돕고, 는데=돕는데, 으면=도우면, 으세요=도우세요, 을까요=도울까요, 습니다=돕습니다
verb 돕다:ㅂ | 어요=도와요, 었어요=도왔어요, past-adnominal=도운, 읍시다=도웁시다
adjective 춥다:ㅂ | 지만=춥지만, 네요=춥네요, 는데=추운데, 으면=추우면, 어요=추워요, 었어요=추웠어요
adjective 춥다:ㅂ | present-adnominal=추운, past-adnominal=춥던, future-adnominal=추울
adjective 맵다:ㅂ | 어요=매워요, 을까요=매울까요, 으니까=매우니까
adjective 어렵다:ㅂ | 어서=어려워서, 습니다=어렵습니다, 을 거예요=어려울 거예요
adjective 아름답다:ㅂ | 어요=아름다워요
adjective 가깝다:ㅂ | 어요=가까워요
adjective 곱다:ㅂ | 어요=고와요
verb 줍다:ㅂ | 어요=주워요, past-adnominal=주운
verb 듣다:ㄷ | 고=듣고, 는데=듣는데, 으면=들으면, 으세요=들으세요, 을까요=들을까요
verb 듣다:ㄷ | 어요=들어요, 었어요=들었어요, past-adnominal=들은
verb 걷다:ㄷ | 읍시다=걸읍시다, 습니다=걷습니다, 어서=걸어서, past-adnominal=걸은
verb 깨닫다:ㄷ | 었어요=깨달았어요
verb 짓다:ㅅ | 고=짓고, 으면=지으면, 을까요=지을까요, 어요=지어요, 었어요=지었어요, past-adnominal=지은
adjective 낫다:ㅅ | 어요=나아요, 는데=나은데, present-adnominal=나은, 습니다=낫습니다
verb 붓다:ㅅ | 어 주세요=부어 주세요, 으세요=부으세요
adjective 빨갛다:ㅎ | 고=빨갛고, 는데=빨간데, 으면=빨가면, 어요=빨개요, 었어요=빨갰어요
adjective 빨갛다:ㅎ | present-adnominal=빨간, 습니다=빨갛습니다
adjective 하얗다:ㅎ | 어요=하얘요, 어서=하얘서, present-adnominal=하얀
adjective 퍼렇다:ㅎ | 어요=퍼레요
adjective 그렇다:ㅎ | 어요=그래요, 으면=그러면, 으니까=그러니까, 지만=그렇지만, present-adnominal=그런
adjective 어떻다:ㅎ | 어요=어때요, present-adnominal=어떤
verb 모르다:르 | 어요=몰라요, 었어요=몰랐어요, 으면=모르면, 습니다=모릅니다, past-adnominal=모른
verb 부르다:르 | 어요=불러요, 었어요=불렀어요, 을까요=부를까요
verb 고르다:르 | 어 주세요=골라 주세요, 으세요=고르세요
adjective 빠르다:르 | 어요=빨라요, present-adnominal=빠른
verb 서두르다:르 | 어요=서둘러요
adjective 푸르다:러 | 어요=푸르러요, 었어요=푸르렀어요, present-adnominal=푸른
verb 이르다:러 | 었어요=이르렀어요, 으면=이르면
verb 푸다:우 | 어요=퍼요, 었어요=펐어요, 으면=푸면
verb 입다 | 어요=입어요, 으면=입으면, past-adnominal=입은
adjective 좁다 | 어요=좁아요, present-adnominal=좁은
adjective 넓다 | 어요=넓어요, 는데=넓은데
verb 받다 | 어요=받아요, 으면=받으면, 었어요=받았어요
verb 닫다 | 어 주세요=닫아 주세요, 을까요=닫을까요
verb 믿다 | 어요=믿어요, 으세요=믿으세요
verb 웃다 | 어요=웃어요, 으면=웃으면
verb 씻다 | 었어요=씻었어요, 으세요=씻으세요
adjective 좋다 | 어요=좋아요, 으면=좋으면, present-adnominal=좋은, 네요=좋네요
verb 놓다 | 어 주세요=놓아 주세요, 을까요=놓을까요
verb 따르다 | 어요=따라요, 었어요=따랐어요, 으면=따르면
verb 들르다 | 어서=들러서
verb 치르다 | 었어요=치렀어요
verb 잃다 | 었어요=잃었어요, 으면=잃으면, 습니다=잃습니다
verb 읽다 | 어요=읽어요, 으십시오=읽으십시오, present-adnominal=읽는
verb 앉다 | 으세요=앉으세요, 어도 돼요=앉아도 돼요
adjective 많다 | 어요=많아요, 은데=많은데, 습니다=많습니다
adjective 얇다 | 어요=얇아요
existential 있다 | 어요=있어요, 었어요=있었어요, 는데=있는데, 으면=있으면, 는다=있다
existential 있다 | present-adnominal=있는, past-adnominal=있던
existential 없다 | 어요=없어요, 습니다=없습니다, 을 거예요=없을 거예요, present-adnominal=없는
existential 맛있다 | 어요=맛있어요, 네요=맛있네요, present-adnominal=맛있는
"""


Case = tuple[Predicate, dict[str, str]]


def cases() -> list[Case]:
    table = []
    for line in CONJUGATED.strip().splitlines():
        entry, forms = line.split(" | ")
        kind, _, dictionary_form = entry.partition(" ")
        table.append(
            (Predicate.parse(dictionary_form, kind), dict(pair.split("=") for pair in forms.split(", ")))
        )
    return table


def test_the_table_of_forms_is_as_large_as_it_should_be():
    assert len({(predicate, ending) for predicate, forms in cases() for ending in forms}) >= 200


@pytest.mark.parametrize(("predicate", "forms"), cases(), ids=CONJUGATED.strip().splitlines())
def test_conjugation(predicate, forms):
    assert {ending: conjugate(predicate, ending) for ending in forms} == forms


def test_the_past_is_the_connective_with_a_final():
    for predicate, _ in cases():
        connective = conjugate(predicate, "어")
        lead, vowel, final = decompose(connective[-1])
        assert final == ""
        assert conjugate(predicate, "었") == connective[:-1] + compose(lead, vowel, "ㅆ")


def test_an_ending_may_be_named_by_either_vowel():
    for predicate, _ in cases():
        assert conjugate(predicate, "아서") == conjugate(predicate, "어서")


CLOSED = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3).filter(
    lambda s: decompose(s)[2] not in ("", "ㄹ")
)
ENDINGS = st.sampled_from(
    ["고", "는데", "네요", "으면", "을까요", "으세요", "읍시다", "습니다", "어요", "었어요"]
)


@settings(deadline=None, derandomize=True, database=None)
@given(CLOSED, ENDINGS)
def test_a_regular_closed_stem_never_changes(stem, ending):
    form = conjugate(Predicate(stem, "verb"), ending)
    assert form[0] == stem
    assert form[2:] == ending[1:]


# --- honorific forms and stems that go on ---------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "kind", "ending", "form"),
    [
        ("먹다=드시", "verb", "으세요", "드세요"),
        ("먹다=드시", "verb", "십시오", "드십시오"),
        ("먹다=드시", "verb", "어요", "먹어요"),
        ("먹다=드시", "verb", "으면", "먹으면"),
        ("자다=주무시", "verb", "으시", "주무시"),
        ("자다=주무시", "verb", "으셨어요", "주무셨어요"),
        ("있다=계시", "existential", "으세요", "계세요"),
        ("걷다:ㄷ", "verb", "으셨어요", "걸으셨어요"),
        ("살다", "verb", "으시", "사시"),
        ("돕다:ㅂ", "verb", "으시", "도우시"),
    ],
)
def test_suppletive_honorifics_replace_only_the_honorific_endings(entry, kind, ending, form):
    assert conjugate(Predicate.parse(entry, kind), ending) == form


@pytest.mark.parametrize(
    ("predicate", "ending", "form"),
    [
        (Predicate("가", "verb"), "어요", "가세요"),
        (Predicate("가", "verb"), "었어요", "가셨어요"),
        (Predicate("가", "verb"), "어서", "가셔서"),
        (Predicate("가", "verb"), "습니다", "가십니다"),
        (Predicate("가", "verb"), "present-adnominal", "가시는"),
        (Predicate("먹", "verb", honorific="드시"), "었습니다", "드셨습니다"),
        (Predicate("예쁘", "adjective"), "는데", "예쁘신데"),
        (EXIST, "어요", "계세요"),
        (EXIST, "present-adnominal", "계시는"),
        (HAVE, "어요", "있으세요"),
        (HAVE, "present-adnominal", "있으신"),
        (COPULA, "는데", "이신데"),
    ],
)
def test_honored_predicates(predicate, ending, form):
    assert conjugate(honored(predicate), ending) == form


def test_honouring_twice_changes_nothing():
    eat = Predicate.parse("먹다=드시", "verb")
    assert honored(honored(eat)) == honored(eat)


def test_a_verb_that_ends_in_시_is_not_taken_for_an_honorific():
    assert conjugate(Predicate("마시", "verb"), "어요") == "마셔요"


@pytest.mark.parametrize(
    ("stem", "ending", "form"),
    [
        ("먹었", "어요", "먹었어요"),
        ("갔", "어요", "갔어요"),
        ("갔", "습니다", "갔습니다"),
        ("먹었", "는데", "먹었는데"),
        ("먹었", "으면", "먹었으면"),
        ("왔", "으니까", "왔으니까"),
        ("갔", "을 거예요", "갔을 거예요"),
        ("가겠", "습니다", "가겠습니다"),
        ("먹고 싶", "어요", "먹고 싶어요"),
        ("먹고 싶", "는데", "먹고 싶은데"),
        ("먹고 싶", "present-adnominal", "먹고 싶은"),
        ("갈 수 있", "어요", "갈 수 있어요"),
        ("갈 수 없", "는데", "갈 수 없는데"),
        ("가 보", "었어요", "가 봤어요"),
        ("가시", "어요", "가세요"),
        ("가시", "는데", "가시는데"),
    ],
)
def test_conjugated_stems_go_on(stem, ending, form):
    assert conjugate_stem(stem, ending) == form


def test_the_kind_of_an_honorific_stem_can_be_said():
    assert conjugate_stem("예쁘시", "는데", "adjective") == "예쁘신데"


@pytest.mark.parametrize(
    ("predicate", "ending", "form"),
    [
        (NOT, "present-adnominal", "않는"),
        (NOT, "어요", "않아요"),
        (NOT_ADJECTIVE, "present-adnominal", "않은"),
        (WANT, "어요", "싶어요"),
        (CANNOT, "어요", "못해요"),
        (REFRAIN, "으세요", "마세요"),
        (REFRAIN, "십시오", "마십시오"),
        (REFRAIN, "읍시다", "맙시다"),
        (SEE, "으세요", "보세요"),
        (NOT_BE, "어요", "아니에요"),
        (NOT_BE, "습니다", "아닙니다"),
        (NOT_BE, "었어요", "아니었어요"),
        (NOT_BE, "는데", "아닌데"),
        (NOT_BE, "present-adnominal", "아닌"),
        (NOT_BE, "고", "아니고"),
    ],
)
def test_auxiliaries(predicate, ending, form):
    assert conjugate(predicate, ending) == form


def test_auxiliaries_are_found_by_their_dictionary_form():
    assert all(conjugate(predicate, "다") == name for name, predicate in AUXILIARIES.items())


# --- the copula -----------------------------------------------------------------------------------

COPULAS = [
    ("어요", "학생이에요", "의사예요"),
    ("었어요", "학생이었어요", "의사였어요"),
    ("었습니다", "학생이었습니다", "의사였습니다"),
    ("습니다", "학생입니다", "의사입니다"),
    ("습니까", "학생입니까", "의사입니까"),
    ("고", "학생이고", "의사고"),
    ("지만", "학생이지만", "의사지만"),
    ("으면", "학생이면", "의사면"),
    ("으니까", "학생이니까", "의사니까"),
    ("는데", "학생인데", "의사인데"),
    ("네요", "학생이네요", "의사네요"),
    ("지요", "학생이지요", "의사지요"),
    ("어서", "학생이어서", "의사여서"),
    ("라서", "학생이라서", "의사라서"),
    ("어야 해요", "학생이어야 해요", "의사여야 해요"),
    ("을까요", "학생일까요", "의사일까요"),
    ("을 거예요", "학생일 거예요", "의사일 거예요"),
    ("으세요", "학생이세요", "의사세요"),
    ("기", "학생이기", "의사이기"),
    ("present-adnominal", "학생인", "의사인"),
    ("past-adnominal", "학생이던", "의사이던"),
    ("future-adnominal", "학생일", "의사일"),
    ("는다고", "학생이라고", "의사라고"),
]


@pytest.mark.parametrize(("ending", "closed", "open_"), COPULAS)
def test_copula(ending, closed, open_):
    assert conjugate_copula("학생", ending) == closed
    assert conjugate_copula("의사", ending) == open_


# --- particles ------------------------------------------------------------------------------------

PARTICLES = """
책 | 책은 책이 책을 책과 책으로 책이나 책이랑 책이에요 책이야
의사 | 의사는 의사가 의사를 의사와 의사로 의사나 의사랑 의사예요 의사야
서울 | 서울은 서울이 서울을 서울과 서울로 서울이나 서울이랑 서울이에요 서울이야
물 | 물은 물이 물을 물과 물로 물이나 물이랑 물이에요 물이야
바나나 | 바나나는 바나나가 바나나를 바나나와 바나나로 바나나나 바나나랑 바나나예요 바나나야
"""


@pytest.mark.parametrize("line", PARTICLES.strip().splitlines())
def test_particles(line):
    noun, forms = line.split(" | ")
    names = ["은", "이", "을", "와", "으로", "이나", "이랑", "이에요", "이야"]
    assert " ".join(attach(noun, name) for name in names) == forms


@pytest.mark.parametrize(
    ("pronoun", "subject", "topic"),
    [
        ("저", "제가", "저는"),
        ("나", "내가", "나는"),
        ("너", "네가", "너는"),
        ("누구", "누가", "누구는"),
        ("형과 나", "형과 내가", "형과 나는"),
    ],
)
def test_pronouns_change_before_the_subject_particle(pronoun, subject, topic):
    assert attach(pronoun, "이") == subject
    assert attach(pronoun, "은") == topic


@pytest.mark.parametrize(
    "name", ["에", "에서", "의", "도", "만", "부터", "까지", "보다", "처럼", "께서", "한테"]
)
def test_particles_of_one_form(name):
    assert attach("학생", name) == "학생" + name
    assert particle("의사", name) == name


@pytest.mark.parametrize("variant", ["는", "가", "를", "과", "로", "나", "랑", "예요", "야"])
def test_a_variant_is_no_name(variant):
    with pytest.raises(ValueError, match="variant"):
        particle("책", variant)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        *(("0", True), ("1", True), ("2", False), ("3", True), ("4", False)),
        *(("5", False), ("6", True), ("7", True), ("8", True), ("9", False)),
        *(("10", True), ("12", False), ("100", True), ("15,000", True), ("100,000,000", True)),
        *(("1,000,000,000,000", False), ("2026년", True), ("40%", False), ("KTX", False), ("3 PM", True)),
        *(("‘학교’", False), ("(책)", True), ("책상 ", True)),
    ],
)
def test_what_is_heard_at_the_end(text, heard):
    assert has_final(text) is heard


@pytest.mark.parametrize(
    ("number", "form"), [("1", "로"), ("7", "로"), ("8", "로"), ("3", "으로"), ("10", "으로"), ("2", "로")]
)
def test_the_direction_particle_after_figures(number, form):
    assert particle(number, "으로") == form


@pytest.mark.parametrize("text", ["", "...", "Tom", "漢"])
def test_text_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="Hangul"):
        has_final(text)


# --- syllables and predicates ---------------------------------------------------------------------


@settings(deadline=None, derandomize=True, database=None)
@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_composition_undoes_decomposition(syllable):
    assert compose(*decompose(syllable)) == syllable


def test_letters_of_a_syllable():
    assert decompose("값") == ("ㄱ", "ㅏ", "ㅄ")
    assert decompose("왜") == ("ㅇ", "ㅙ", "")
    assert compose("ㅎ", "ㅣ", "ㅎ") == "힣"


def test_parse():
    assert Predicate.parse("돕다:ㅂ", "verb") == Predicate("돕", "verb", "ㅂ")
    assert Predicate.parse("마시다=드시", "verb") == Predicate("마시", "verb", honorific="드시")
    assert Predicate.parse("배가 고프다", "adjective") == Predicate("배가 고프", "adjective")


@pytest.mark.parametrize("entry", ["먹", "돕다:ㅋ", ""])
def test_parse_refuses_what_is_no_dictionary_form(entry):
    with pytest.raises(ValueError, match="dictionary form"):
        Predicate.parse(entry, "verb")


@pytest.mark.parametrize("entry", ["먹다:ㅂ", "돕다:ㄷ", "가다:르", "푸르다:우", "먹다=드신"])
def test_a_mark_that_does_not_fit_the_stem_is_refused(entry):
    with pytest.raises(ValueError, match=r"irregular|honorific"):
        Predicate.parse(entry, "verb")
