"""Measure: speed and memory today, the EMER benchmark next."""
