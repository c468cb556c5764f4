"""Other protocols, line by line, and policies for any of them: knows no web."""
