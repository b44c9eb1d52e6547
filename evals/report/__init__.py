"""Show: scores of systems side by side, as a table, as Markdown, as one HTML page."""
