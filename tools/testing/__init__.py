"""For the authors of tools: conformance suite, benchmark, test clips, fakes."""

from emer.tools.testing.benchmark import bench
from emer.tools.testing.clips import write_trial
from emer.tools.testing.conformance import check_tool
from emer.tools.testing.fakes import FakeTool

__all__ = ["FakeTool", "bench", "check_tool", "write_trial"]
