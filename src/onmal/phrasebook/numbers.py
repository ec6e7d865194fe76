"""Numbers in Korean and English: native and Sino-Korean readings, counters, clock, dates and prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

from onmal.phrasebook.english import cardinal, ordinal_figure

__all__ = [
    "COUNTERS",
    "MONTHS",
    "WEEKDAYS",
    "Counter",
    "Reading",
    "clock",
    "clock_in_figures",
    "count",
    "count_in_figures",
    "date",
    "date_in_figures",
    "month",
    "native",
    "nth",
    "price",
    "price_in_figures",
    "price_in_words",
    "sino",
    "weekday",
]


class Reading(NamedTuple):
    """The same thing said in both languages."""

    korean: str
    english: str


# --- readings ----------------------------------------------------------------------------------

_DIGITS: Final = " 일이삼사오육칠팔구"
_PLACES: Final = ((1000, "천"), (100, "백"), (10, "십"))
_GROUPS: Final = ((10**12, "조"), (10**8, "억"), (10**4, "만"))

_ONES: Final = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_ONES_BEFORE_NOUN: Final = ("", "한", "두", "세", "네", *_ONES[5:])
_TENS: Final = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")


def _sino_below_ten_thousand(n: int) -> str:
    text = ""
    for size, name in _PLACES:
        digit, n = divmod(n, size)
        if digit:
            text += (_DIGITS[digit] if digit > 1 else "") + name
    return text + (_DIGITS[n] if n else "")


@cache
def sino(n: int) -> str:
    """The Sino-Korean reading, spaced at 만, 억 and 조: 230 -> 이백삼십, 12345 -> 만 이천삼백사십오.

    A leading ten thousand is 만, after a larger group 일만; a hundred million is 일억. ValueError below 0 and
    from 10^16 on.
    """
    if not 0 <= n < 10**16:
        raise ValueError(f"no Sino-Korean reading of {n}")
    if n == 0:
        return "영"
    groups: list[str] = []
    for size, name in _GROUPS:
        many, n = divmod(n, size)
        if many:
            is_bare = many == 1 and name == "만" and not groups
            groups.append(("" if is_bare else _sino_below_ten_thousand(many)) + name)
    if n:
        groups.append(_sino_below_ten_thousand(n))
    return " ".join(groups)


@cache
def native(n: int, adnominal: bool) -> str:
    """The native reading of 1 to 99, alone (스물하나) or before a counter (`adnominal`: 스물한, 스무)."""
    if not 1 <= n <= 99:
        raise ValueError(f"no native Korean reading of {n}")
    tens, ones = divmod(n, 10)
    if not adnominal:
        return _TENS[tens] + _ONES[ones]
    return "스무" if n == 20 else _TENS[tens] + _ONES_BEFORE_NOUN[ones]


def nth(n: int) -> str:
    """The place in a row: 첫 번째, 두 번째, 스물한 번째."""
    return "첫 번째" if n == 1 else f"{native(n, adnominal=True)} 번째"


# --- counters ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counter:
    """A word that counts, the numbers that it takes, and whether it is joined to them when they are words."""

    word: str
    system: Literal["native", "sino"]
    joined: bool = False


_NATIVE_COUNTERS: Final = """
    개 명 분 사람 마리 권 잔 병 장 대 척 벌 켤레 송이 살 시 시간 달 번 그릇 접시 조각 가지
    그루 채 자루 봉지 상자 통 군데 곡 편 과목
"""
_SINO_COUNTERS: Final = """
    원 달러 층 년 개월 주 인분 호 학년 쪽 도 초 킬로미터 미터 센티미터 킬로그램 그램 퍼센트
