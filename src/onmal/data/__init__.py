"""Parallel text in, batches of sentence pairs out: reading, cleaning, preparing, batching."""
