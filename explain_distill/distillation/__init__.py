"""Distillation: transfer sets, soft labels, and the one verb that makes a student."""