"""
# A key names the word; where two counters share one, it says in brackets what is counted.
COUNTERS: Final[dict[str, Counter]] = {
    **{word: Counter(word, "native") for word in _NATIVE_COUNTERS.split()},
    **{word: Counter(word, "sino") for word in _SINO_COUNTERS.split()},
    "월": Counter("월", "sino", joined=True),
    "일": Counter("일", "sino", joined=True),
    "호선": Counter("호선", "sino", joined=True),
    "일(days)": Counter("일", "sino"),
    "분(minute)": Counter("분", "sino"),
    "번(number)": Counter("번", "sino"),
}

# 유월 and 시월 lose the final of 육 and 십.
_MONTH_NUMBERS: Final = {6: "유", 10: "시"}


@cache
def count(n: int, counter: str) -> str:
    """The number and its counter in words: 세 개, 스무 살, 삼 층, 시월; `counter` is a key of COUNTERS.

    From 100 on a native counter takes Sino-Korean numbers (백이십 명), save a remainder below 20 (백한 명).
    """
    entry = COUNTERS[counter]
    if counter == "월":
        number = _MONTH_NUMBERS.get(n, sino(n))
    elif entry.system == "sino":
        number = sino(n)
    elif n < 100:
        number = native(n, adnominal=True)
    else:
        rest = n % 100
        gap = " " if n % 10_000 == rest else ""
        number = f"{sino(n - rest)}{gap}{native(rest, adnominal=True)}" if 0 < rest < 20 else sino(n)
    return number + ("" if entry.joined else " ") + entry.word


def count_in_figures(n: int, counter: str) -> str:
    """The number in figures and its counter: 3개, 3층, 15,000원; years, rooms and buses have no comma."""
    entry = COUNTERS[counter]
    figures = str(n) if counter in ("년", "호", "번(number)") else f"{n:,}"
    return figures + entry.word


# --- times and prices --------------------------------------------------------------------------

_ENGLISH_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ENGLISH_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS: Final = tuple(
    Reading(f"{day}요일", name) for day, name in zip("월화수목금토일", _ENGLISH_WEEKDAYS, strict=True)
)
MONTHS: Final = tuple(Reading(count(i, "월"), name) for i, name in enumerate(_ENGLISH_MONTHS, start=1))


def weekday(index: int) -> Reading:
    """The day of the week; 0 is Monday, 월요일."""
    return WEEKDAYS[index]


def month(number: int) -> Reading:
    """The month, 1 to 12: 유월, June."""
    return MONTHS[number - 1]


def clock(hour: int, minute: int = 0) -> Reading:
    """A time on a twelve-hour clock in words: three o'clock, half past three (세 시 반), three oh five."""
    _check_time(hour, minute)
    korean, english = count(hour, "시"), cardinal(hour)
    if minute == 0:
        return Reading(korean, f"{english} o'clock")
    if minute == 30:
        return Reading(f"{korean} 반", f"half past {english}")
    spoken = f"oh {cardinal(minute)}" if minute < 10 else cardinal(minute)
    return Reading(f"{korean} {count(minute, '분(minute)')}", f"{english} {spoken}")


def clock_in_figures(hour: int, minute: int = 0) -> Reading:
    """A time in figures: 3시 30분, 3:30."""
    _check_time(hour, minute)
    korean = f"{hour}시 {minute}분" if minute else f"{hour}시"
    return Reading(korean, f"{hour}:{minute:02d}")


def _check_time(hour: int, minute: int) -> None:
    if not (1 <= hour <= 12 and 0 <= minute <= 59):
        raise ValueError(f"no such time on a twelve-hour clock: {hour}:{minute:02d}")


def date(month_number: int, day: int) -> Reading:
    """A day of the year, in words in Korean: 시월 구일, October 9th."""
    return Reading(f"{month(month_number).korean} {count(day, '일')}", _english_date(month_number, day))


def date_in_figures(month_number: int, day: int) -> Reading:
    """A day of the year in figures: 10월 9일, October 9th."""
    return Reading(f"{month_number}월 {day}일", _english_date(month_number, day))


def _english_date(month_number: int, day: int) -> str:
    return f"{month(month_number).english} {ordinal_figure(day)}"


def price(n: int) -> Reading:
    """A price, in words in Korean and in figures in English: 만 오천 원, 15,000 won."""
    return Reading(count(n, "원"), f"{n:,} won")


def price_in_words(n: int) -> Reading:
    """A price in words: 만 오천 원, fifteen thousand won."""
    return Reading(count(n, "원"), f"{cardinal(n)} won")


def price_in_figures(n: int) -> Reading:
    """A price in figures: 15,000원, 15,000 won."""
    return Reading(count_in_figures(n, "원"), f"{n:,} won")
