"""terms: a term is found with what its language hangs on it, and not within another word."""

from __future__ import annotations

import pytest

from onmal.text.terms import says, without


@pytest.mark.parametrize(
    ("text", "term", "language"),
    [
        ("저는 학교에서 왔어요.", "학교", "ko"),
        ("학교는 커요.", "학교", "ko"),
        ("학교에서는 조용해요.", "학교", "ko"),
        ("친구들에게도 말했어요.", "친구", "ko"),
        ("여기가 학교입니다.", "학교", "ko"),
        ("여기가 학교예요", "학교", "ko"),
        ("'학교'라고 했어요.", "학교", "ko"),
        ("서울 역까지 가요.", "서울 역", "ko"),
        ("서울   역", "서울 역", "ko"),
        ("NATO는 NATO이라도", "NATO", "ko"),
        ("사과인데요", "사과", "ko"),
        ("그 경로다.", "경로", "ko"),
        ("Two Dogs bark.", "dog", "en"),
        ("The dog's bowl", "dog", "en"),
        ("three boxes", "box", "en"),
        ("I use C++ daily", "C++", "en"),
        ("Er mag den Hund.", "Hund", "de"),
        ("STRASSE", "Straße", "de"),
        ("eine Straße", "STRASSE", "de"),
        ("我去学校。", "学校", "zh"),
        ("学校へ行く", "学校", "ja"),
    ],
)
def test_a_term_is_found(text: str, term: str, language: str) -> None:
    assert says(text, term, language)


@pytest.mark.parametrize(
    ("text", "term", "language"),
    [
        ("눈물이 나요.", "눈", "ko"),
        ("대학교에 가요.", "학교", "ko"),
        ("학교생활이 좋아요.", "학교", "ko"),
        ("A hotdog", "dog", "en"),
        ("dogma", "dog", "en"),
        ("Hunde", "Hund", "de"),
        ("", "dog", "en"),
        ("서울에 있는 역", "서울 역", "ko"),
    ],
)
def test_part_of_a_word_is_not_the_term(text: str, term: str, language: str) -> None:
    assert not says(text, term, language)


AFTER_A_VOWEL = """
는 가 를 와 랑 나 로 도 만 의 에 요 예요 입니다 였다 다 고 며 란 라는 라고
라도 야말로 나마 대로 치고 처럼 마냥 같이 보다 만큼 마다 조차 마저 밖에 뿐 커녕 는커녕
인데 인데요 인데도 지만 지만요 이지만 라서 라서요 여서 여야 면 이면 라면 죠 지요 네요 네 니까 니까요 므로
였던 였고 였는데요 였지만 였으면 였습니다 인지 인지도 인가요 일까요 일지 잖아요 거든요 군요 구나 래요 거나 든지 라든지 이기
라기보다는 입니다만 이자 라니 더라도 세요 야
만은 까지도 에서는 에서만은 에게까지도 로부터 로부터의 만으로도 만이라도 밖에는 뿐이다 뿐인데 까지였다 에서부터는 와는 하고만
는요 도요 만요 까지요 들 들은 들이라도 들에게만
"""
AFTER_A_CONSONANT = """
은 이 을 과 이랑 이나 으로 도 의 에게 이요 이에요 입니다 이다 이고 이며 이란 이라는 이라고 이라
이라서 이라서요 이지만 이지만요 인데 인데요 이면 이면은 이죠 이네요 이어서 이어야 이었던 이었다 이었는데도 이라도 이야말로
이니까 이므로 이자 이기 이기도 이거든요 이잖아요 이든지 이세요 이셨어요 이신데요 아 이야 은커녕
만은 까지도 에게서는 끼리만 으로서는 뿐이다 들이지만 들께서도
"""
OTHER_WORDS = """
커피숍 커피나무 커피콩 커피잔 커피우유 커피나라 커피시럽 커피고기 커피은행 커피지도 커피인간 커피일기 커피면허
학생회 학생증 학생가 학생는 학생로 학생라면 학생면 학생운동 학생식당 학생이름 학생이동 학생신문 대학생은 커피와인 커피로고 학생과일 커피이야기 학생이야기 학생인권 학생일기 커피다방 커피만두
"""


def test_what_korean_hangs_on_a_noun_hides_it_not() -> None:
    said = [f"커피{ending}" for ending in AFTER_A_VOWEL.split()]
    said += [f"학생{ending}" for ending in AFTER_A_CONSONANT.split()]
    assert [word for word in said if not says(f"그 {word}, 네.", word[:2], "ko")] == []


def test_another_word_of_korean_that_begins_with_it_is_not_it() -> None:
    assert [
        word for word in OTHER_WORDS.split() if says(word, "커피", "ko") or says(word, "학생", "ko")
    ] == []
    others = [
        ("산책로", "산책"),
        ("음악가", "음악"),
        ("컵라면", "컵"),
        ("우리나라", "우리"),
        ("분야", "분"),
        ("여름과일", "여름"),
    ]
    assert [word for word, term in others if says(word, term, "ko")] == []


def test_a_term_is_taken_out_in_any_case() -> None:
    assert "earning" not in without("Machine Learning is fun", "machine learning", "en")
    assert without("learn it", "learning", "en") == "learn it"
    assert without("커피와 커피숍에서 커피만은", "커피", "ko") == "\n 커피숍에서 \n"
