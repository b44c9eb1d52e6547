"""Words only: the sentences the product speaks with, one file per kind."""
