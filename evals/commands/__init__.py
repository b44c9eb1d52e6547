"""The commands of `emer-eval`: from the words on the command line to what is printed."""
