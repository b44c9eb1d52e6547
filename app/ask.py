"""The Python calls and their records, as `import emer` gives them."""

from emer.agents.clue_edits import Addition, Edits, Rewrite
from emer.graphs.ask import Answer, ask
from emer.graphs.resume import resume

__all__ = ["Addition", "Answer", "Edits", "Rewrite", "ask", "resume"]
