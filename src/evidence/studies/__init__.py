"""Measure what no single example shows: process trees, queues, real programs."""
