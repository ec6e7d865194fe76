"""Corpora by name: what is known of each, where its files are, and its pairs."""
