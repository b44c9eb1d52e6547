"""`python -m emer.app` is `emer`."""

from emer.app.cli import main

main()
