"""The `emer` command; its Python calls are in `emer.app.ask` and in `emer` itself."""

__all__ = ["ask", "cli"]
