"""Emer in five lines of Python.

from emer.app.ask import ask

answer = ask("clip.mp4")
print(answer.text)
"""

from emer.graphs.ask import Answer, ask

__all__ = ["Answer", "ask"]
