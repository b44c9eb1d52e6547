"""Read: EMER, open-vocabulary and MER data, and a researcher's own, from folders and CSV files."""
