"""What the words of a speaker carry: feelings told of oneself, and acts of speech."""

from emer.agents.utterances.reader import cues_of_words

__all__ = ["cues_of_words"]
