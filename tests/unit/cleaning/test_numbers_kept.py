"""The guard of numbers: figures with a word that makes them large are the number that they make together."""

from __future__ import annotations

import pytest

from onmal.cleaning.guards import Numbers
from onmal.data.pair import Pair


def fault(source: str, target: str, direction: str) -> str | None:
    return Numbers()(Pair(source, target, "", 0, *direction.split("-")))


@pytest.mark.parametrize(
    ("source", "target", "direction", "lost"),
    [
        ("가방은 3만 원이에요.", "The bag is 3 thousand won.", "ko-en", "lost 30000; invented 3000"),
        ("가방은 3만 원이에요.", "The bag is 3 won.", "ko-en", "lost 30000; invented 3"),
        ("가방은 3만 원이에요.", "The bag is won.", "ko-en", "lost 30000"),
        ("500만 명이 산다", "5 billion people live", "ko-en", "lost 5000000; invented 5000000000"),
        ("7 billion people", "7 Billionen Menschen", "en-de", "lost 7000000000; invented 7000000000000"),
        ("7 billion people", "zwei Milliarden Menschen", "en-de", "lost 7000000000"),
        ("7 billion people", "sieben Billionen Menschen", "en-de", "lost 7000000000"),
        (
            "20 thousand people are watching.",
            "Zwei0er und Menschen schauen zu.",
            "en-de",
            "lost 20000; invented 0",
        ),
        (
            "2 million people run.",
            "Zwei Personen laufen 2 Personen.",
            "en-de",
            "lost 2000000; invented 2",
        ),
        ("20 thousand people", "zwanzig Menschen", "en-de", "lost 20000"),
        ("20 thousand people", "20만 명", "en-ko", "lost 20000; invented 200000"),
        ("2,5 Millionen Menschen", "2 people", "de-en", "lost 2500000; invented 2"),
        ("3 mil millones", "3 million", "es-en", "lost 3000000000; invented 3000000"),
        ("책을 샀다", "We bought 2 million books", "ko-en", "invented 2000000"),
    ],
)
def test_a_large_number_that_is_lost_or_another(source: str, target: str, direction: str, lost: str) -> None:
    assert fault(source, target, direction) == lost


@pytest.mark.parametrize(
    ("source", "target", "direction"),
    [
        ("가방은 3만 원이에요.", "The bag is 30,000 won.", "ko-en"),
        ("가방은 3만 5천 원이에요.", "The bag is thirty-five thousand won.", "ko-en"),
        ("가방은 3천 5백 원이에요.", "The bag is 3,500 won.", "ko-en"),
        ("1백만이 넘는 사람", "more than 1 million people", "ko-en"),
        ("100만 번은 말했을 텐데", "I've told you a million times", "ko-en"),
        ("0.5 million people", "50만 명", "en-ko"),
        ("1~2만 원", "10,000 to 20,000 won", "ko-en"),
        ("2-3 million people", "200만~300만 명", "en-ko"),
        ("3만 5,000원", "35,000 won", "ko-en"),
        ("10여만 명", "over 100,000 people", "ko-en"),
        ("5십 명", "fifty people", "ko-en"),
        ("20 million people", "20 millones de personas", "en-es"),
        ("7 billion people", "7 Milliarden Menschen", "en-de"),
        ("7 billion people", "sieben Milliarden Menschen", "en-de"),
        ("7 Billionen Euro", "7 trillion euros", "de-en"),
        ("2 billion people", "2 mil millones de personas", "en-es"),
        ("1.5 billion euros", "1.500 millones de euros", "en-es"),
        ("2.5 billion people", "2.500 Millionen Menschen", "en-de"),
        ("5 millimeters", "5밀리미터", "en-ko"),
        ("20 thousand people", "20.000 Menschen", "en-de"),
        ("20 thousand people", "zwanzigtausend Menschen", "en-de"),
        ("1.5 million people", "1,5 Mio. Menschen", "en-de"),
        ("2 Millionen Menschen", "two million people", "de-en"),
        ("2 million people", "2 миллиона человек", "en-ru"),  # of whose words nothing is known
        ("5 millimètres", "5 millimeters", "fr-en"),
        ("IPv4만 쓴다", "uses IPv4 only", "ko-en"),
        ("클러스터 2만 그린다", "draws cluster 2 only", "ko-en"),
        ("제6조에 따라", "under Article 6", "ko-en"),
        ("9" * 400 + "만 원", "9" * 400 + " thousand", "ko-x-own"),
    ],
)
def test_a_large_number_that_is_kept(source: str, target: str, direction: str) -> None:
    first, _, second = direction.partition("-")
    assert Numbers()(Pair(source, target, "", 0, first, second)) is None


def test_a_number_that_was_asked_for_is_not_invented() -> None:
    pair = Pair("A man rides.", "Ein Mann, 42, fährt 51 Räder.", "", 0, "en", "de")
    assert Numbers()(pair) == "invented 42, 51"
    assert Numbers(asked=("Ein Mann, 42,",))(pair) == "invented 51"
    assert Numbers(asked=("Ein Mann, 42,", "51 Räder"))(pair) is None


def test_what_was_lost_with_its_word_is_to_be_said_in_figures() -> None:
    source = "2 million people"
    for language, said in (("ko", "2,000,000"), ("de", "2000000")):
        assert Numbers().to_say(Pair(source, "", "", 0, "en", language)) == [(said,)]
