"""What changes in figures though each of them is on both sides: the order in a date, a telephone number, a sign, a currency."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onmal.data.pair import Pair
from onmal.text.language import primary

__all__ = ["GROUPING", "WITH_COMMAS", "changed"]

GROUPING = re.compile("(?<=\\d)[.,\u00a0\u202f'’](?=\\d{3}(?!\\d))")  # of thousands
WITH_COMMAS = {"en", "ja", "ko", "zh"}
"""Languages that write 30,000 and 3.5; others know the same signs the other way round."""

_MONTHS = (
    "January|Januar|Jan|enero|janvier",
    "February|Februar|Feb|febrero|février",
    "March|März|Mar|marzo|mars",
    "April|Apr|abril|avril",
    "May|Mai|mayo|mai",
    "June|Juni|Jun|junio|juin",
    "July|Juli|Jul|julio|juillet",
    "August|Aug|agosto|août",
    "September|Sept|Sep|septiembre|septembre",
    "October|Oktober|Oct|Okt|octubre|octobre",
    "November|Nov|noviembre|novembre",
    "December|Dezember|Dec|Dez|diciembre|décembre",
)
_MONTH = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split("|")}
_NAME = "|".join(_MONTH)
_DATE = re.compile(
    r"(?<![\d.])\d{4}[-./]\s?(?P<m1>\d{1,2})[-./]\s?(?P<d1>\d{1,2})(?!\d)"
    r"|(?<![\d.])(?P<either>\d{1,2})[-./](?P<other>\d{1,2})[-./]\d{4}(?!\d)"
    r"|(?<!\d)(?P<m2>\d{1,2})\s?[월月]\s?(?P<d2>\d{1,2})\s?[일日]"
    r"|(?<![\d.:])(?P<d3>\d{1,2})(?:\.?\s?(?:[-–~]|to|and|bis|und|au|et|al|y)\s?\d{1,2})?"  # 3 to 5 May
    rf"(?:st|nd|rd|th|er|\.)?\s(?:of\s|de\s)?(?P<m3>{_NAME})\b"
    rf"|\b(?P<m4>{_NAME})\.?\s(?P<d4>\d{{1,2}})(?![\d:])"
)
_TIME = re.compile(
    r"(?<![\d:.,])(\d{1,2})(?:[:h](\d{2})|\s?[시時]\s?(\d{1,2})\s?[분分]|[. ](\d{2})(?=\s?Uhr)|\sUhr\s(\d{1,2}))(?![\d:])"
)
_DECIMAL = re.compile(r"(?<![\d.,:/-])(\d+)[.,](\d+)(?![.,:/-]?\d)")
_THREE_PLACES = re.compile(r"(?<![\d.,:/-])\d{1,3}[.,]\d{3}(?![.,:/-]?\d)")
_GROUP = re.compile(
    r"(?<![A-Za-z\d.,:/-])(?:0\d+-\d{3,}|\d+(?:-\d+){2,}|\d+(?::\d+){2,}|(?!\d\d?\.\d\d?\.\d\d(?!\d))\d+(?:\.\d+){2,}|\d:\d)(?![A-Za-z\d:-]|\.\d)"
)
_LEADING_ZERO = re.compile(r"(?<![\d.,:/-])0\d++(?![.,:/-]+\d)(?!\s?[:월일시분초년月日時分])")
_NEGATIVE = re.compile(r"(?<![^\s(])[-−]\d++(?!\s?[-–~])")
_MINUS = re.compile(
    r"[-−–‐]\s?\d|minus|negative|below|under|\b(?:less|fewer)\b|reduc|decreas|영하|음수|마이너스|감소|적은|적게|줄|moins|unter"
    r"|menos|bajo|マイナス|零下|負|负",
    re.IGNORECASE,
)
_SIGN = re.compile(r"([$€£¥₩])\s?\d|\d\s?([$€£¥₩])")
_MONEY = re.compile(
    r"\d\s?(?:[백천만억]\s?)*(?:원|달러|유로|엔|파운드|위안)|\d\s?(?:won|dollars?|euros?|yen|pounds?|yuan|Pfund)\b"
)
_CURRENCIES = {
    "$": r"dollar|dólar|buck|USD|달러|불|ドル|美元|美金|美圓|塊|块",
    "€": r"euro|EUR\b|유로|ユーロ|欧|歐",
    "£": r"pound|quid|pfund|libra|livre|GBP|파운드|ポンド|镑|鎊",
    "¥": r"yen|yuan|JPY|CNY|RMB|엔|위안|円|元|圓|人民币|人民幣",
    "₩": r"won|KRW|원|ウォン|韩元|韓元|韩圆|韓圓",
}
_PERCENT = re.compile(r"\d\s?[%％]")
_IN_PERCENT = re.compile(
    r"[%％]|per ?cent|pct|prozent|von hundert|v\. ?H\.|pour ?cent|por cien|퍼센트|프로|パーセント|百分|割|成",
    re.IGNORECASE,
)
_LARGE = r"(?:[백천만억조]+\s?|(?:hundred|thousand|million|billion|trillion|tausend|millionen|milliarden)\s)?"
_NAMED = {  # with figures: what tells one currency from another
    "$": r"(?:dollars?|dólares|USD)\b|달러|ドル|美元",
    "€": r"(?:euros?|EUR)\b|유로|ユーロ|欧元|歐元",
    "£": r"(?:quid|GBP)\b|英镑|英鎊",
    "¥": r"(?:yen|yuan|JPY|CNY)\b|엔(?![가-힣])|위안|円|人民币",
    "₩": r"(?:won(?! (?:by|the|an?|his|her|their|in|at)\b)|KRW)\b|원(?![가-힣]*[칙소])|ウォン|韩元|韓元",
}
_OF_MONEY = {
    sign: re.compile(rf"[{sign}]\s?\d|\d\s?[{sign}]|\d\s?{_LARGE}(?:{words})", re.IGNORECASE)
    for sign, words in _NAMED.items()
}
_FRACTION = re.compile(r"(?<![A-Za-z\d.,:/-])(\d{1,2})\s?[/⁄]\s?(\d{1,2})(?![A-Za-z\d/⁄-]|[.,]\d)")
_BEFORE_NOON = r"오전|午前|上午|\d\s?a\.m\b|vormittags|du matin|de la mañana"
_AFTER_NOON = r"오후|午後|下午|\d\s?p\.m\b|nachmittags|de l['’]après-midi|de la tarde"
_HALF_DAYS = {
    english: [
        re.compile(rf"{way}|\d\s?{short}\b" if english else way, re.IGNORECASE)
        for way, short in ((_BEFORE_NOON, "am"), (_AFTER_NOON, "pm"))
    ]
    for english in (True, False)  # "3 am Tisch" is German
}
_KNOWN = {"de", "en", "es", "fr", "ja", "ko", "zh"}
"""Languages in which the words for per cent and for currencies are all known."""


def changed(pair: Pair) -> str | None:
    """What of the source's figures the target says in another order, without their zeros or sign, or of another currency."""
    source, target = (GROUPING.sub("", text) for text in (pair.source, pair.target))
    for read in (_dates, _times, _decimals):
        said, told = list(read(source)), [each for _, each in read(target)]
        if said and len(said) == len(told):
            for written, ways in said:
                kept = next((each for each in told if ways & each), None)
                if kept is None:
                    return f"changed {written}"
                told.remove(kept)
    lost = [*_groups(source, target), *(n for n in _LEADING_ZERO.findall(source) if n not in target)]
    if lost or (lost := _decimal_points(pair)):
        return f"changed {', '.join(lost)}"
    return (
        _signs(source, target)
        or _currencies(source, target)
        or _lost_signs(source, target, pair)
        or _fractions(source, target)
        or _half_days(pair)
    )


