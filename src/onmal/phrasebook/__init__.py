"""The embedded default corpus: Korean and English sentence pairs from a grammar, endless, with gold alignments and roles.

    >>> from onmal.phrasebook import phrases
    >>> for phrase in phrases("train", 3):
    ...     print(phrase.korean, "|", phrase.english)

The conventions that make every reference the only right answer are in docs/phrasebook.md.
"""

from onmal.phrasebook.corpus import SPLITS, generate, phrases
from onmal.phrasebook.grammar import Phrase
from onmal.phrasebook.lookup import NearestNeighbour

__all__ = ["SPLITS", "NearestNeighbour", "Phrase", "generate", "phrases"]
