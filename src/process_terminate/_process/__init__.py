"""One process: which it is, how it is signaled, waited for and reaped."""
