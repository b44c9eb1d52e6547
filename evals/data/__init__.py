"""Data sets: EMER, the MER challenges, and a user's own CSV files."""

from emer.evals.data.datasets import read_set, sets_in
from emer.evals.data.locations import DataFolder, data_folder
from emer.evals.data.types import Dataset, Gold, Sample

__all__ = ["DataFolder", "Dataset", "Gold", "Sample", "data_folder", "read_set", "sets_in"]
