"""Korean morphology: particles by final consonant, and the conjugation of every class of predicate.

A Hangul syllable is arithmetic: code = 0xAC00 + (lead * 21 + vowel) * 28 + final. Every change of a stem (a
dropped final, a fused vowel, a consonant added below) is made on these three letters.

An ending is written as it looks after 먹-, a closed stem with a dark vowel: 으면, 을까요, 어요, 는데, 습니다.
Its first syllable says how it joins:

    으..     after an open stem or ㄹ the vowel falls, and a final under it moves up   가면, 갈까요, 사세요
    아/어..  harmony with the vowel of the stem, and fusion with it                    받아요, 와요, 해요
    습..     ㅂ after an open stem or ㄹ                                               갑니다, 삽니다
    는..     은 after adjectives and the copula; 는다 is the plain declarative         작은데, 간다
    others   as they are                                                               가고, 가지만

Source: the orthography of the National Institute of Korean Language (한글 맞춤법), chapter 4: vowel harmony
(section 16), irregular conjugation (18), contraction (34-38).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, cast

__all__ = [
    "AUXILIARIES",
    "BECOME",
    "CANNOT",
    "COPULA",
    "DO",
    "EXIST",
    "GIVE",
    "HAVE",
    "LACK",
    "NOT",
    "NOT_ADJECTIVE",
    "NOT_BE",
    "REFRAIN",
    "SEE",
    "WANT",
    "Kind",
    "Predicate",
    "attach",
    "compose",
    "conjugate",
    "conjugate_copula",
    "conjugate_stem",
    "decompose",
    "has_final",
    "honored",
    "particle",
]

Kind = Literal["verb", "adjective", "copula", "existential"]
Irregular = Literal["", "ㅂ", "ㄷ", "ㅅ", "ㅎ", "르", "러", "우"]

# --- syllables ---------------------------------------------------------------------------------

_LEADS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_FIRST_SYLLABLE: Final = 0xAC00


@cache
def decompose(syllable: str) -> tuple[str, str, str]:
    """Lead, vowel and final ("" for none) of a Hangul syllable: 값 -> ㄱ, ㅏ, ㅄ; else ValueError."""
    if len(syllable) != 1 or not "가" <= syllable <= "힣":
        raise ValueError(f"not a Hangul syllable: {syllable!r}")
    rest, final = divmod(ord(syllable) - _FIRST_SYLLABLE, len(_FINALS))
    lead, vowel = divmod(rest, len(_VOWELS))
    return _LEADS[lead], _VOWELS[vowel], _FINALS[final]


def compose(lead: str, vowel: str, final: str = "") -> str:
    """The syllable made of these letters: ㄱ, ㅏ, ㅄ -> 값."""
    position = _LEADS.index(lead) * len(_VOWELS) + _VOWELS.index(vowel)
    return chr(_FIRST_SYLLABLE + position * len(_FINALS) + _FINALS.index(final))


def _with_final(text: str, final: str) -> str:
    """`text` with the final of its last syllable replaced."""
    lead, vowel, _ = decompose(text[-1])
    return text[:-1] + compose(lead, vowel, final)


# --- particles ---------------------------------------------------------------------------------

# A number ends in the sound of its last figure (영, 일, 이, ..) or, if it is round, of its power of ten:
# 십, 백, 천, then 만, 억 and 조 for four places each.
_FIGURE_FINALS: Final = ("ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", "")
_POWER_FINALS: Final = ("", "ㅂ", "ㄱ", "ㄴ", *("ㄴ",) * 4, *("ㄱ",) * 4, *("",) * 4)
# The names of L, M, N and R (엘, 엠, 엔, 알) end in a consonant; all others, 퍼센트 and 도 in a vowel.
_SPOKEN_FINALS: Final = dict.fromkeys("ABCDEFGHIJKOPQSTUVWXYZ%℃", "") | dict(
    zip("LMNR", "ㄹㅁㄴㄹ", strict=True)
)

# canonical name -> (after a consonant, after a vowel)
_PARTICLES: Final = {
    "은": ("은", "는"),
    "이": ("이", "가"),
    "을": ("을", "를"),
    "와": ("과", "와"),
    "으로": ("으로", "로"),
    "으로서": ("으로서", "로서"),
    "이나": ("이나", "나"),
    "이랑": ("이랑", "랑"),
    "이라도": ("이라도", "라도"),
    "이라고": ("이라고", "라고"),
    "이라는": ("이라는", "라는"),
    "이에요": ("이에요", "예요"),
    "이야": ("이야", "야"),
    "아": ("아", "야"),
}
_VARIANTS: Final = frozenset(form for forms in _PARTICLES.values() for form in forms) - _PARTICLES.keys()
_SUBJECT_PRONOUNS: Final = {"나": "내가", "저": "제가", "너": "네가", "누구": "누가"}


def _last_final(text: str) -> str:
    """The consonant heard at the end of `text`, "" after a vowel; quotes and brackets are passed over.

    Figures are read in Sino-Korean, capitals by their names; ValueError for what is neither they nor Hangul.
    """
    read = text.rstrip()
    while read and not (read[-1].isalnum() or read[-1] in _SPOKEN_FINALS):
        read = read[:-1]
    last = read[-1:]
    if last.isdecimal():
        figures = read.replace(",", "")
        significant = figures.rstrip("0")
        zeros = len(figures) - len(significant)
        is_round = zeros > 0 and significant[-1:].isdecimal()
        return _POWER_FINALS[zeros] if is_round else _FIGURE_FINALS[int(last)]
    return _SPOKEN_FINALS[last] if last in _SPOKEN_FINALS else decompose(last)[2]


def has_final(text: str) -> bool:
    """Whether the last syllable of `text`, read aloud, ends in a consonant: 책, 3, 100; not 의사, 2, PC."""
    return bool(_last_final(text))


def particle(noun: str, name: str) -> str:
    """The form that a particle has after `noun`; its name is its form after a consonant: 서울, 으로 -> 로.

    와 is named by its form after a vowel. A particle of one form (에, 에서, 도, ..) comes back as it is.
    ValueError for a variant such as 를 used as a name.
    """
    forms = _PARTICLES.get(name)
    if forms is None:
        if name in _VARIANTS:
            raise ValueError(f"{name} is a variant; name the particle by its other form")
        return name
    final = _last_final(noun)
    is_closed = final != "" and not (final == "ㄹ" and name.startswith("으로"))
    return forms[0] if is_closed else forms[1]


def attach(noun: str, name: str) -> str:
    """`noun` with the right form of the particle; pronouns change before 이: 내가, 제가, 네가, 누가."""
    if name == "이":
        head, space, word = noun.rpartition(" ")
        if word in _SUBJECT_PRONOUNS:
            return head + space + _SUBJECT_PRONOUNS[word]
    return noun + particle(noun, name)


# --- predicates --------------------------------------------------------------------------------

_ENTRY: Final = re.compile(r"(.+)다(?:[: ]([ㅂㄷㅅㅎ르러우]))?(?:[= ](\w+))?")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb or adjective by its stem (the dictionary form without 다).

    `irregular` marks what the stem does not show: 돕 ㅂ, 듣 ㄷ, 짓 ㅅ, 빨갛 ㅎ, 모르 르, 푸르 러, 푸 우. What
    all such stems do (쓰다 -> 써요, 살다 -> 사세요, 오다 -> 와요, 하다 -> 해요) needs no mark. `honorific` is
    the suppletive honorific stem (먹다: 드시); a predicate that is itself honorific has its own stem there.
    """

    stem: str
    kind: Kind
    irregular: Irregular = ""
    honorific: str = ""

    def __post_init__(self) -> None:
        last = self.stem[-1:]
        shown = decompose(last)[2] if self.irregular in ("ㅂ", "ㄷ", "ㅅ", "ㅎ") else last
        expected = {"러": "르", "우": "푸"}.get(self.irregular, self.irregular)
        if self.irregular and shown != expected:
            raise ValueError(f"{self.stem} cannot be {self.irregular}-irregular")
        if self.honorific and not self.honorific.endswith("시"):
            raise ValueError(f"the honorific stem {self.honorific} of {self.stem} does not end in 시")

    @classmethod
    def parse(cls, entry: str, kind: Kind) -> Predicate:
        """From a dictionary form with its irregular class or honorific stem: "돕다:ㅂ", "먹다=드시"."""
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"not a dictionary form: {entry!r}")
        stem, irregular, honorific = match.groups(default="")
        return cls(stem, kind, cast(Irregular, irregular), honorific)


