"""What is remembered: notes on how displays are read, and runs a person chose to keep."""
