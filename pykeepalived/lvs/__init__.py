"""The desired IPVS table, and the fewest operations that reach it."""
