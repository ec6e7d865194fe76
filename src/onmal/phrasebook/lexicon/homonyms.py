"""Nouns that need a sense: homonyms (배 is a pear, a ship and a stomach), and nouns outside the classes.

One entry a line: Korean/sense | English | counter | kind, as in `things.py`. They are said only where the context decides:
with the verbs and adjectives whose entries name them. "own" is a part of the body, which English gives an owner: I
closed my eyes.
"""

SENSES = """
배/pear | pear | 개
배/ship | ship | 척
눈/eye | eyes | | own
눈/snow | snow | | the
눈/snowball | snowball | 개
눈/snowman | snowman | |
말/horse | horse | 마리
말/words | words | | said
밤/chestnut | chestnut | 개
밤/night | night | | the
다리/leg | leg | | own
다리/bridge | bridge | 개
차/tea | tea | 잔 | mass
차/car | car | 대
손/hand | hands | | own
발/foot | feet | | own
얼굴/face | face | | own
팔/arm | arm | | own
무릎/knee | knee | | own
산/mountain | mountain | |
강/river | river | | the
길/road | street | | the
물고기/fish | fish | 마리
사람 | person | 명
날씨 | weather | | the
시간 | time | | mass
질문 | question | |
"""

# The words that the split "homonyms" is about.
HOMONYMS = ("배", "눈", "말", "밤", "다리", "차")
