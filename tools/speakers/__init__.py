"""Speakers: whose voice it is, as far as embeddings and channels tell."""
