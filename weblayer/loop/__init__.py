"""Time, promises, sockets, threads and processes: knows no HTTP."""
