"""What is scored, and what came of it: cases, other programs' records, results, their comparison. No torch."""
