"""Judge: how two explanations overlap, by a named judge that does not change under way."""
