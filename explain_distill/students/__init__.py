"""Students: what learns from a teacher, and can be read or run by a small machine."""
