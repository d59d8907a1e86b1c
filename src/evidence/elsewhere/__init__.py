"""What runs on other architectures, kernels, builds and systems than this machine's."""
