"""The command line: `process-terminate`, or `python -m process_terminate`."""
