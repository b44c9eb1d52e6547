"""Tools for the authors of tools: conformance suite, benchmark, synthetic clips, fakes."""
