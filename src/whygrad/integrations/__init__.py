"""One line in the user's own program, in place of a command. Each module imports its library only when it is used."""
