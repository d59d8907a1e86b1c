"""Run the examples on interpreters, trace them, and record what they did."""
