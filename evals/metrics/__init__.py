"""Score: each metric from its definition, with intervals; nothing here needs torch or a network."""
