"""Hear the emotion of a voice with a model: a class, or arousal, valence and dominance."""
