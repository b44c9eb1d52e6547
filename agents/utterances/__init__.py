"""What a speaker's words carry: feelings of one's own, and acts of speech."""

from emer.agents.utterances.reader import cues_of_words

__all__ = ["cues_of_words"]
