"""Emer in five lines of Python.

from emer.app.ask import ask

answer = ask("clip.mp4")
print(answer.text)
"""

from emer.agents.clue_edits import Addition, Edits, Rewrite
from emer.graphs.ask import Answer, ask
from emer.graphs.resume import resume

__all__ = ["Addition", "Answer", "Edits", "Rewrite", "ask", "resume"]