Found = Iterator[tuple[str, set[tuple[int, int]]]]  # as written, and what may be meant


def _dates(text: str) -> Found:
    for found in _DATE.finditer(text):
        parts = {name[0]: part for name, part in found.groupdict().items() if part}
        if "e" in parts:
            either, other = int(parts["e"]), int(parts["o"])
            yield found[0], {(either, other), (other, either)}
        else:
            yield found[0], {(_MONTH.get(parts["m"]) or int(parts["m"]), int(parts["d"]))}


def _times(text: str) -> Found:
    for found in _TIME.finditer(text):
        yield found[0], {(int(found[1]) % 12, int("".join(filter(None, found.groups()[1:]))))}


def _decimals(text: str) -> Found:
    for found in _DECIMAL.finditer(text):
        yield found[0], {(int(found[1]), int(found[2]))}


def _groups(source: str, target: str) -> Iterator[str]:
    """Telephone numbers and the like that the target does not have in their order."""
    for found in _GROUP.finditer(source):
        parts = re.split("[-:.]", found[0])
        ways = r"\D{0,3}".join(parts)
        if ":" in found[0]:
            ways = r"\D{0,9}".join(f"0*{part.lstrip('0')}" for part in parts)
        if not _DATE.search(found[0]) and not re.search(rf"(?<!\d){ways}(?!\d)", target):
            yield found[0]


