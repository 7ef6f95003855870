"""Tables: what they hold, how they are read, and how they become readable features."""
