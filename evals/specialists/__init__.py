"""How fast the tools with a model are, with random weights at real sizes."""
