"""The `emer` command; its Python calls are in `emer` itself."""

__all__ = ["cli"]
