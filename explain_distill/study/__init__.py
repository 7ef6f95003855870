"""A study: one teacher, its students, their data and everything measured, kept in a folder."""
