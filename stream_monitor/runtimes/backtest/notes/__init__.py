"""What is said of a file, and of a baseline, in words."""
