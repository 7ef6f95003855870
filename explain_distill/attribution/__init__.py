"""Attribution: each feature's share in one prediction, in the units of the score."""
