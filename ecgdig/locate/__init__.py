"""What stands where on a page: ink, rows, pulse, leads, which way up, and where time begins. Numpy, no torch."""
