"""Nouns for people and animals, given names, and the forms of address that begin a formal sentence.

People: Korean | English | mark. The mark is "elder" for those whom Korean honours in the verb (시), "family" for
those who are somebody's (제 동생), "family elder" for both, "loose" for those who may also be anybody's (친구); otherwise the noun is a trade or a role.
Names: Korean | English | "he" or "she". Animals: Korean | English.
"""

PEOPLE = """
친구 | friend | family loose
동생 | younger sibling | family
아들 | son | family
딸 | daughter | family
어머니 | mother | family elder
아버지 | father | family elder
할머니 | grandmother | family elder
할아버지 | grandfather | family elder
아내 | wife | family
남편 | husband | family
누나 | older sister | family
형 | older brother | family
삼촌 | uncle | family
이모 | aunt | family
사촌 | cousin | family
조카 | nephew | family
선생님 | teacher | elder
교수님 | professor | elder
사장님 | boss | elder
학생 | student |
아이 | child |
의사 | doctor |
간호사 | nurse |
경찰관 | police officer |
가수 | singer |
요리사 | cook |
배우 | actor |
회사원 | office worker |
기자 | reporter |
변호사 | lawyer |
작가 | writer |
화가 | painter |
군인 | soldier |
농부 | farmer |
소방관 | firefighter |
과학자 | scientist |
운전기사 | driver |
이웃 | neighbor | family
손님 | guest |
남자 | man |
여자 | woman |
아기 | baby |
"""

ANIMALS = """
고양이 | cat
개 | dog
새 | bird
강아지 | puppy
토끼 | rabbit
쥐 | mouse
호랑이 | tiger
곰 | bear
원숭이 | monkey
여우 | fox
늑대 | wolf
사자 | lion
소 | cow
돼지 | pig
오리 | duck
양 | sheep
"""

NAMES = """
민수 | Minsu | he
지수 | Jisu | she
유나 | Yuna | she
지훈 | Jihun | he
수진 | Sujin | she
현우 | Hyunwoo | he
은정 | Eunjeong | she
민호 | Minho | he
나영 | Nayoung | she
준영 | Junyoung | he
서연 | Seoyeon | she
태준 | Taejun | he
톰 | Tom | he
마리아 | Maria | she
제임스 | James | he
안나 | Anna | she
"""

ADDRESSES = """
손님 | Sir
여러분 | Everyone
교수님 | Professor
학생 여러분 | Students
승객 여러분 | Passengers
의사 선생님 | Doctor
신사 숙녀 여러분 | Ladies and gentlemen
감독님 | Coach
"""
