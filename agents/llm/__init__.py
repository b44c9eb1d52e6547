"""A language model that weighs clues, asks again, writes and is checked."""