COPULA: Final = Predicate("이", "copula")
NOT_BE: Final = Predicate("아니", "copula")
EXIST: Final = Predicate("있", "existential", honorific="계시")  # 선생님이 계세요
HAVE: Final = Predicate("있", "existential")  # 시간이 있으세요
LACK: Final = Predicate("없", "existential")
WANT: Final = Predicate("싶", "adjective")
NOT: Final = Predicate("않", "verb")
NOT_ADJECTIVE: Final = Predicate("않", "adjective")
REFRAIN: Final = Predicate("말", "verb")
CANNOT: Final = Predicate("못하", "verb")
DO: Final = Predicate("하", "verb")
BECOME: Final = Predicate("되", "verb")
GIVE: Final = Predicate("주", "verb")
SEE: Final = Predicate("보", "verb")

AUXILIARIES: Final = {
    "이다": COPULA,
    "아니다": NOT_BE,
    "있다": EXIST,
    "없다": LACK,
    "싶다": WANT,
    "않다": NOT,
    "말다": REFRAIN,
    "못하다": CANNOT,
    "하다": DO,
    "되다": BECOME,
    "주다": GIVE,
    "보다": SEE,
}

# --- conjugation -------------------------------------------------------------------------------

_BRIGHT: Final = frozenset("ㅏㅑㅗ")
# What a vowel and a following ㅏ or ㅓ become; after ㅎ-irregular stems the second table.
_FUSED: Final = dict(zip("ㅏㅓㅐㅔㅕㅗㅜㅣㅚ", "ㅏㅓㅐㅔㅕㅘㅝㅕㅙ", strict=True))
_H_FUSED: Final = dict(zip("ㅏㅑㅓㅕ", "ㅐㅒㅔㅖ", strict=True))
_UNFUSED: Final = frozenset({"피", "비", "기", "띠"})  # 꽃이 피었어요: the full form is the usual one
_DARK_COMPOUNDS: Final = frozenset("쓰크뜨트끄")  # harmony ends at the seam: 받아쓰다 -> 받아써요
_DEMONSTRATIVES: Final = ("이렇", "그렇", "저렇", "어떻", "아무렇")  # 그래요, 어때요, but 퍼레요


