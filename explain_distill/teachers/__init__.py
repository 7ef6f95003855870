"""Teachers: anything that scores raw rows."""
