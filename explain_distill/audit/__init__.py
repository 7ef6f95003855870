"""Judging: how far each student speaks for its teacher."""
