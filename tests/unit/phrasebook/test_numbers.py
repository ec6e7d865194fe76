"""Native and Sino-Korean numbers, counters, clock, dates and prices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onmal.phrasebook.numbers import (
    COUNTERS,
    clock,
    clock_in_figures,
    count,
    count_in_figures,
    date,
    date_in_figures,
    month,
    native,
    nth,
    price,
    price_in_figures,
    price_in_words,
    sino,
    weekday,
)


@pytest.mark.parametrize(
    ("n", "reading"),
    [
        *(
            (0, "영"),
            (1, "일"),
            (6, "육"),
            (10, "십"),
            (11, "십일"),
            (16, "십육"),
            (20, "이십"),
            (99, "구십구"),
        ),
        *(
            (100, "백"),
            (101, "백일"),
            (230, "이백삼십"),
            (1000, "천"),
            (1111, "천백십일"),
            (3040, "삼천사십"),
        ),
        *(
            (10_000, "만"),
            (12_345, "만 이천삼백사십오"),
            (15_000, "만 오천"),
            (20_000, "이만"),
            (100_000, "십만"),
        ),
        *((210_000, "이십일만"), (1_000_000, "백만"), (10_000_000, "천만"), (35_400_000, "삼천오백사십만")),
        *((100_000_000, "일억"), (100_010_000, "일억 일만"), (1_200_000_000, "십이억")),
        *((123_456_789, "일억 이천삼백사십오만 육천칠백팔십구"), (10**12, "일조"), (10**12 + 1, "일조 일")),
    ],
)
def test_sino(n, reading):
    assert sino(n) == reading


@pytest.mark.parametrize("n", [-1, 10**16])
def test_sino_refuses_what_it_cannot_read(n):
    with pytest.raises(ValueError, match="no Sino-Korean reading"):
        sino(n)


VALUES = dict(zip("영일이삼사오육칠팔구", range(10), strict=True)) | {"십": 10, "백": 100, "천": 1000}
GROUPS = {"만": 10**4, "억": 10**8, "조": 10**12}


def value(reading: str) -> int:
    """The number that a Sino-Korean reading means, by adding up its syllables."""
    total = group = digit = 0
    for syllable in reading.replace(" ", ""):
        if syllable in GROUPS:
            total += (group + digit or 1) * GROUPS[syllable]
            group = digit = 0
        elif VALUES[syllable] >= 10:
            group += (digit or 1) * VALUES[syllable]
            digit = 0
        else:
            digit = VALUES[syllable]
    return total + group + digit


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_a_sino_reading_means_its_number(n):
    assert value(sino(n)) == n


@pytest.mark.parametrize(
    ("n", "alone", "before_a_counter"),
    [
        *((1, "하나", "한"), (2, "둘", "두"), (3, "셋", "세"), (4, "넷", "네"), (5, "다섯", "다섯")),
        *((10, "열", "열"), (11, "열하나", "열한"), (20, "스물", "스무"), (21, "스물하나", "스물한")),
        *(
            (34, "서른넷", "서른네"),
            (48, "마흔여덟", "마흔여덟"),
            (50, "쉰", "쉰"),
            (99, "아흔아홉", "아흔아홉"),
        ),
    ],
)
def test_native(n, alone, before_a_counter):
    assert native(n, adnominal=False) == alone
    assert native(n, adnominal=True) == before_a_counter


@pytest.mark.parametrize("n", [0, 100])
def test_native_numbers_end_at_ninety_nine(n):
    with pytest.raises(ValueError, match="no native Korean reading"):
        native(n, adnominal=True)


def test_places_in_a_row():
    assert [nth(n) for n in (1, 2, 3, 11, 20, 21)] == [
        *("첫 번째", "두 번째", "세 번째", "열한 번째", "스무 번째", "스물한 번째")
    ]


@pytest.mark.parametrize(
    ("n", "counter", "words", "figures"),
    [
        *((3, "개", "세 개", "3개"), (1, "명", "한 명", "1명"), (2, "분", "두 분", "2분")),
        *((4, "마리", "네 마리", "4마리"), (5, "권", "다섯 권", "5권"), (2, "잔", "두 잔", "2잔")),
        *((20, "살", "스무 살", "20살"), (31, "살", "서른한 살", "31살"), (12, "시", "열두 시", "12시")),
        *((2, "번", "두 번", "2번"), (720, "번(number)", "칠백이십 번", "720번")),
        *(
            (3, "층", "삼 층", "3층"),
            (15_000, "원", "만 오천 원", "15,000원"),
            (2, "인분", "이 인분", "2인분"),
        ),
        *((30, "분(minute)", "삼십 분", "30분"), (2026, "년", "이천이십육 년", "2026년")),
        *((302, "호", "삼백이 호", "302호"), (2, "호선", "이호선", "2호선"), (3, "일(days)", "삼 일", "3일")),
        *(
            (5, "월", "오월", "5월"),
            (6, "월", "유월", "6월"),
            (10, "월", "시월", "10월"),
            (12, "월", "십이월", "12월"),
        ),
        *((16, "일", "십육일", "16일"), (100, "명", "백 명", "100명"), (101, "명", "백한 명", "101명")),
        *((120, "명", "백이십 명", "120명"), (10_001, "명", "만 한 명", "10,001명")),
    ],
)
def test_counting(n, counter, words, figures):
    assert count(n, counter) == words
    assert count_in_figures(n, counter) == figures


def test_the_counters_that_everybody_needs_are_there():
    needed = {
        "native": "개 명 분 마리 권 잔 병 장 대 벌 켤레 송이 살 시 번 그릇 조각",
        "sino": "원 분(minute) 층 년 월 일 인분 호 번(number)",
    }
    for system, keys in needed.items():
        assert {COUNTERS[key].system for key in keys.split()} == {system}


@pytest.mark.parametrize(
    ("hour", "minute", "korean", "english"),
    [
        (3, 0, "세 시", "three o'clock"),
        (12, 0, "열두 시", "twelve o'clock"),
        (3, 30, "세 시 반", "half past three"),
        (1, 5, "한 시 오 분", "one oh five"),
        (10, 45, "열 시 사십오 분", "ten forty-five"),
    ],
)
def test_clock(hour, minute, korean, english):
    assert clock(hour, minute) == (korean, english)


def test_clock_in_figures():
    assert clock_in_figures(3, 30) == ("3시 30분", "3:30")
    assert clock_in_figures(11) == ("11시", "11:00")
    assert clock_in_figures(9, 5) == ("9시 5분", "9:05")


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (13, 0), (3, 60), (3, -1)])
def test_no_such_time(hour, minute):
    with pytest.raises(ValueError, match="no such time"):
        clock(hour, minute)


def test_every_time_of_the_clock_is_said_in_its_own_way():
    times = [(hour, minute) for hour in range(1, 13) for minute in range(60)]
    assert len({clock(*time).korean for time in times}) == len(times)
    assert len({clock(*time).english for time in times}) == len(times)


def test_dates():
    assert date(10, 9) == ("시월 구일", "October 9th")
    assert date(6, 6) == ("유월 육일", "June 6th")
    assert date(3, 1) == ("삼월 일일", "March 1st")
    assert date(12, 22) == ("십이월 이십이일", "December 22nd")
    assert date_in_figures(10, 9) == ("10월 9일", "October 9th")


def test_months_and_weekdays():
    assert month(10) == ("시월", "October")
    assert weekday(0) == ("월요일", "Monday")
    assert weekday(6) == ("일요일", "Sunday")


def test_prices():
    assert price(15_000) == ("만 오천 원", "15,000 won")
    assert price_in_words(15_000) == ("만 오천 원", "fifteen thousand won")
    assert price_in_figures(1_250_000) == ("1,250,000원", "1,250,000 won")
