"""Runs of the agent: the controller, its settings and state, answers and traces."""

__all__ = [
    "answer",
    "ask",
    "components",
    "controller",
    "resume",
    "server",
    "settings",
    "trace",
    "whatif",
]
