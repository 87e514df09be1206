"""What the doors in scripts/ call: one `main(args=None)` a file."""
