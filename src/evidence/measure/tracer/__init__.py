"""The folder that puts the tracer into every Python process of an example."""
