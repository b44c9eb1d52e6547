"""See faces: mesh, tracks, action units, head, gaze, blinks."""
