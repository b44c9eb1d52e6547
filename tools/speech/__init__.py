"""Hear what is said: recognised words or a given subtitle."""
