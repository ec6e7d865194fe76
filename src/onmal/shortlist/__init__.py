"""A lexical shortlist: which words a translation may need, by the words of its source; all others are left out of the search.

Half of a small network's work is the last step, from states to the probabilities of all words of the vocabulary, of which a sentence
needs a few (Jean 2015; L'Hostis 2016). `learning` finds out in parallel text which words stand for which, `table` keeps that in a
model folder, and `narrowed` searches with a network that has these words alone.
"""
