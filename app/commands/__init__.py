"""The commands of `emer`; a module is imported when its command runs."""

__all__ = ["ask", "demo", "doctor", "memory", "models", "review", "tools", "trace", "trust"]
