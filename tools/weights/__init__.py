"""The weights of the tools: what there is, where it lies, getting it when asked, checking it."""
