"""The cue lexicon and its parser of clue sentences."""

from emer.agents.lexicon.cue_parser import Mention, Reading, mentions_in, read
from emer.agents.lexicon.lexicon import Lexicon, Weighting, load_weighting

__all__ = ["Lexicon", "Mention", "Reading", "Weighting", "load_weighting", "mentions_in", "read"]
