"""The phrasebook: sizes, determinism, disjoint parts, alignments and roles, one reference, and no passing by heart."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from collections import defaultdict
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from onmal.errors import ConfigError, OnmalError
from onmal.phrasebook import SPLITS, NearestNeighbour, Phrase, generate, phrases
from onmal.phrasebook.corpus import LONGEST, sentences
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.lexicon.homonyms import HOMONYMS
from onmal.phrasebook.splits import Draw, part_of

HELD_OUT = tuple(split for split in SPLITS if split != "train")
SAMPLE = 25_000


@cache
def training() -> list[tuple[Phrase, tuple[tuple[str, str, str], ...]]]:
    return list(islice(sentences("train"), SAMPLE))


@cache
def sample(split: str) -> list[tuple[Phrase, tuple[tuple[str, str, str], ...]]]:
    return training() if split == "train" else list(islice(sentences(split), 1000))


def words(text: str) -> list[str]:
    return text.split(" ")


def test_sizes() -> None:
    assert LEXICON.size() >= 700
    assert len({phrase.frame for phrase, _ in training()}) >= 50


def test_every_entry_has_its_own_key() -> None:
    for entries in (
        LEXICON.transitive,
        LEXICON.interaction,
        LEXICON.intransitive,
        LEXICON.adjectives,
        LEXICON.times,
    ):
        keys = [entry.key for entry in entries]
        assert len(set(keys)) == len(keys)


def test_both_styles() -> None:
    formal = sum(phrase.style == "formal" for phrase, _ in training())
    assert 0.05 < formal / SAMPLE < 0.2


@pytest.mark.parametrize("split", SPLITS)
def test_same_seed_same_phrases(split: str) -> None:
    assert list(islice(generate(split, seed=3), 50)) == list(islice(generate(split, seed=3), 50))
    assert phrases(split, 50, seed=3) != phrases(split, 50, seed=4)


def test_phrases_do_not_depend_on_the_process() -> None:
    program = (
        "from onmal.phrasebook import phrases; print(*(p.korean for p in phrases('test', 20)), sep='\\n')"
    )
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert run.stdout.splitlines() == [phrase.korean for phrase in phrases("test", 20)]


@pytest.mark.parametrize("split", HELD_OUT)
def test_phrases_of_a_test_are_distinct(split: str) -> None:
    found = phrases(split, 400)
    assert len(found) == 400
    assert len({phrase.korean for phrase in found}) == 400


def test_unknown_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="train, valid, test, long, roles, homonyms") as error:
        generate("dev")
    assert isinstance(error.value, OnmalError)
    with pytest.raises(ConfigError):
        phrases("tests", 1)


# --- parts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_every_combination_is_of_the_part(split: str) -> None:
    part = split if split in ("train", "valid") else "test"
    for phrase, used in sample(split):
        assert used or split == "train", phrase
        assert all(part_of(combination) == part for combination in used), phrase


def test_a_combination_always_belongs_to_the_same_part() -> None:
    # A change here makes every published score incomparable.
    nouns = [
        "가방",
        "우산",
        "지갑",
        "시계",
        "열쇠",
        "선물",
        "꽃",
        "상자",
        "인형",
        "장난감",
        "공",
        "기념품",
        "담요",
        "텐트",
    ]
    parts = {noun: part_of(("object", "사다/buy", noun)) for noun in nouns}
    assert {noun: part for noun, part in parts.items() if part != "train"} == {
        "가방": "test",
        "지갑": "valid",
        "시계": "valid",
        "인형": "test",
        "담요": "test",
    }


def test_held_out_verbs_and_objects_are_never_seen_together() -> None:
    """The same without looking inside: as the words stand in the sentences, by the roles."""

    def pairs(split: str) -> set[tuple[str, str]]:
        found = set()
        for phrase, _ in sample(split):
            at = {role: korean for role, korean, _ in phrase.roles}
            if phrase.frame in ("transitive", "progressive", "wish") and {"patient", "verb"} <= at.keys():
                korean = words(phrase.korean.rstrip(".?"))
                found.add((korean[at["patient"]], korean[at["verb"]]))
        return found

    assert len(pairs("test")) > 50
    assert not pairs("test") & pairs("train")
    assert not pairs("valid") & pairs("train")


def test_every_word_of_the_tests_is_in_training() -> None:
    parts = {
        word for _, used in islice(sentences("train", seed=1), 60_000) for _, *pair in used for word in pair
    }
    for split in HELD_OUT:
        for phrase, used in sample(split):
            unknown = {
                word for _, *pair in used for word in pair if "/" in word or not word[0].isdigit()
            } - parts
            assert not unknown, phrase


def test_long_is_longer_than_anything_in_training() -> None:
    korean = max(len(words(phrase.korean)) for phrase, _ in training())
    english = max(len(words(phrase.english)) for phrase, _ in training())
    assert (korean, english) <= LONGEST
    for phrase, _ in sample("long"):
        assert len(words(phrase.korean)) > korean
        assert len(words(phrase.english)) > english


def test_training_is_short_on_average() -> None:
    mean = sum(len(words(phrase.english)) for phrase, _ in training()) / SAMPLE
    assert 5 < mean < 8


# --- alignment and roles -------------------------------------------------------------------------------------------

# English words that Korean says by an ending, by a particle, or not at all.
UNSAID = frozenset("I you he she it we do does did is are am was were the a an will there".lower().split())


@pytest.mark.parametrize("split", SPLITS)
def test_alignment_covers_every_content_word(split: str) -> None:
    for phrase, _ in sample(split)[:5000]:
        korean, english = words(phrase.korean), words(phrase.english)
        assert phrase.alignment == tuple(sorted(set(phrase.alignment))), phrase
        assert all(0 <= i < len(korean) and 0 <= j < len(english) for i, j in phrase.alignment), phrase
        left, right = {i for i, _ in phrase.alignment}, {j for _, j in phrase.alignment}
        assert left == set(range(len(korean))), phrase
        bare = {re.sub(r"[.,?]", "", english[j]).lower() for j in set(range(len(english))) - right}
        assert bare <= UNSAID, phrase


@pytest.mark.parametrize("split", SPLITS)
def test_roles_point_at_words(split: str) -> None:
    for phrase, _ in sample(split)[:5000]:
        korean, english = words(phrase.korean), words(phrase.english)
        for role, i, j in phrase.roles:
            assert -1 <= i < len(korean), phrase
            assert 0 <= j < len(english), phrase
            assert role
            if i >= 0:
                assert (i, j) in phrase.alignment, (phrase, role)


def test_alignment_of_known_sentences() -> None:
    known = {phrase.korean: phrase for phrase, _ in training()}
    seen = 0
    for korean, phrase in known.items():
        if (
            re.fullmatch(r"(민수|지수|유나|지훈)[은는] \S+[을를] \S+었어요\.", korean)
            and phrase.frame == "transitive"
        ):
            english = words(phrase.english)
            agent, patient, verb = (
                next(r for r in phrase.roles if r[0] == n) for n in ("agent", "patient", "verb")
            )
            assert (agent[1], patient[1], verb[1]) == (0, 1, 2)
            assert agent[2] < verb[2] < patient[2] == len(english) - 1
            seen += 1
    assert seen > 5


def test_reversed_pairs_exchange_their_roles() -> None:
    found = phrases("roles", 400)
    bare = re.compile(r"(은|는|이|가|을|를)$")
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first.korean != second.korean
        heads = []
        for phrase in (first, second):
            at = {role: korean for role, korean, _ in phrase.roles}
            korean = words(phrase.korean)
            heads.append((bare.sub("", korean[at["agent"]]), bare.sub("", korean[at["patient"]])))
        assert heads[0] == heads[1][::-1], (first, second)
        assert sorted(words(first.english.lower().rstrip("."))) == sorted(
            words(second.english.lower().rstrip("."))
        )


def test_named_participants_take_both_roles_equally_often() -> None:
    """Who chased whom cannot be guessed from the names: of two who are both named, either is the agent as often."""
    first_acts = total = 0
    for phrase, used in islice(sentences("train", seed=2), 60_000):
        both = [modifier for relation, _, modifier in used if relation == "interaction"]
        if phrase.frame == "interaction" and len(both) == 2:
            total += 1
            agent = next(korean for role, korean, _ in phrase.roles if role == "agent")
            smaller = min(both)
            first_acts += words(phrase.korean)[agent].startswith(smaller)
    assert total > 2000
    assert abs(first_acts / total - 0.5) < 0.05


# --- homonyms ------------------------------------------------------------------------------------------------------

SENSES = {
    "배": ("pear", "ship", "stomach"),
    "눈": ("eye", "snow"),
    "말": ("horse", "words"),
    "밤": ("chestnut", "night"),
    "다리": ("leg", "bridge"),
    "차": ("car", "tea"),
}


@pytest.mark.parametrize("split", ["train", "homonyms"])
def test_homonyms_occur_in_every_sense(split: str) -> None:
    found = training() if split == "train" else list(islice(sentences("homonyms"), 3000))
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    for phrase, _ in found:
        english = phrase.english.lower()
        for i, j in phrase.alignment:
            korean = words(phrase.korean)[i]
            for homonym, senses in SENSES.items():
                if re.match(f"{homonym}(은|는|이|가|을|를|에|로|과|와|도)?$", korean.rstrip(".?")):
                    for sense in senses:
                        seen[homonym, sense] += words(english)[j].startswith(sense)
    for homonym, senses in SENSES.items():
        for sense in senses:
            assert seen[homonym, sense] > 0, (split, homonym, sense)


def test_homonym_sentences_contain_one() -> None:
    assert set(SENSES) == set(HOMONYMS)
    for phrase in phrases("homonyms", 200):
        assert any(word.startswith(HOMONYMS) for word in words(phrase.korean))


# --- one reference ---------------------------------------------------------------------------------------------------


def test_one_reference_in_each_direction() -> None:
    english_of: dict[str, str] = {}
    korean_of: dict[str, str] = {}
    for split in SPLITS:
        for phrase, _ in sample(split):
            assert english_of.setdefault(phrase.korean, phrase.english) == phrase.english
            assert korean_of.setdefault(phrase.english, phrase.korean) == phrase.korean


@pytest.mark.parametrize("split", SPLITS)
def test_text_is_clean(split: str) -> None:
    for phrase, _ in sample(split):
        for text in (phrase.korean, phrase.english):
            assert text == unicodedata.normalize("NFC", text)
            assert text == " ".join(text.split())
            assert text[-1] in ".?!"
        assert re.fullmatch(r"[가-힣 .,?!]+", phrase.korean), phrase
        assert re.fullmatch(r"[A-Z][A-Za-z0-9 .,?!'-]*", phrase.english), phrase


def test_articles_agree_with_the_sound() -> None:
    for phrase, _ in training():
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiouhE]", phrase.english.replace(" one", "")), phrase


# --- remembering is not enough -----------------------------------------------------------------------------------------


def test_look_up_finds_the_nearest() -> None:
    memory = NearestNeighbour([("빵을 먹어요.", "I eat bread."), ("물을 마셔요.", "I drink water.")])
    assert memory.translate("물을 마셔요.") == "I drink water."
    assert memory.translate("민수는 빵을 사요.") == "I eat bread."
    assert memory.translate("하늘") == "I eat bread."
    assert NearestNeighbour([]).translate("하늘") == ""


@pytest.mark.parametrize("split", HELD_OUT)
def test_the_tests_cannot_be_passed_by_heart(split: str) -> None:
    import sacrebleu

    memory = NearestNeighbour((phrase.korean, phrase.english) for phrase, _ in training()[:20_000])
    asked = phrases(split, 500)
    answers = [memory.translate(phrase.korean) for phrase in asked]
    score = sacrebleu.corpus_bleu(answers, [[phrase.english for phrase in asked]]).score
    assert 1 < score < 60


def test_draws_repeat_on_every_version_of_python() -> None:
    draw = Draw("train", "train", 0)
    assert [int(draw.random() * 1000) for _ in range(3)] == GOLDEN_DRAWS


GOLDEN_DRAWS = [804, 508, 60]


def test_the_page_states_the_sizes() -> None:
    page = (Path(__file__).parents[3] / "docs" / "phrasebook.md").read_text(encoding="utf-8")
    assert f"{LEXICON.size()} lexical entries" in page
    for frame in {phrase.frame for phrase, _ in training()}:
        assert f"| {frame} |" in page
