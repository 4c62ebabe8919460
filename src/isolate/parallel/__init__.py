"""Worker processes: a fork that no signal interrupts, a pool of workers, a parallel map."""