@cache
def conjugate(predicate: Predicate, ending: str) -> str:
    """The surface form of `predicate` with `ending` (see the module's head): 돕다 ㅂ, 어요 -> 도와요.

    "present-adnominal", "past-adnominal" and "future-adnominal" name the forms before a noun. An ending that
    leaves a stem (었, 으시, 고 싶, 을 수 있) goes on with `conjugate_stem`.
    """
    ending = _spelled(predicate, ending)
    first = ending[0]
    if predicate.honorific and first == "으" and decompose(ending[1])[0] == "ㅅ":
        return predicate.honorific[:-1] + ending[1:]
    lead, vowel, _ = decompose(first)
    if lead == "ㅇ" and vowel == "ㅡ":
        return _join_eu(predicate, ending)
    if lead == "ㅇ" and vowel in "ㅏㅓ":
        return _join_a(predicate, ending)
    stem = predicate.stem
    if decompose(stem[-1])[2] == "ㄹ" and lead in "ㄴㅅ":
        stem = _with_final(stem, "")
    return stem + ending


def _spelled(predicate: Predicate, ending: str) -> str:
    """The ending as this predicate takes it: 는데 -> 은데, 는다 -> 은다 (ㄴ다), 습니다 -> 읍니다 (ㅂ니다)."""
    is_open = decompose(predicate.stem[-1])[2] in ("", "ㄹ")
    match ending:
        case "past-adnominal":
            return "은" if predicate.kind == "verb" else "던"
        case "future-adnominal":
            return "을"
        case "present-adnominal":
            ending = "는"
        case "십시오":
            return "으십시오"
    if ending.startswith("는다"):
        if predicate.kind == "verb":
            return "은" + ending[1:] if is_open else ending
        is_quoted = predicate.kind == "copula" and ending.startswith("는다고")
        return "라" + ending[2:] if is_quoted else ending[1:]
    if ending[0] == "는" and predicate.kind in ("adjective", "copula"):
        return "은" + ending[1:]
    return "읍" + ending[1:] if ending[0] == "습" and is_open else ending


def _before_vowel(predicate: Predicate) -> tuple[str, bool]:
    """The stem as it stands before a vowel, and whether 으 stays after it: it is closed, or was (지으면)."""
    stem, final = predicate.stem, decompose(predicate.stem[-1])[2]
    match predicate.irregular:
        case "ㅂ":
            return _with_final(stem, "") + "우", False
        case "ㄷ":
            return _with_final(stem, "ㄹ"), True
        case "ㅅ":
            return _with_final(stem, ""), True
        case "ㅎ":
            return _with_final(stem, ""), False
    return stem, final not in ("", "ㄹ")


def _join_eu(predicate: Predicate, ending: str) -> str:
    """Join an ending in 으: 먹으면, 가면, 살면, 사세요, 도우면, 들으면, 지으면, 빨가면."""
    stem, keeps_vowel = _before_vowel(predicate)
    if keeps_vowel:
        return stem + ending
    moved, rest = decompose(ending[0])[2], ending[1:]
    if decompose(stem[-1])[2] == "ㄹ" and (moved or decompose(rest[0])[0] in "ㄴㅅ"):
        stem = _with_final(stem, "")
    return (_with_final(stem, moved) if moved else stem) + rest


