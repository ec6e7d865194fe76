"""The guard of numbers, where each figure is on both sides: order, signs and separators."""

from __future__ import annotations

import pytest

from onmal.cleaning.guards import Numbers
from onmal.data.pair import Pair


def fault(source: str, target: str, direction: str) -> str | None:
    return Numbers()(Pair(source, target, "", 0, *direction.split("-")))


@pytest.mark.parametrize(
    ("source", "target", "direction", "said"),
    [
        ("온도는 -5도예요.", "The temperature is five degrees.", "ko-en", "changed -5"),
        ("온도는 -5도예요.", "The well-known temperature is 5 degrees.", "ko-en", "changed -5"),
        ("온도는 5도예요.", "The temperature is -5 degrees.", "ko-en", "invented -5"),
        ("2024년 5월 3일에 만나요", "We meet on March 5, 2024", "ko-en", "changed 5월 3일"),
        ("2024. 5. 3. 발표", "2024. 3. 5. published", "ko-en", "changed 2024. 5. 3"),
        ("We meet on May 3rd", "Wir treffen uns am 5. März", "en-de", "changed May 3"),
        ("10:05에 만나요", "We meet at 5:10", "ko-en", "changed 10:05"),
        ("10시 5분에 만나요", "We meet at 5:10", "ko-en", "changed 10시 5분"),
        ("전화는 02-1234-5678이에요", "The number is 02-5678-1234", "ko-en", "changed 02-1234-5678"),
        ("전화는 02-1234-5678이에요", "The number is 1234 two pieces 5678", "ko-en", "changed 02-1234-5678"),
        ("암호는 007이에요", "The code is seven", "ko-en", "changed 007"),
        ("값은 3.141이에요", "The value is 3,141", "ko-en", "changed 3.141"),
        ("값은 3.141이에요", "The value is 3141", "ko-en", "changed 3.141"),
        ("It is 3,141", "3.141이에요", "en-ko", "changed 3,141"),
        ("It costs $50.", "€50예요.", "en-ko", "invented €"),
        ("가방은 50원이에요", "The bag is $50", "ko-en", "invented $"),
        ("50% of the men", "50 Männer", "en-de", "lost %"),
        ("사람의 50%가 찬성했어요.", "50 people agreed.", "ko-en", "lost %"),
        ("It costs $50.", "Es kostet 50.", "en-de", "lost $"),
        ("2:1로 이겼어요.", "We won 1:2.", "ko-en", "changed 2:1"),
        ("가격은 50달러예요.", "The price is 50 won.", "ko-en", "changed $ to ₩"),
        ("a check for 10,000 dollars", "ein Scheck über 10.000 Euro", "en-de", "changed $ to €"),
        ("3/4 of the men", "3 Da4 der Männer", "en-de", "changed 3/4"),
        ("오전 9시에 만나요.", "See you at 9 p.m.", "ko-en", "changed 오전"),
        ("We meet at 9 pm.", "오전 9시에 만나요.", "en-ko", "changed 9 pm"),
        ("버전 1.2.3이에요.", "This is version 1.3.2.", "ko-en", "changed 1.2.3"),
    ],
)
def test_what_has_changed(source: str, target: str, direction: str, said: str) -> None:
    assert fault(source, target, direction) == said


@pytest.mark.parametrize(
    ("source", "target", "direction"),
    [
        ("온도는 -5도예요.", "It is five degrees below zero.", "ko-en"),
        ("50% of the men", "50 Prozent der Männer", "en-de"),
        ("50% of the men", "50 процентов мужчин", "en-ru"),  # of whose words nothing is known
        ("It costs $50.", "50달러예요.", "en-ko"),
        ("2:1로 이겼어요.", "We won 2-1.", "ko-en"),
        ("3/4컵을 넣으세요.", "Put in 3/4 of a cup.", "ko-en"),
        ("3/4 of a cup", "4분의 3컵", "en-ko"),
        ("3/4 of the men", "3 von 4 Männern", "en-de"),
        ("on 5/6", "5월 6일에", "en-ko"),
        ("on 12/25", "am 25.12.", "en-de"),
        ("3/4 of them", "4分の3", "en-ja"),
        ("7/10", "10점 만점에 7점", "en-ko"),
        ("1/2 cup", "半カップ", "en-ja"),
        ("It costs $50.", "Es kostet 50 USD.", "en-de"),
        ("It costs €50.", "费用是50欧。", "en-zh"),
        ("50% of it", "50 von Hundert", "en-de"),
        ("Wir treffen uns um 3 am Bahnhof", "We meet at 3 p.m. at the station", "de-en"),
        ("3 wonderful days cost 5", "3일 5유로", "en-ko"),
        ("won in 2024 won by Anna, 10 dollars", "2024년 10달러", "en-ko"),
        ("오전 9시에 만나요.", "I am here at 9 a.m.", "ko-en"),
        ("오전 9시부터 오후 6시까지", "from 9 to 6 p.m.", "ko-en"),
        ("12 a.m.부터 12 p.m.까지", "오후 12시까지", "en-ko"),
        ("500만 달러예요", "It is 5 million dollars", "ko-en"),
        ("버전 1.2.3이에요.", "This is version 1.2.3.", "ko-en"),
        ("1.234.567 Leute", "1,234,567 people", "de-en"),
        ("am 3.12.24", "on December 3, 24", "de-en"),
        ("영하 5도예요.", "It is -5 degrees.", "ko-en"),
        ("2024년 5월 3일에 만나요", "We meet on May 3, 2024", "ko-en"),
        ("2024년 5월 3일에 만나요", "We meet on 3 May 2024", "ko-en"),
        ("2024년 5월 3일에 만나요", "We meet on 2024-05-03", "ko-en"),
        ("2022년 2월 16일 회의", "the 2/16/2022 meeting", "ko-en"),
        ("2022년 2월 1일 회의", "das Treffen vom 1.2.2022", "ko-de"),
        ("5월 3일부터 5일까지", "from 3 to 5 May", "ko-en"),
        ("5월 3일부터 6월 4일까지", "from the 3rd of May until 4th June", "ko-en"),
        ("We meet at 10:05.", "Wir treffen uns um 10.05 Uhr.", "en-de"),
        ("10:05에 만나요", "We meet at five past ten", "ko-en"),
        ("오후 3:30에 만나요", "We meet at 15:30", "ko-en"),
        ("오전 10시 5분에 만나요", "We meet at 10:05", "ko-en"),
        ("전화는 02-1234-5678이에요", "The number is (02) 1234-5678", "ko-en"),
        ("3-5일 걸린다", "It takes three to five days", "ko-en"),
        ("01:10:05", "1시간 10분 5초", "en-ko"),
        ("값은 3.141이에요", "Der Wert ist 3,141", "ko-de"),
        ("3,141명이 왔다", "3141 people came", "ko-en"),
        ("50달러예요", "It is $50", "ko-en"),
        ("50원이에요", "It is ₩50", "ko-en"),
    ],
)
def test_what_people_write_otherwise(source: str, target: str, direction: str) -> None:
    assert fault(source, target, direction) is None
