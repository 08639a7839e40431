"""Which script runs and which FIFO line is written at an event."""
