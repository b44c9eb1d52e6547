"""Memory of the language model: knowledge cards and kept runs like a clip."""

from emer.agents.memory.embedder import Embedder, load_embedder
from emer.agents.memory.exemplars import Exemplar, Exemplars
from emer.agents.memory.memory import Item, Match, Memory

__all__ = ["Embedder", "Exemplar", "Exemplars", "Item", "Match", "Memory", "load_embedder"]
