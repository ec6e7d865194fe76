"""English plurals, articles, verb forms, degrees, pronouns and number words."""

from __future__ import annotations

import pytest

from onmal.phrasebook.english import (
    IRREGULAR,
    EnglishVerb,
    article,
    be,
    cardinal,
    comparative,
    do,
    finite,
    have,
    ordinal,
    ordinal_figure,
    plural,
    possessive,
    pronoun,
    superlative,
    with_article,
)


@pytest.mark.parametrize(
    ("noun", "form"),
    [
        *(("apple", "apples"), ("bus", "buses"), ("box", "boxes"), ("dish", "dishes"), ("watch", "watches")),
        *(("class", "classes"), ("city", "cities"), ("baby", "babies"), ("day", "days"), ("key", "keys")),
        *(("stomach", "stomachs"), ("photo", "photos"), ("piano", "pianos"), ("potato", "potatoes")),
        *(("knife", "knives"), ("leaf", "leaves"), ("roof", "roofs"), ("bookshelf", "bookshelves")),
        *(("man", "men"), ("policewoman", "policewomen"), ("human", "humans"), ("German", "Germans")),
        *(("child", "children"), ("grandchild", "grandchildren"), ("person", "people"), ("foot", "feet")),
        *(("tooth", "teeth"), ("mouse", "mice"), ("fish", "fish"), ("sheep", "sheep"), ("won", "won")),
        *(
            ("pants", "pants"),
            ("quiz", "quizzes"),
            ("bus stop", "bus stops"),
            ("post office", "post offices"),
        ),
        *(("glass of water", "glasses of water"), ("mother-in-law", "mothers-in-law")),
        *(("man in a hat", "men in a hat"), ("ticket for Busan", "tickets for Busan")),
    ],
)
def test_plural(noun, form):
    assert plural(noun) == form


def test_a_given_plural_is_taken():
    assert plural("ox", "oxen") == "oxen"


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        *(("book", "a"), ("apple", "an"), ("umbrella", "an"), ("hour", "an"), ("honest man", "an")),
        *(("house", "a"), ("university", "a"), ("uniform", "a"), ("used car", "a"), ("useful book", "a")),
        *(("European city", "a"), ("one-way ticket", "a"), ("old one", "an"), ("uncle", "an"), ("year", "a")),
        *(("unimportant thing", "an"), ("unidentified man", "an"), ("uninteresting film", "an")),
        *(
            ("unique idea", "a"),
            ("urgent call", "an"),
            ("ukulele", "a"),
            ("utensil", "a"),
            ("utter lie", "an"),
        ),
        *(("8 o'clock train", "an"), ("11 o'clock train", "an"), ("18-year-old", "an"), ("80", "an")),
        *(("1 won coin", "a"), ("7 o'clock bus", "a"), ("110 won stamp", "a"), ("11:30 train", "an")),
        *(("11,000 won ticket", "an"), ("8,000 won ticket", "an"), ("1,800 won ticket", "a")),
        *(("MP3 player", "an"), ("X-ray", "an"), ("USB cable", "a"), ("KTX ticket", "a"), ("SIM card", "a")),
        *(("ID card", "an"), ("TV", "a"), ("T-shirt", "a"), ('"old" friend', "an")),
    ],
)
def test_article(phrase, expected):
    assert article(phrase) == expected
    assert with_article(phrase) == f"{expected} {phrase}"


# base third past participle gerund
VERBS = """
go goes went gone going
be is was been being
have has had had having
do does did done doing
eat eats ate eaten eating
drink drinks drank drunk drinking
see sees saw seen seeing
write writes wrote written writing
read reads read read reading
teach teaches taught taught teaching
buy buys bought bought buying
swim swims swam swum swimming
run runs ran run running
get gets got gotten getting
put puts put put putting
sit sits sat sat sitting
cut cuts cut cut cutting
begin begins began begun beginning
forget forgets forgot forgotten forgetting
lie lies lay lain lying
pay pays paid paid paying
fly flies flew flown flying
choose chooses chose chosen choosing
understand understands understood understood understanding
stop stops stopped stopped stopping
plan plans planned planned planning
carry carries carried carried carrying
study studies studied studied studying
play plays played played playing
enjoy enjoys enjoyed enjoyed enjoying
watch watches watched watched watching
wash washes washed washed washing
fix fixes fixed fixed fixing
cook cooks cooked cooked cooking
visit visits visited visited visiting
listen listens listened listened listening
open opens opened opened opening
prefer prefers preferred preferred preferring
travel travels traveled traveled traveling
like likes liked liked liking
agree agrees agreed agreed agreeing
tie ties tied tied tying
snow snows snowed snowed snowing
picnic picnics picnicked picnicked picnicking
"""


@pytest.mark.parametrize("forms", VERBS.strip().splitlines())
def test_verb(forms):
    base, third, past, participle, gerund = forms.split()
    assert EnglishVerb(base) == EnglishVerb(base, third, past, participle, gerund)


def test_phrasal_verbs_inflect_their_first_word():
    verb = EnglishVerb("get up")
    assert (verb.third, verb.past, verb.participle, verb.gerund) == (
        "gets up",
        "got up",
        "gotten up",
        "getting up",
    )
    assert EnglishVerb("take off").past == "took off"


