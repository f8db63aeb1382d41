"""What a copy is made of, and how that differs from what it would be made of now: plain data, no database."""