def _join_a(predicate: Predicate, ending: str) -> str:
    """Join an ending in 아/어: 먹어요, 갔어요, 해서; 이에요 and the honorific 가세요 are formed apart."""
    final, rest = decompose(ending[0])[2], ending[1:]
    if rest == "요" and not final:
        if predicate.kind == "copula":
            return predicate.stem + "에요"
        if predicate.honorific == predicate.stem:
            return predicate.stem[:-1] + "세요"
    return _with_final(_connective(predicate), final) + rest


def _connective(predicate: Predicate) -> str:
    """The stem with 아/어: 먹어, 받아, 와, 해, 써, 몰라, 도와, 들어, 지어, 빨개."""
    stem, word = predicate.stem, predicate.stem.rpartition(" ")[2]
    lead, vowel, final = decompose(stem[-1])
    match predicate.irregular:
        case "ㅂ":
            return _with_final(stem, "") + ("와" if word in ("돕", "곱") else "워")
        case "ㅎ":
            return stem[:-1] + compose(lead, "ㅐ" if word.endswith(_DEMONSTRATIVES) else _H_FUSED[vowel])
        case "르":
            return _with_final(stem[:-1], "ㄹ") + ("라" if decompose(stem[-2])[1] in _BRIGHT else "러")
        case "러":
            return stem + "러"
        case "우":
            return stem[:-1] + compose(lead, "ㅓ")
    if final:
        is_bright = vowel in _BRIGHT and final != "ㅆ"  # 갔- is past, and the past is dark: 갔어요
        return _before_vowel(predicate)[0] + ("아" if is_bright else "어")
    if stem[-1] == "하":
        return stem[:-1] + "해"
    if vowel == "ㅡ":
        is_simple = len(word) > 1 and stem[-1] not in _DARK_COMPOUNDS
        return stem[:-1] + compose(lead, "ㅏ" if is_simple and decompose(word[-2])[1] in _BRIGHT else "ㅓ")
    if vowel in _FUSED and word not in _UNFUSED and predicate.kind != "copula":
        return stem[:-1] + compose(lead, _FUSED[vowel])
    return stem + "어"


_DERIVED_KINDS: Final[dict[str, Kind]] = {"싶": "adjective", "없": "existential"}


def conjugate_stem(stem: str, ending: str, kind: Kind | None = None) -> str:
    """Conjugate a stem that `conjugate` made: 먹었, 는데 -> 먹었는데; 먹고 싶, 어요 -> 먹고 싶어요.

    `kind` is needed for the honorific stem of an adjective or the copula only: 예쁘시, 는데 -> 예쁘신데.
    """
    head, space, word = stem.rpartition(" ")
    if kind is None:
        is_like_exist = decompose(word[-1])[2] == "ㅆ"  # 있, 었 and 겠 take the same endings
        kind = _DERIVED_KINDS.get(word, "existential" if is_like_exist else "verb")
    return head + space + conjugate(_derived(word, kind), ending)


@cache
def _derived(word: str, kind: Kind) -> Predicate:
    return Predicate(word, kind, honorific=word if word.endswith("시") else "")


@cache
def honored(predicate: Predicate) -> Predicate:
    """The honorific predicate, 가다 -> 가시다, 먹다 -> 드시다; its forms are 가세요, 드세요, 가셨어요.

    계시다 is a verb; 있으시다, without a word of its own, describes (시간이 있으신 분), and so does 이시다.
    """
    is_verb = predicate.kind == "verb" or (predicate.kind == "existential" and predicate.honorific != "")
    stem = conjugate(predicate, "으시")
    return Predicate(stem, "verb" if is_verb else "adjective", honorific=stem)


_KEEP_COPULA: Final = ("이기", "이던")


def conjugate_copula(noun: str, ending: str) -> str:
    """`noun` with the copula: 학생이에요, 의사예요, 학생이었어요, 의사였어요, 학생입니다, 의사인.

    After a vowel a bare 이 falls, as it does in speech (의사고, 의사지만), but not in 의사이기, 의사이던.
    """
    form = conjugate(COPULA, ending)
    if has_final(noun) or form[0] != "이" or form.startswith(_KEEP_COPULA):
        return noun + form
    lead, vowel, final = decompose(form[1])
    if lead == "ㅇ" and vowel in "ㅓㅔ":
        return noun + compose("ㅇ", "ㅕ" if vowel == "ㅓ" else "ㅖ", final) + form[2:]
    return noun + form[1:]