def test_given_forms_win_over_the_table():
    assert EnglishVerb("lie", past="lied", participle="lied").past == "lied"


def test_the_table_of_irregular_verbs():
    assert len(IRREGULAR) >= 60
    assert all(base and past and participle for base, (past, participle) in IRREGULAR.items())


@pytest.mark.parametrize(
    ("person", "number", "tense", "forms"),
    [
        (1, "singular", "present", ("am", "have", "do")),
        (2, "singular", "present", ("are", "have", "do")),
        (3, "singular", "present", ("is", "has", "does")),
        (1, "plural", "present", ("are", "have", "do")),
        (3, "plural", "present", ("are", "have", "do")),
        (1, "singular", "past", ("was", "had", "did")),
        (2, "singular", "past", ("were", "had", "did")),
        (3, "singular", "past", ("was", "had", "did")),
        (3, "plural", "past", ("were", "had", "did")),
        (3, "singular", "future", ("will be", "will have", "will do")),
    ],
)
def test_agreement_of_be_have_and_do(person, number, tense, forms):
    assert (be(person, number, tense), have(person, number, tense), do(person, number, tense)) == forms


def test_agreement_of_other_verbs():
    work, can = EnglishVerb("work hard"), EnglishVerb("be able to")
    assert finite(work, 3, "singular", "present") == "works hard"
    assert finite(work, 3, "plural", "present") == "work hard"
    assert finite(work, 1, "singular", "past") == "worked hard"
    assert finite(work, 1, "singular", "future") == "will work hard"
    assert finite(can, 1, "singular", "present") == "am able to"
    assert finite(can, 3, "plural", "past") == "were able to"


@pytest.mark.parametrize(
    ("adjective", "higher", "highest"),
    [
        *(("cheap", "cheaper", "cheapest"), ("big", "bigger", "biggest"), ("hot", "hotter", "hottest")),
        *(("large", "larger", "largest"), ("nice", "nicer", "nicest"), ("new", "newer", "newest")),
        *(("dry", "drier", "driest"), ("gray", "grayer", "grayest"), ("shy", "shyer", "shyest")),
        *(
            ("pretty", "prettier", "prettiest"),
            ("busy", "busier", "busiest"),
            ("heavy", "heavier", "heaviest"),
        ),
        *(("friendly", "friendlier", "friendliest"), ("lonely", "lonelier", "loneliest")),
        *(
            ("quiet", "quieter", "quietest"),
            ("simple", "simpler", "simplest"),
            ("narrow", "narrower", "narrowest"),
        ),
        *(("cool", "cooler", "coolest"), ("deep", "deeper", "deepest"), ("strange", "stranger", "strangest")),
        *(("good", "better", "best"), ("bad", "worse", "worst"), ("far", "farther", "farthest")),
        *(("expensive", "more expensive", "most expensive"), ("famous", "more famous", "most famous")),
        *(("tired", "more tired", "most tired"), ("boring", "more boring", "most boring")),
        *(("fun", "more fun", "most fun"), ("slowly", "more slowly", "most slowly")),
    ],
)
def test_degrees(adjective, higher, highest):
    assert comparative(adjective) == higher
    assert superlative(adjective) == highest


def test_pronouns():
    assert [pronoun(1, "singular", case=case) for case in ("subject", "object", "determiner")] == [
        "I",
        "me",
        "my",
    ]
    assert pronoun(3, "singular", "feminine", "determiner") == "her"
    assert pronoun(3, "singular", "feminine", "possessive") == "hers"
    assert pronoun(3, "singular", "masculine", "object") == "him"
    assert pronoun(3, "singular") == "it"
    assert pronoun(3, "plural", "masculine", "object") == "them"
    assert pronoun(2, "plural", case="reflexive") == "yourselves"


def test_possessives():
    assert possessive("my mother") == "my mother's"
    assert possessive("the boss") == "the boss's"
    assert possessive("my parents", "plural") == "my parents'"
    assert possessive("the children", "plural") == "the children's"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        *((0, "zero"), (7, "seven"), (12, "twelve"), (20, "twenty"), (21, "twenty-one"), (99, "ninety-nine")),
        *((100, "one hundred"), (342, "three hundred forty-two"), (15000, "fifteen thousand")),
        *((1_000_001, "one million one"), (20_300_000, "twenty million three hundred thousand")),
    ],
)
def test_cardinals(n, words):
    assert cardinal(n) == words


def test_there_are_no_words_for_a_negative_number():
    with pytest.raises(ValueError, match="-1"):
        cardinal(-1)


@pytest.mark.parametrize(
    ("n", "words", "figure"),
    [
        *((1, "first", "1st"), (2, "second", "2nd"), (3, "third", "3rd"), (4, "fourth", "4th")),
        *((5, "fifth", "5th"), (8, "eighth", "8th"), (9, "ninth", "9th"), (11, "eleventh", "11th")),
        *((12, "twelfth", "12th"), (13, "thirteenth", "13th"), (20, "twentieth", "20th")),
        *((21, "twenty-first", "21st"), (22, "twenty-second", "22nd"), (23, "twenty-third", "23rd")),
        *((30, "thirtieth", "30th"), (31, "thirty-first", "31st"), (111, "one hundred eleventh", "111th")),
    ],
)
def test_ordinals(n, words, figure):
    assert ordinal(n) == words
    assert ordinal_figure(n) == figure
