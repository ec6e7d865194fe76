"""Training text prepared once for many uses: cleaned, as text; tokenized, as shards, by all cores."""
