"""Worker processes: how one starts, a pool of them, a parallel map."""
