"""What the numbers mean that processes leave, and the messages that show them."""
