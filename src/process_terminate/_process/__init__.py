"""One process: who it is, how it is signaled, waited for and reaped."""
