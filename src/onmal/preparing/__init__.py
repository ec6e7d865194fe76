"""Training text prepared once for many runs: cleaned, tokenized and written as shards, by all cores."""
