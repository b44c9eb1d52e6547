"""Runs of the agent: the controller, its settings and state, answers and traces."""

__all__ = ["ask", "components", "controller", "resume", "server", "settings", "trace", "whatif"]