def _decimal_points(pair: Pair) -> list[str]:
    """Numbers with three places, as 3.141, whose point has become a comma or the other way round, between languages where that matters."""
    languages = pair.source_language, pair.target_language
    if not all(language and primary(language) in WITH_COMMAS for language in languages):
        return []
    lost = []
    for number in _THREE_PLACES.findall(pair.source):
        others = {".": [number.replace(".", ","), number.replace(".", "")], ",": [number.replace(",", ".")]}
        wrong = others["." if "." in number else ","]
        if number not in pair.target and any(each in pair.target for each in wrong):
            lost.append(number)
    return lost


def _signs(source: str, target: str) -> str | None:
    for what, one, other in (("changed", source, target), ("invented", target, source)):
        for found in _NEGATIVE.finditer(one):
            if not _MINUS.search(other) and (
                what == "changed" or re.search(rf"(?<!\d){found[0][1:]}(?!\d)", other)
            ):
                return f"{what} {found[0]}"
    return None


def _currencies(source: str, target: str) -> str | None:
    """A sign of the target whose currency the source does not name, where it names another."""
    said, told = ({one or other for one, other in _SIGN.findall(text)} for text in (source, target))
    strange = [sign for sign in told - said if not re.search(_CURRENCIES[sign], source, re.IGNORECASE)]
    if strange and (said or _MONEY.search(source)):
        return f"invented {strange[0]}"
    named, meant = (
        {sign for sign, way in _OF_MONEY.items() if way.search(text)} for text in (source, target)
    )
    return f"changed {min(named)} to {min(meant)}" if named and meant and named.isdisjoint(meant) else None


def _lost_signs(source: str, target: str, pair: Pair) -> str | None:
    """A per cent sign or a currency's beside figures of which the target has neither the sign nor a word."""
    if not pair.target_language or primary(pair.target_language) not in _KNOWN:
        return None
    lost = ["%"] if _PERCENT.search(source) and not _IN_PERCENT.search(target) else []
    for sign in sorted({one or other for one, other in _SIGN.findall(source)}):
        if sign not in target and not re.search(_CURRENCIES[sign], target, re.IGNORECASE):
            lost.append(sign)
    return f"lost {', '.join(lost)}" if lost else None


def _fractions(source: str, target: str) -> str | None:
    """A fraction of whose bar the network has made letters."""
    for upper, lower in dict.fromkeys(_FRACTION.findall(source)):
        if re.search(rf"(?<!\d){upper}\s?[A-Za-z]{{1,3}}{lower}(?!\d)", target):
            return f"changed {upper}/{lower}"
    return None


def _half_days(pair: Pair) -> str | None:
    """Morning in one, afternoon in the other, where each names one of them."""
    said, told = (
        [way.search(text) for way in _HALF_DAYS[not language or primary(language) == "en"]]
        for text, language in ((pair.source, pair.source_language), (pair.target, pair.target_language))
    )
    for half in (0, 1):
        if (found := said[half]) and not said[1 - half] and told[1 - half] and not told[half]:
            return f"changed {found[0]}"
    return None
