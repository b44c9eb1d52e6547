"""Say who speaks when: settings, the controller graph, the trace."""
