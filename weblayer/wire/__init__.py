"""HTTP as bytes: knows no time and no socket, and calls nobody."""
