"""Traces: the events of a run as JSON lines, written, read and compared."""

from emer.graphs.trace.jsonl import Trace, TraceWriter, read_trace
from emer.graphs.trace.runs import find_run, list_runs

__all__ = ["Trace", "TraceWriter", "find_run", "list_runs", "read_trace"]
