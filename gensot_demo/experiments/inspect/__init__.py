"""What happened to one sample of a finished comparison. Reads kept runs and never changes them."""
